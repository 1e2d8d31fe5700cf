/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a thread did with its time: on the CPU, in the run queue, blocked by class, stopped. Each ns from its first sight to its end is in exactly
 * one of them, and the slot of a registered thread gets the same sums before the thread runs on.
 */
#ifndef CPROF_THREAD_TOTALS_BPF_H
#define CPROF_THREAD_TOTALS_BPF_H

#include "context.bpf.h"
#include "stacks.bpf.h"
#include "sums.bpf.h"
#include "switch_sums.bpf.h"
#include "syscall.bpf.h"

#define CPROF_IMAGES_MAX 0x8000u

/* enum cprof_blocked_class by system call number, made by cprof-record. */
const volatile __u8 syscall_class[SYSCALL_NUMBERS];

/* The system call that a task is in, 0xFFFFFFFF: none. */
static __always_inline __u32 task_syscall(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	long number = regs->orig_ax;

	if (task->flags & PF_KTHREAD)
		return 0xFFFFFFFF;
	return number < 0 || number > 0xFFFF ? 0xFFFFFFFF : (__u32)number;
}

/* Why does a task not run, when its state is not "could run"? */
static __always_inline __u8 blocked_class(struct task_struct *task, __u32 state, __u32 syscall)
{
	__u8 class = syscall < SYSCALL_NUMBERS ? syscall_class[syscall & (SYSCALL_NUMBERS - 1)] : CPROF_BLOCKED_OTHER;

	if (state & TASK_STATE_UNINTERRUPTIBLE && (class == CPROF_BLOCKED_FILE || BPF_CORE_READ_BITFIELD(task, in_iowait)))
		return CPROF_BLOCKED_DISK;
	return class;
}

/* The task goes off the CPU; state as of sched_switch, 0: it could run on. */
static __always_inline void task_leaves(struct task_struct *task, struct task_record *record, __u32 state, __u64 now)
{
	if (record->start_ns > now) /* first seen in the event that this is about */
		record->start_ns = record->on_since_ns = now;
	if (record->on_since_ns)
		record->on_cpu_ns += now - record->on_since_ns;
	record->ran_since_ns = record->on_since_ns;
	record->on_since_ns = 0;
	record->exec_ns = task->se.sum_exec_runtime;
	record->off_since_ns = now;
	record->waker.tgid = 0;
	record->woken_by = CPROF_WOKEN_UNKNOWN;
	record->user_stack = 0;
	record->state = state & TASK_STATE_MASK;
	record->syscall = task_syscall(task);
	record->blocked_class = blocked_class(task, state, record->syscall);
}

struct off_cpu_times {
	__u64 blocked_ns, runq_ns, suspended_ns;
};

/*
 * How the interval that began at off_since_ns divides up to now. Woken before it began, while it ran for the last time: then that was on its way
 * off the CPU, and it could run all the time. If it was not, and slept later, there was another waking.
 */
static __always_inline struct off_cpu_times off_cpu_divide(const struct task_record *record, __u64 now)
{
	struct off_cpu_times times = {};
	__u64 since = record->off_since_ns, woken = record->wake_ns;
	__u64 waited;

	if (!record->state) {
		times.runq_ns = now - since;
		return times;
	}
	if (woken > now || !woken || woken < record->ran_since_ns)
		woken = now;
	else if (woken < since)
		woken = since;
	waited = woken - since;
	times.runq_ns = now - woken;
	if (record->state & (TASK_STATE_STOPPED | TASK_STATE_TRACED))
		times.suspended_ns = waited;
	else
		times.blocked_ns = waited;
	return times;
}

