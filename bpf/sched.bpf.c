/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Time off the CPU, from the scheduler's own words: sched_switch, sched_waking.
 *
 * An interval is closed when the task comes back, before it runs: so the sums in its slot are right when its next instruction executes, and
 * its kernel stack (taken only when the interval was long) is still that of the place where it slept.
 */
#include "thread_totals.bpf.h"

#define KERNEL_STACK_BYTES 32768 /* the most that any configuration of x86-64 uses */

/*
 * Does the current task itself do this, or an interrupt that came in its way? Over the kernel an interrupt has a stack of its own, and the
 * arguments of a tracepoint's program lie on the stack of who called it (the read turns the pointer into a number). Over user code it uses the
 * task's: but then the task is in no system call.
 */
static __always_inline bool in_task(void *ctx, struct task_struct *task)
{
	__u64 pointer = (__u64)ctx, at = 0, stack = (__u64)task->stack;

	if (!(task->flags & PF_KTHREAD) && task_syscall(task) == 0xFFFFFFFF)
		return false;
	bpf_probe_read_kernel(&at, sizeof at, &pointer);
	return at - stack < KERNEL_STACK_BYTES;
}

/* Who was said to come to each CPU last. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} switched_to SEC(".maps");

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switched, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	struct task_record *record;
	__u64 now = bpf_ktime_get_ns();
	__u32 none = 0, *to = bpf_map_lookup_elem(&switched_to, &none);
	bool next_unseen = settings.unseen_of && bpf_get_prandom_u32() % settings.unseen_of == 0;

	if (to)
		*to = next_unseen ? 0xFFFFFFFF : (__u32)next->pid;
	if (!(prev_state & TASK_STATE_DEAD)) {
		record = task_find(prev);
		if (record) {
			if (preempt)
				prev_state = 0;
			task_returned_unseen(prev, record, now);
			task_leaves(prev, record, prev_state, now);
			if (settings.off_cpu)
				who_read(prev, record, &record->off_who);
			if (settings.off_cpu && prev_state && record->off_who.quality >= CPROF_QUALITY_UNREGISTERED && prev->mm)
				record->user_stack = stack_current(ctx, SCRATCH_SCHED, false);
		}
	}
	record = next_unseen ? NULL : task_find(next);
	if (record) {
		task_left_unseen(next, record, now);
		task_returns(next, record, now, true);
	}
	return 0;
}

/*
 * The scheduler has done, in the task that has come: known here even if nobody said that it comes (task_returned_unseen), and it runs on only now. Linux 6.16
 * and later.
 */
SEC("tp_btf/sched_exit_tp")
int BPF_PROG(sched_left)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 none = 0, *to = bpf_map_lookup_elem(&switched_to, &none);
	struct task_record *record;

	if (!to || *to == (__u32)task->pid)
		return 0;
	*to = task->pid;
	record = bpf_task_storage_get(&tasks, task, 0, 0);
	if (record && !record->ended && record->off_since_ns) {
		counter_add(COUNTER_SWITCHES_UNSEEN, 1);
		task_returns(task, record, bpf_ktime_get_ns(), false);
	}
	return 0;
}

/* In the waker's context. The task may still be on its way off the CPU, where its leaving has not been said yet. */
SEC("tp_btf/sched_waking")
int BPF_PROG(sched_woken, struct task_struct *task)
{
	struct task_record *record = bpf_task_storage_get(&tasks, task, 0, 0), *waker, *ended;
	struct task_struct *current_task;
	__u64 since;

	if (!record)
		return 0;
	since = record->off_since_ns;
	if (since && (!record->state || record->wake_ns >= since))
		return 0;
	record->wake_ns = bpf_ktime_get_ns();
	if (!settings.off_cpu || !since || record->wake_ns - since < settings.off_cpu_threshold_ns) /* who ended a short wait is not said */
		return 0;
	current_task = bpf_get_current_task_btf();
	record->woken_by = CPROF_WOKEN_BY_INTERRUPT;
	if (!current_task->pid || !in_task(ctx, current_task))
		return 0;
	record->woken_by = CPROF_WOKEN_BY_TASK;
	waker = task_find(current_task);
	if (waker) {
		who_read(current_task, waker, &record->waker);
	} else { /* one who is not followed, or has ended: the last that a child does is to wake its parent */
		ended = bpf_task_storage_get(&tasks, current_task, 0, 0);
		record->waker.tgid = current_task->tgid;
		record->waker.tid = current_task->pid;
		record->waker.context = 0;
		record->waker.generation = ended ? ended->generation : stranger_say(current_task);
		record->waker.quality = CPROF_QUALITY_NO_RUNTIME;
		record->waker.reserved = 0;
	}
	return 0;
}
