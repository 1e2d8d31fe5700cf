/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sums of one window by key (KERNEL_SUMS), made here so that frequent events cost no transport.
 *
 * There are two copies. cprof-record turns `sums_active`, waits until no program runs that has seen the old value, and takes the other copy away:
 * so each event is in exactly one window. Keys are zeroed by the caller (sum_key_init).
 */
#ifndef CPROF_SUMS_BPF_H
#define CPROF_SUMS_BPF_H

#include "losses.bpf.h"

struct sums_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384); /* cprof-record sets it */
	__type(key, struct cprof_kernel_sum_key);
	__type(value, struct cprof_kernel_sum_value);
};
struct sums_map sums_even SEC(".maps"), sums_odd SEC(".maps");
volatile __u32 sums_active;
volatile __u32 sums_keys[2]; /* keys that have come into a copy; cprof-record empties it before it is full, and sets it back */
const struct cprof_kernel_sum_value sum_zero;

/* A function of its own, and not static: the kernel proves it once, and not again on each of its ways through whoever calls it. */
__attribute__((noinline)) __u32 log2_of(__u64 value)
{
	__u32 log = 0;

	if (value >> 31)
		return CPROF_SUM_BUCKETS - 1;
	for (__u32 bits = 16; bits; bits >>= 1) {
		if (value >> bits) {
			value >>= bits;
			log += bits;
		}
	}
	return log;
}

static __always_inline void sum_key_init(struct cprof_kernel_sum_key *key, const struct cprof_who *who, __u32 kind, __u32 sub)
{
	__builtin_memset(key, 0, sizeof *key);
	key->who = *who;
	key->who.tid = 0;
	key->kind = kind;
	key->sub = sub;
}

static __always_inline void sum_max(__u64 *max, __u64 value)
{
	__u64 seen = *max;

	for (int tries = 0; tries < 8 && value > seen; tries++) { /* each failure means that another CPU raised it */
		__u64 was = __sync_val_compare_and_swap(max, seen, value);

		if (was == seen)
			break;
		seen = was;
	}
}

static __always_inline void sum_add_to(void *map, volatile __u32 *keys, const struct cprof_kernel_sum_key *key, __u64 ns, __u64 bytes)
{
	struct cprof_kernel_sum_value *value = bpf_map_lookup_elem(map, key);

	if (!value) {
		if (!bpf_map_update_elem(map, key, &sum_zero, BPF_NOEXIST))
			__sync_fetch_and_add(keys, 1);
		value = bpf_map_lookup_elem(map, key);
	}
	counter_add(COUNTER_SUMS_ADDED, 1);
	if (!value) {
		counter_add(COUNTER_SUMS_LOST, 1);
		return;
	}
	__sync_fetch_and_add(&value->count, 1);
	if (bytes)
		__sync_fetch_and_add(&value->bytes, bytes);
	if (ns) {
		__sync_fetch_and_add(&value->ns, ns);
		sum_max(&value->max_ns, ns);
	}
	__sync_fetch_and_add(&value->histogram[log2_of(ns) & (CPROF_SUM_BUCKETS - 1)], 1);
}

/* One event. A function of its own, as log2_of is. */
__attribute__((noinline)) int sum_add(const struct cprof_kernel_sum_key *key, __u64 ns, __u64 bytes)
{
	if (!key) /* which only the kernel can think of */
		return 0;
	if (sums_active & 1)
		sum_add_to(&sums_odd, &sums_keys[1], key, ns, bytes);
	else
		sum_add_to(&sums_even, &sums_keys[0], key, ns, bytes);
	return 0;
}

#endif
