/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sums of time off the CPU, kept by CPU: the scheduler's programs run with interrupts off, so plain additions are enough where sums of all CPUs
 * need atomic ones. Those were more than a third of what a switch cost.
 *
 * Two copies like those of sums.bpf.h, turned with them. A place is its key's from its first event in a window to the window's end; whoever finds
 * his two places taken goes to the sums of all CPUs. cprof-record adds both up (sums_drain.c): nobody else sees that there are two kinds.
 */
#ifndef CPROF_SWITCH_SUMS_BPF_H
#define CPROF_SWITCH_SUMS_BPF_H

#include "context.bpf.h"
#include "sums.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* cprof-record sets it: settings.switch_sums for each copy of each CPU */
	__type(key, __u32);
	__type(value, struct switch_sums);
} switch_sums SEC(".maps");

static __always_inline void switch_time_add(struct switch_time *time, __u64 ns)
{
	time->ns += ns;
	if (ns > time->max_ns)
		time->max_ns = ns;
	time->histogram[log2_of(ns) & (CPROF_SUM_BUCKETS - 1)]++;
}

/* Its place if it has one or can have one. */
static __always_inline struct switch_sums *switch_sums_at(__u32 index, const struct cprof_who *who, __u32 blocked_class, __u64 stack)
{
	struct switch_sums *sums = bpf_map_lookup_elem(&switch_sums, &index);

	if (!sums)
		return NULL;
	if (!sums->used) {
		sums->who = *who;
		sums->blocked_class = blocked_class;
		sums->stack = stack;
		sums->used = 1;
		return sums;
	}
	if (sums->who.context != who->context || sums->who.tgid != who->tgid || sums->blocked_class != blocked_class || sums->stack != stack ||
	    sums->who.generation != who->generation || sums->who.quality != who->quality)
		return NULL;
	return sums;
}

/* One interval, with interrupts off. false: there is no place for it here. */
static __always_inline bool switch_sums_add(const struct cprof_who *who, __u32 blocked_class, __u64 stack, __u64 blocked_ns, __u64 runq_ns)
{
	__u32 copy = bpf_get_smp_processor_id() * 2 + (sums_active & 1), mask = settings.switch_sums - 1, at;
	struct switch_sums *sums;

	if (!blocked_ns && !runq_ns)
		return true;
	if (!blocked_ns)
		blocked_class = CPROF_BLOCKED_COUNT; /* all that could run are one sum */
	at = (who->context ^ who->tgid ^ (__u32)stack ^ blocked_class << 13) * 0x9E3779B1u >> 8;
	sums = switch_sums_at(copy * settings.switch_sums + (at & mask), who, blocked_class, stack);
	if (!sums)
		sums = switch_sums_at(copy * settings.switch_sums + ((at ^ 1) & mask), who, blocked_class, stack);
	if (!sums)
		return false;
	if (blocked_ns)
		switch_time_add(&sums->blocked, blocked_ns);
	if (runq_ns)
		switch_time_add(&sums->runq, runq_ns);
	counter_add_unshared(COUNTER_SUMS_ADDED, (blocked_ns != 0) + (runq_ns != 0));
	return true;
}

#endif
