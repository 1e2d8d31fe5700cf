/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Page faults: counted in the thread's slot at once, and by context when it is known whether a page had to be read (major). */
#include "thread_totals.bpf.h"

static __always_inline void fault_count(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_record *record = task_find(task);
	struct cprof_slot *slot;

	if (!record || task->pagefault_disabled) /* a probe, perhaps ours, looks at memory that may not be there */
		return;
	record->faults++;
	slot = slot_of(task, record);
	if (slot) {
		slot->faults++;
		barrier();
		(*(volatile __u32 *)&slot->changes)++;
	}
	fault_settle(task, record);
	who_fill(task, record, &record->fault_who);
	record->fault_stack = record->fault_who.quality >= CPROF_QUALITY_UNREGISTERED ? stack_current(ctx, SCRATCH_FAULT, false) : 0;
	record->major_pending = 1;
}

SEC("tp_btf/page_fault_user")
int BPF_PROG(fault_user, unsigned long address)
{
	fault_count(ctx);
	return 0;
}

/* The kernel's own access to the process's memory, in a system call. */
SEC("tp_btf/page_fault_kernel")
int BPF_PROG(fault_kernel, unsigned long address)
{
	if (!(address >> 47))
		fault_count(ctx);
	return 0;
}
