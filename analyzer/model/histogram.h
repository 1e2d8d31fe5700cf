/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Distributions of call durations, small enough to keep one per context and cheap enough to feed with every call.
 *
 * Buckets are log-linear: exact below 128, then 64 to an octave, so none is wider than 1/64 of its value. The bucket of a context that was
 * called a few times is only logged; after that its counters are a dense window over the buckets it has seen, which grows as it must.
 * The fast path is inline for the decode loop of call_tally.c and must not become slower.
 */
#ifndef CPROF_HISTOGRAM_H
#define CPROF_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram_store.h"

enum {
	HISTOGRAM_OCTAVE_BITS = 6,
	HISTOGRAM_BUCKETS = 58 << HISTOGRAM_OCTAVE_BITS | 64, /* bucket of UINT64_MAX, plus 1 */
	HISTOGRAM_LOG_ITEMS = 28,
};

static inline uint32_t histogram_bucket(uint64_t ticks)
{
	uint32_t shift = 57 - (uint32_t)__builtin_clzll(ticks | 64);

	return (shift << HISTOGRAM_OCTAVE_BITS) + (uint32_t)(ticks >> shift);
}

/* The largest value that falls into bucket. */
uint64_t histogram_upper_bound(uint32_t bucket);

struct histogram { /* zero-initialised is empty */
	union {
		uint32_t *counts; /* nr > 0: counts[bucket - first] */
		uint16_t *log;    /* nr == 0: the buckets of the first `logged` calls; NULL before the first */
	};
	uint16_t first, nr;
	uint16_t logged;
};

enum histogram_result { HISTOGRAM_OK, HISTOGRAM_CARRY, HISTOGRAM_NO_MEMORY };

/* The memory is the store's, always the same one. HISTOGRAM_CARRY: the bucket's counter passed 2^32 and is 0 again; the caller notes it (histogram_sum_add_count()). */
enum histogram_result histogram_add_slow(struct histogram *histogram, struct histogram_store *store, uint32_t bucket);
static inline enum histogram_result histogram_add(struct histogram *histogram, struct histogram_store *store, uint32_t bucket)
{
	uint32_t index = bucket - histogram->first;

	if (__builtin_expect(index >= histogram->nr, 0))
		return histogram_add_slow(histogram, store, bucket);
	return __builtin_expect(++histogram->counts[index] == 0, 0) ? HISTOGRAM_CARRY : HISTOGRAM_OK;
}

/* Sums of histograms, with counters that cannot wrap. */
struct histogram_sum { /* zero-initialised is empty */
	uint64_t *counts;    /* of the buckets from first on */
	uint32_t first, nr;
	uint32_t low, end;   /* buckets outside are 0 */
	uint64_t total;
};

bool histogram_sum_add(struct histogram_sum *sum, const struct histogram *histogram); /* false: no memory; sum is unchanged */
bool histogram_sum_add_count(struct histogram_sum *sum, uint32_t bucket, uint64_t count);
bool histogram_sum_add_sum(struct histogram_sum *sum, const struct histogram_sum *other);
void histogram_sum_reset(struct histogram_sum *sum); /* empty again; keeps its memory */
void histogram_sum_deinit(struct histogram_sum *sum);
/*
 * For each of percents (ascending) the smallest bucket bound that at least so many percent of the values do not exceed; 0 when there are
 * no values.
 */
void histogram_sum_percentiles(const struct histogram_sum *sum, const uint32_t *percents, uint64_t *bounds, size_t count);

#endif