/* KERNEL_OFF_CPU, if it is long enough to be said. */
static __always_inline void off_cpu_say(struct task_struct *task, const struct task_record *record, const struct off_cpu_times *times, __u64 kernel_stack,
					bool open)
{
	struct ring_head *head = ring_reserve(RING_OFF_CPU, sizeof(struct cprof_kernel_off_cpu));
	struct cprof_kernel_off_cpu *off = (void *)(head + 1);
	struct cprof_file_id object = {};

	if (!head)
		return;
	syscall_object(task, record, &object);
	__builtin_memset(off, 0, sizeof *off);
	off->time_ns = record->off_since_ns;
	off->who = record->off_who;
	off->blocked_ns = times->blocked_ns + times->suspended_ns;
	off->runq_ns = times->runq_ns;
	off->kernel_stack = kernel_stack;
	off->user_stack = record->user_stack;
	off->waker = record->waker;
	off->object = object.inode;
	off->device = object.device;
	off->inode_generation = object.generation;
	off->syscall = record->syscall;
	off->blocked_class = record->blocked_class;
	off->state = record->state;
	off->open = open;
	off->woken_by = record->woken_by;
	ring_submit(head);
}

static __always_inline void off_cpu_sums(const struct task_record *record, const struct off_cpu_times *times)
{
	struct cprof_kernel_sum_key key;

	if (times->blocked_ns) {
		sum_key_init(&key, &record->off_who, CPROF_SUM_OFF_CPU, record->blocked_class);
		key.stack = record->user_stack;
		sum_add(&key, times->blocked_ns, 0);
	}
	if (times->runq_ns) {
		sum_key_init(&key, &record->off_who, CPROF_SUM_RUN_QUEUE, 0);
		key.stack = record->user_stack;
		sum_add(&key, times->runq_ns, 0);
	}
}

/* It is on the CPU again. in_switch: the scheduler says so now, with interrupts off, and the task still has the kernel stack on which it slept. */
static __always_inline void task_returns(struct task_struct *task, struct task_record *record, __u64 now, bool in_switch)
{
	struct off_cpu_times times;
	struct cprof_slot *slot;
	__u64 kernel_stack = 0;
	__u8 class = record->blocked_class;

	record->on_since_ns = now;
	record->exec_ns = task->se.sum_exec_runtime;
	record->preemptions = task->nivcsw;
	if (record->start_ns > now)
		record->start_ns = now;
	if (!record->off_since_ns)
		return;
	times = off_cpu_divide(record, now);
	record->switches++;
	record->runq_ns += times.runq_ns;
	record->suspended_ns += times.suspended_ns;
	if (class < CPROF_BLOCKED_COUNT)
		record->blocked_ns[class] += times.blocked_ns;
	slot = slot_of(task, record);
	if (slot) {
		slot->runq_ns += times.runq_ns;
		if (class < CPROF_BLOCKED_COUNT)
			slot->blocked_ns[class] += times.blocked_ns + times.suspended_ns;
		barrier();
		(*(volatile __u32 *)&slot->changes)++;
	}
	if (settings.off_cpu) {
		if (in_switch)
			counter_add_unshared(COUNTER_CONTEXT_NONE + (record->off_who.quality & 7), 1);
		else
			who_tally(record->off_who.quality);
		if (!in_switch || !switch_sums_add(&record->off_who, class, record->user_stack, times.blocked_ns, times.runq_ns))
			off_cpu_sums(record, &times);
		if (now - record->off_since_ns >= settings.off_cpu_threshold_ns) {
			if (record->state && in_switch)
				kernel_stack = stack_of_task(task, SCRATCH_SCHED);
			off_cpu_say(task, record, &times, kernel_stack, false);
		}
	}
	record->off_since_ns = 0;
}

/*
 * Some switches are not said: a kernel may run a task of which it does not trace that it gives the CPU away. Who comes after it then leaves a
 * CPU that it never came to. The scheduler's own count of its time says when that was; its slot learns of it late. Only where the kernel does not say
 * when its scheduler has done (sched_left).
 */
static __always_inline void task_returned_unseen(struct task_struct *task, struct task_record *record, __u64 now)
{
	__u64 ran;

	if (!record->off_since_ns)
		return;
	ran = task->se.sum_exec_runtime - record->exec_ns;
	if (ran > now - record->off_since_ns)
		ran = now - record->off_since_ns;
	counter_add(COUNTER_SWITCHES_UNSEEN, 1);
	counter_add(COUNTER_SWITCHES_LATE, 1);
	task_returns(task, record, now - ran, false);
}

