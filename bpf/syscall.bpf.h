/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of the system call that a thread is in, for those who look at it from outside: the scheduler's programs and the end of the recording. */
#ifndef CPROF_SYSCALL_BPF_H
#define CPROF_SYSCALL_BPF_H

#include "io.bpf.h"
#include "lock.bpf.h"

/* enum syscall_kind by number; made by cprof-record. */
const volatile __u8 syscall_kind[SYSCALL_NUMBERS];

static __always_inline __u8 syscall_kind_of(long number)
{
	return number >= 0 && number < (long)SYSCALL_NUMBERS ? syscall_kind[number & (SYSCALL_NUMBERS - 1)] : 0;
}

/* What a task that is off the CPU waits for, if it is a file or a futex: from the registers with which it went into the kernel. */
static __always_inline void syscall_object(struct task_struct *task, const struct task_record *record, struct cprof_file_id *object)
{
	const struct syscall_state *call = &record->call;
	__u32 kind = record->state ? syscall_kind_of(record->syscall) & SYSCALL_FILE_MASK : 0;
	struct pt_regs *regs;
	struct file *file;

	if (kind && call->start_ns && call->number == record->syscall) {
		*object = call->object;
		return;
	}
	if (kind != SYSCALL_FILE_ARGUMENT && kind != SYSCALL_FUTEX)
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (kind == SYSCALL_FUTEX) {
		object->inode = regs->di;
		return;
	}
	file = file_of(task, (int)regs->di);
	if (file)
		file_identify(file, object);
}

/* At the end of the recording: a call that has not ended is in the sums with its time so far, and is said, however short. */
static __always_inline void syscall_say_open(struct task_record *record, __u64 now)
{
	struct syscall_state *call = &record->call;
	__u64 start_ns;

	if (!call->start_ns)
		return;
	start_ns = __sync_lock_test_and_set(&call->start_ns, 0);
	if (!start_ns || now < start_ns)
		return;
	if (call->kind == SYSCALL_FUTEX) {
		lock_sum(call, now - start_ns, 0);
		lock_say(call, start_ns, now - start_ns, 0, true);
	} else {
		io_sum(call, now - start_ns, 0, 0);
		io_say(call, start_ns, now - start_ns, 0, true);
	}
}

#endif
