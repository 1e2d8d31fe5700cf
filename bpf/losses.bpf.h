/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counters of what the BPF programs made and lost. Nothing is dropped anywhere without one of them: produced = received + lost, exactly.
 */
#ifndef CPROF_LOSSES_BPF_H
#define CPROF_LOSSES_BPF_H

#include "kernel_types.bpf.h"
#include "record_shared.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

/* Atomic, because an interrupt's program may come between. */
static __always_inline void counter_add(__u32 counter, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		__sync_fetch_and_add(value, n);
}

/* The same with interrupts off: nothing can come between, and nobody else adds to this CPU's. */
static __always_inline void counter_add_unshared(__u32 counter, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		*value += n;
}

#endif