/* The other way round: it comes to a CPU, and was not seen to have left the last one. Its slot still says where it was. */
static __always_inline void task_left_unseen(struct task_struct *task, struct task_record *record, __u64 now)
{
	struct cprof_slot *slot;
	__u64 ran;

	if (record->off_since_ns || !record->on_since_ns || record->on_since_ns >= now)
		return;
	slot = slot_of(task, record);
	ran = task->se.sum_exec_runtime - record->exec_ns;
	if (ran > now - record->on_since_ns)
		ran = now - record->on_since_ns;
	counter_add(COUNTER_SWITCHES_UNSEEN, 1);
	counter_add(COUNTER_SWITCHES_LATE, 1);
	task_leaves(task, record, task->nivcsw != record->preemptions ? 0 : TASK_STATE_INTERRUPTIBLE, record->on_since_ns + ran);
	record->off_who.tgid = task->tgid;
	record->off_who.tid = task->pid;
	record->off_who.generation = record->generation;
	record->off_who.context = slot ? *(volatile __u32 *)&slot->context : record->context;
	record->off_who.quality = slot ? CPROF_QUALITY_SLOT : record->context ? CPROF_QUALITY_STALE : CPROF_QUALITY_UNREGISTERED;
}

static __always_inline void slot_release(struct task_struct *task, struct task_record *record)
{
	struct cprof_slot *slot = slot_of(task, record);

	record->slot = 0;
	if (!slot)
		return;
	slot->kernel_tid = 0;
	slot->context = 0;
	*(volatile __u32 *)&slot->magic = 0;
}

/* The last fault is counted when its outcome is known: at the next one, or at the end. */
static __always_inline void fault_settle(struct task_struct *task, struct task_record *record)
{
	struct cprof_kernel_sum_key key;
	bool major = task->maj_flt != record->maj_flt;

	record->maj_flt = task->maj_flt;
	if (!record->major_pending)
		return;
	record->major_pending = 0;
	sum_key_init(&key, &record->fault_who, CPROF_SUM_FAULT, major);
	key.stack = record->fault_stack;
	sum_add(&key, 0, 0);
}

/* KERNEL_THREADS: the totals up to now, an open interval included. */
static __always_inline void thread_say(struct task_struct *task, struct task_record *record, __u64 now)
{
	struct ring_head *head = ring_reserve(RING_THREAD, sizeof(struct cprof_kernel_thread));
	struct cprof_kernel_thread *thread = (void *)(head + 1);
	struct off_cpu_times open = {};

	if (!head)
		return;
	if (record->off_since_ns)
		open = off_cpu_divide(record, now);
	thread->tgid = task->tgid;
	thread->tid = task->pid;
	thread->ns_tid = record->ns_tid ? record->ns_tid : task_ns_tid(task);
	thread->slot = record->slot;
	thread->start_ns = record->start_ns;
	thread->end_ns = now;
	thread->on_cpu_ns = record->on_cpu_ns + (record->on_since_ns ? now - record->on_since_ns : 0);
	thread->runq_ns = record->runq_ns + open.runq_ns;
	for (int i = 0; i < CPROF_BLOCKED_COUNT; i++)
		thread->blocked_ns[i] = record->blocked_ns[i] + (i == record->blocked_class ? open.blocked_ns : 0);
	thread->suspended_ns = record->suspended_ns + open.suspended_ns;
	thread->switches = record->switches;
	thread->faults = record->faults;
	thread->samples = record->samples;
	thread->generation = record->generation;
	thread->reserved = 0;
	bpf_probe_read_kernel_str(thread->name, sizeof thread->name, task->comm);
	ring_submit(head);
}

/* At the end of the recording: an interval that has not ended is said, however short, and is in the sums. */
static __always_inline void off_cpu_say_open(struct task_struct *task, struct task_record *record, __u64 now)
{
	struct off_cpu_times times;

	if (!record->off_since_ns || !settings.off_cpu)
		return;
	times = off_cpu_divide(record, now);
	off_cpu_sums(record, &times);
	off_cpu_say(task, record, &times, 0, true);
}

#endif
