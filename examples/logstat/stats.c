/* SPDX-License-Identifier: BSD-2-Clause */
/* The sort is a quicksort with an insertion sort at the bottom: recursion for the profiler to fold. */
#include "stats.h"

#include <stdlib.h>

#include "arena.h"

static void latencies_append(struct stats *stats, uint32_t latency_us)
{
	if (stats->requests == stats->capacity) {
		stats->capacity = stats->capacity ? stats->capacity * 2 : 16;
		stats->latencies_us = must_grow(stats->latencies_us, stats->capacity * sizeof(*stats->latencies_us));
	}
	stats->latencies_us[stats->requests++] = latency_us;
}

void stats_add(struct stats *stats, uint32_t status, uint32_t sent_bytes, uint32_t latency_us)
{
	latencies_append(stats, latency_us);
	stats->errors += status >= 400;
	stats->sent_bytes += sent_bytes;
}

void stats_merge(struct stats *into, const struct stats *from)
{
	for (uint64_t i = 0; i < from->requests; i++)
		latencies_append(into, from->latencies_us[i]);
	into->errors += from->errors;
	into->sent_bytes += from->sent_bytes;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t kept = *a;

	*a = *b;
	*b = kept;
}

static void insertion_sort(uint32_t *values, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t j = i; j > 0 && values[j - 1] > values[j]; j--)
			swap(&values[j - 1], &values[j]);
	}
}

static size_t partition(uint32_t *values, size_t count)
{
	size_t stored = 0;

	swap(&values[count / 2], &values[count - 1]);
	for (size_t i = 0; i + 1 < count; i++) {
		if (values[i] < values[count - 1]) {
			if (i != stored)
				swap(&values[i], &values[stored]);
			stored++;
		}
	}
	swap(&values[stored], &values[count - 1]);
	return stored;
}

static void quick_sort(uint32_t *values, size_t count)
{
	size_t middle;

	if (count <= 12) {
		insertion_sort(values, count);
		return;
	}
	middle = partition(values, count);
	quick_sort(values, middle);
	quick_sort(values + middle + 1, count - middle - 1);
}

void stats_sort(struct stats *stats)
{
	quick_sort(stats->latencies_us, stats->requests);
}

uint32_t stats_percentile(const struct stats *stats, unsigned percent)
{
	if (!stats->requests)
		return 0;
	return stats->latencies_us[(stats->requests - 1) * percent / 100];
}

void stats_deinit(struct stats *stats)
{
	free(stats->latencies_us);
}
