/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_sums.h"

#include <stdbool.h>
#include <string.h>

#include "calls_memory.h"

static uint32_t hash_of(const struct cprof_kernel_sum_key *key)
{
	uint64_t words[sizeof *key / 8], hash = 0;

	_Static_assert(sizeof words == sizeof *key, "a key is made of words");
	memcpy(words, key, sizeof words);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		hash = calls_hash(hash, words[i]);
	return (uint32_t)hash | 1;
}

/* NULL: all places it might have are others'. */
static struct cprof_kernel_sum *find(const struct cprof_kernel_sum_key *key)
{
	uint32_t hash = hash_of(key), mask = calls_memory.nr_rows - 1;

	for (uint32_t i = 0; i < CPROF_CALLS_PROBES && i <= mask; i++) {
		struct cprof_calls_row *row = &calls_memory.rows[((hash >> 1) + i) & mask];
		uint32_t seen = __atomic_load_n(&row->hash, __ATOMIC_RELAXED);

		if (!seen && __atomic_compare_exchange_n(&row->hash, &seen, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
			row->sum.key = *key;
			__atomic_store_n(&row->ready, 1, __ATOMIC_RELEASE);
			return &row->sum;
		}
		if (seen == hash && __atomic_load_n(&row->ready, __ATOMIC_ACQUIRE) && !memcmp(&row->sum.key, key, sizeof *key))
			return &row->sum;
	}
	return NULL;
}

static uint32_t bucket_of(uint64_t ns)
{
	uint32_t log = 63 - (uint32_t)__builtin_clzll(ns | 1);

	return log < CPROF_SUM_BUCKETS ? log : CPROF_SUM_BUCKETS - 1;
}

void calls_sums_add(const struct cprof_kernel_sum_key *key, uint64_t ns, uint64_t bytes)
{
	struct cprof_kernel_sum *sum = find(key);

	if (unlikely(!sum)) {
		calls_memory_count(&calls_memory.header->rows_full);
		return;
	}
	uint64_t max = __atomic_load_n(&sum->value.max_ns, __ATOMIC_RELAXED);

	while (ns > max && !__atomic_compare_exchange_n(&sum->value.max_ns, &max, ns, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	__atomic_fetch_add(&sum->value.ns, ns, __ATOMIC_RELAXED);
	if (bytes)
		__atomic_fetch_add(&sum->value.bytes, bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sum->value.histogram[bucket_of(ns)], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&sum->value.count, 1, __ATOMIC_RELEASE);
}

/* A number is taken only if its place is free: who reads stops at the first that is not there. */
static struct cprof_calls_record *record_take(uint64_t *number)
{
	struct cprof_calls_header *header = calls_memory.header;
	uint64_t head = __atomic_load_n(&header->records_head, __ATOMIC_RELAXED);

	do {
		if ((int64_t)(head - __atomic_load_n(&header->records_tail, __ATOMIC_ACQUIRE)) >= (int64_t)calls_memory.nr_records) { /* an old head: less than 0 */
			calls_memory_count(&header->records_lost);
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&header->records_head, &head, head + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	*number = head;
	return &calls_memory.records[head & (calls_memory.nr_records - 1)];
}

void calls_sums_record(const struct cprof_kernel_io *io, const struct cprof_kernel_lock *lock)
{
	uint64_t number;
	struct cprof_calls_record *record = record_take(&number);

	if (!record)
		return;
	record->kind = io ? CPROF_CALLS_IO : CPROF_CALLS_LOCKS;
	if (io)
		record->io = *io;
	else
		record->lock = *lock;
	__atomic_store_n(&record->done, number + 1, __ATOMIC_RELEASE);
}
