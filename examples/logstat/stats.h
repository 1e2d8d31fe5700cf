/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of one path of the site: requests, errors, bytes and its latencies, from which percentiles come. */
#ifndef STATS_H
#define STATS_H

#include <stddef.h>
#include <stdint.h>

struct stats {
	uint64_t requests, errors, sent_bytes;
	uint32_t *latencies_us;
	size_t capacity;
};

void stats_add(struct stats *stats, uint32_t status, uint32_t sent_bytes, uint32_t latency_us);
void stats_merge(struct stats *into, const struct stats *from);
/* Sorts the latencies; then percentile p (0..100) is one look-up. */
void stats_sort(struct stats *stats);
uint32_t stats_percentile(const struct stats *stats, unsigned percent);
void stats_deinit(struct stats *stats);

#endif
