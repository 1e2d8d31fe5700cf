/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Stacks, each sent once and then named by a key (a 64-bit hash of its addresses).
 *
 * The kernel's own stack map loses a stack, or shows another's, when two fall into one bucket. Here a stack is new when its key is, and goes to
 * the ring at once; when it cannot, its key is taken back so that the next time it is tried again.
 *
 * Scratch memory is one per place that can interrupt another: give yours a number in enum stack_scratch.
 */
#ifndef CPROF_STACKS_BPF_H
#define CPROF_STACKS_BPF_H

#include "ring.bpf.h"

enum stack_scratch { SCRATCH_SAMPLE, SCRATCH_SCHED, SCRATCH_FAULT, SCRATCH_SYSCALL, SCRATCH_UPROBE, SCRATCH_COUNT };

struct stack_record {
	struct ring_head head;
	struct cprof_kernel_stack stack;
	__u64 ip[CPROF_STACK_DEPTH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_COUNT);
	__type(key, __u32);
	__type(value, struct stack_record);
} stack_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, __u64);
	__type(value, __u32);
} stack_keys SEC(".maps");

/* bytes: what a bpf_get_stack helper returned for record->ip. 0: no stack. */
static __always_inline __u64 stack_intern(struct stack_record *record, long bytes, bool kernel)
{
	__u32 count, one = 1;
	__u64 key;

	if (bytes <= 0) {
		counter_add(COUNTER_STACKS_ERROR, 1);
		return 0;
	}
	count = (__u32)bytes / 8;
	if (count > CPROF_STACK_DEPTH_MAX)
		count = CPROF_STACK_DEPTH_MAX;
	key = count + 1 + (kernel ? 0x4B00 : 0);
	for (__u32 i = 0; i < CPROF_STACK_DEPTH_MAX; i++) {
		if (i >= count)
			break;
		key ^= record->ip[i];
		key *= 0x9E3779B97F4A7C15ull;
		key ^= key >> 32;
	}
	if (!key)
		key = 1;
	if (bpf_map_lookup_elem(&stack_keys, &key))
		return key;
	if (bpf_map_update_elem(&stack_keys, &key, &one, BPF_NOEXIST)) {
		if (bpf_map_lookup_elem(&stack_keys, &key)) /* another CPU was faster */
			return key;
		counter_add(COUNTER_STACKS_FULL, 1);
		return 0;
	}
	record->stack.key = key;
	record->stack.count = count;
	record->stack.flags = kernel;
	if (!ring_output(&record->head, RING_STACK, sizeof record->stack + count * 8)) {
		bpf_map_delete_elem(&stack_keys, &key);
		return 0;
	}
	return key;
}

static __always_inline struct stack_record *stack_scratch_get(__u32 which)
{
	return bpf_map_lookup_elem(&stack_scratch, &which);
}

/* Of the current task, from a program's own context. kernel: the kernel's part, else the user's. */
static __always_inline __u64 stack_current(void *ctx, __u32 which, bool kernel)
{
	struct stack_record *record = stack_scratch_get(which);

	if (!record)
		return 0;
	return stack_intern(record, bpf_get_stack(ctx, record->ip, sizeof record->ip, kernel ? 0 : BPF_F_USER_STACK), kernel);
}

/* The kernel's part of a task that is off the CPU. */
static __always_inline __u64 stack_of_task(struct task_struct *task, __u32 which)
{
	struct stack_record *record = stack_scratch_get(which);

	if (!record)
		return 0;
	return stack_intern(record, bpf_get_task_stack(task, record->ip, sizeof record->ip, 0), true);
}

#endif
