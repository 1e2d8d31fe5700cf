/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls of followed threads, from their begin to their end: file I/O (io.bpf.h) and waits for locks (lock.bpf.h).
 *
 * Attached, these programs cost every process of the machine some ns per system call. So they are only where a source needs them, and a call of no
 * interest leaves after one look into a table.
 */
#include "syscall.bpf.h"

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_entered, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u8 kind = syscall_kind_of(number);
	struct syscall_state *call;
	struct task_record *record;
	__u64 now;

	if (!kind) {
		syscall_registers(regs, number);
		return 0;
	}
	if (kind == SYSCALL_FUTEX ? !settings.locks : !settings.io)
		return 0;
	record = task_find(task);
	if (!record)
		return 0;
	now = bpf_ktime_get_ns();
	call = &record->call;
	call->number = (__u16)number;
	call->kind = kind;
	if (kind != SYSCALL_FUTEX)
		io_entered(task, record, regs, call);
	else if (!lock_entered(task, record, regs, call))
		return 0;
	call->start_ns = now; /* last: now it may be looked at */
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_left, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u8 kind = syscall_kind_of(regs->orig_ax);
	struct syscall_state *call;
	struct task_record *record;
	__u64 start_ns, ns;

	if (!kind || (kind == SYSCALL_FUTEX ? !settings.locks : !settings.io))
		return 0;
	record = bpf_task_storage_get(&tasks, task, 0, 0);
	if (!record || !record->call.start_ns) /* not followed, or it began before the recording did */
		return 0;
	call = &record->call;
	start_ns = __sync_lock_test_and_set(&call->start_ns, 0);
	if (!start_ns) /* the end of the recording has taken it */
		return 0;
	ns = bpf_ktime_get_ns() - start_ns;
	if (kind == SYSCALL_FUTEX)
		lock_left(ctx, call, start_ns, ns, result);
	else
		io_left(ctx, task, regs, call, start_ns, ns, result);
	return 0;
}
