/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_COUNTS = 16 }; /* a window starts and ends at whole cache lines */

_Static_assert(LINE_COUNTS * sizeof(uint32_t) == HISTOGRAM_STORE_LINE, "a line is one of the store's");
_Static_assert(HISTOGRAM_LOG_ITEMS * sizeof(uint16_t) <= HISTOGRAM_STORE_LINE, "a log fits into one");
_Static_assert(HISTOGRAM_BUCKETS <= HISTOGRAM_STORE_MAX_LINES * LINE_COUNTS, "the store has room for the widest window");

uint64_t histogram_upper_bound(uint32_t bucket)
{
	uint32_t shift = bucket < 128 ? 0 : (bucket >> HISTOGRAM_OCTAVE_BITS) - 1;
	uint64_t lead = bucket - ((uint64_t)shift << HISTOGRAM_OCTAVE_BITS);

	return ((lead + 1) << shift) - 1;
}

static void bucket_range(const uint16_t *buckets, uint32_t nr, uint32_t *low, uint32_t *high)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (buckets[i] < *low)
			*low = buckets[i];
		if (buckets[i] > *high)
			*high = buckets[i];
	}
}

/* A window of counters over [low, high], which holds what was counted or logged before. */
static bool window_make(struct histogram *histogram, struct histogram_store *store, uint32_t low, uint32_t high)
{
	uint32_t first = low / LINE_COUNTS * LINE_COUNTS;
	uint32_t nr = (high / LINE_COUNTS + 1) * LINE_COUNTS - first;
	uint32_t *counts = histogram_store_alloc(store, nr / LINE_COUNTS);

	if (!counts)
		return false;
	memset(counts, 0, nr * sizeof *counts);
	if (histogram->nr)
		memcpy(counts + (histogram->first - first), histogram->counts, histogram->nr * sizeof *counts);
	else
		for (uint32_t i = 0; i < histogram->logged; i++)
			counts[histogram->log[i] - first]++;
	histogram_store_release(store, histogram->counts, histogram->nr ? histogram->nr / LINE_COUNTS : 1);
	histogram->counts = counts;
	histogram->first = (uint16_t)first;
	histogram->nr = (uint16_t)nr;
	histogram->logged = 0;
	return true;
}

enum histogram_result histogram_add_slow(struct histogram *histogram, struct histogram_store *store, uint32_t bucket)
{
	uint32_t low = bucket, high = bucket;

	if (!histogram->nr) {
		if (!histogram->log && !(histogram->log = histogram_store_alloc(store, 1)))
			return HISTOGRAM_NO_MEMORY;
		if (histogram->logged < HISTOGRAM_LOG_ITEMS) {
			histogram->log[histogram->logged++] = (uint16_t)bucket;
			return HISTOGRAM_OK;
		}
		bucket_range(histogram->log, histogram->logged, &low, &high);
	} else {
		if (histogram->first < low)
			low = histogram->first;
		if (histogram->first + histogram->nr - 1u > high)
			high = histogram->first + histogram->nr - 1u;
	}
	if (!window_make(histogram, store, low, high))
		return HISTOGRAM_NO_MEMORY;
	return ++histogram->counts[bucket - histogram->first] ? HISTOGRAM_OK : HISTOGRAM_CARRY;
}

/* Makes [low, end) countable. */
static bool sum_reserve(struct histogram_sum *sum, uint32_t low, uint32_t end)
{
	if (sum->low != sum->end) {
		low = sum->low < low ? sum->low : low;
		end = sum->end > end ? sum->end : end;
	}
	if (low < sum->first || end > sum->first + sum->nr) {
		uint32_t octave = 1u << HISTOGRAM_OCTAVE_BITS; /* by whole ones, so that it seldom grows */
		uint32_t first = sum->nr && sum->first < low ? sum->first : low / octave * octave;
		uint32_t window_end = sum->first + sum->nr > end ? sum->first + sum->nr : (end + octave - 1) / octave * octave;
		uint64_t *counts = calloc(window_end - first, sizeof *counts);

		if (!counts)
			return false;
		if (sum->nr)
			memcpy(counts + (sum->first - first), sum->counts, sum->nr * sizeof *counts);
		free(sum->counts);
		sum->counts = counts;
		sum->first = first;
		sum->nr = window_end - first;
	}
	sum->low = low;
	sum->end = end;
	return true;
}

bool histogram_sum_add(struct histogram_sum *sum, const struct histogram *histogram)
{
	if (histogram->nr) {
		if (!sum_reserve(sum, histogram->first, (uint32_t)histogram->first + histogram->nr))
			return false;
		uint64_t *counts = sum->counts + (histogram->first - sum->first), total = 0;
		for (uint32_t i = 0; i < histogram->nr; i++) { /* several at once: total is no memory that counts could be */
			counts[i] += histogram->counts[i];
			total += histogram->counts[i];
		}
		sum->total += total;
		return true;
	}
	if (!histogram->logged)
		return true;

	uint32_t low = HISTOGRAM_BUCKETS, high = 0;

	bucket_range(histogram->log, histogram->logged, &low, &high);
	if (!sum_reserve(sum, low, high + 1))
		return false;
	for (uint32_t i = 0; i < histogram->logged; i++)
		sum->counts[histogram->log[i] - sum->first]++;
	sum->total += histogram->logged;
	return true;
}

bool histogram_sum_add_count(struct histogram_sum *sum, uint32_t bucket, uint64_t count)
{
	if (!sum_reserve(sum, bucket, bucket + 1))
		return false;
	sum->counts[bucket - sum->first] += count;
	sum->total += count;
	return true;
}

bool histogram_sum_add_sum(struct histogram_sum *sum, const struct histogram_sum *other)
{
	if (!other->total)
		return true;
	if (!sum_reserve(sum, other->low, other->end))
		return false;
	for (uint32_t bucket = other->low; bucket < other->end; bucket++)
		sum->counts[bucket - sum->first] += other->counts[bucket - other->first];
	sum->total += other->total;
	return true;
}

void histogram_sum_reset(struct histogram_sum *sum)
{
	if (sum->low < sum->end)
		memset(sum->counts + (sum->low - sum->first), 0, (sum->end - sum->low) * sizeof *sum->counts);
	sum->low = sum->end = 0;
	sum->total = 0;
}

void histogram_sum_deinit(struct histogram_sum *sum)
{
	free(sum->counts);
	*sum = (struct histogram_sum){ 0 };
}

void histogram_sum_percentiles(const struct histogram_sum *sum, const uint32_t *percents, uint64_t *bounds, size_t count)
{
	uint64_t seen = 0;
	size_t i = 0;

	for (uint32_t bucket = sum->low; i < count && bucket < sum->end; bucket++) {
		seen += sum->counts[bucket - sum->first];
		/* The value of rank ceil(total * percent / 100), without overflow. */
		while (i < count && sum->total && seen >= sum->total / 100 * percents[i] + (sum->total % 100 * percents[i] + 99) / 100)
			bounds[i++] = histogram_upper_bound(bucket);
	}
	while (i < count)
		bounds[i++] = 0;
}
