/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of followed threads, from their begin to their end: file I/O (io.bpf.h) and waits for locks (lock.bpf.h).
 *
 * Attached, these programs cost every process of the machine some ns per system call. So they are only where a source needs them, and a call of no
 * interest leaves after one look into a table.
 */
#include "io.bpf.h"
#include "lock.bpf.h"

/* enum syscall_kind by number; made by cprof-record for the sources that are on. */
const volatile __u8 syscall_kind[SYSCALL_NUMBERS];

static __always_inline __u8 kind_of(long number)
{
	return number >= 0 && number < (long)SYSCALL_NUMBERS ? syscall_kind[number & (SYSCALL_NUMBERS - 1)] : 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_entered, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u8 kind = kind_of(number);
	struct syscall_state *call;
	struct task_record *record;

	if (!kind)
		return 0;
	record = task_find(task);
	if (!record)
		return 0;
	call = &record->call;
	call->number = (__u16)number;
	call->kind = kind;
	call->start_ns = bpf_ktime_get_ns();
	if (kind == SYSCALL_FUTEX)
		lock_entered(task, record, regs, call);
	else
		io_entered(task, regs, call);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_left, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct syscall_state *call;
	struct task_record *record;
	__u64 ns;

	if (!kind_of(regs->orig_ax))
		return 0;
	record = bpf_task_storage_get(&tasks, task, 0, 0);
	if (!record || !record->call.start_ns) /* not followed, or it began before the recording did */
		return 0;
	call = &record->call;
	ns = bpf_ktime_get_ns() - call->start_ns;
	if (call->kind == SYSCALL_FUTEX) {
		lock_left(ctx, regs, call, result, ns);
	} else {
		who_fill(task, record, &call->who);
		io_left(ctx, task, call, &call->who, result, ns);
	}
	call->start_ns = 0;
	return 0;
}
