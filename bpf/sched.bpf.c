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

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switched, bool preempt, struct task_struct *prev, struct task_struct *next, unsigned int prev_state)
{
	struct task_record *record;
	__u64 now = bpf_ktime_get_ns();

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
	record = task_find(next);
	if (record) {
		task_left_unseen(next, record, now);
		task_returns(next, record, now, true);
	}
	return 0;
}

/* In the waker's context. The task may still be on its way off the CPU, where its leaving has not been said yet. */
SEC("tp_btf/sched_waking")
int BPF_PROG(sched_woken, struct task_struct *task)
{
	struct task_record *record = bpf_task_storage_get(&tasks, task, 0, 0), *waker;
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
	} else {
		record->waker.tgid = current_task->tgid;
		record->waker.tid = current_task->pid;
		record->waker.context = 0;
		record->waker.generation = RECORD_NO_GENERATION;
		record->waker.quality = CPROF_QUALITY_NO_RUNTIME;
		record->waker.reserved = 0;
		stranger_say(current_task);
	}
	return 0;
}
