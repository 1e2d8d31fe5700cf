/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of equal keys become one: what several CPUs have added up for the same context. */
#ifndef CPROF_SUMS_MERGE_H
#define CPROF_SUMS_MERGE_H

#include <stdbool.h>
#include <stddef.h>

#include "kernel_format.h"

struct sums_merge { /* all 0: empty */
	struct cprof_kernel_sum *sums;
	size_t count, capacity;
	uint32_t *places;            /* open addressing: index + 1 into sums; 0: free */
	size_t nr_places;            /* a power of 2, or 0 */
};

/* false: no memory, and nothing was added. */
bool sums_merge_add(struct sums_merge *merge, const struct cprof_kernel_sum *sum);
void sums_merge_clear(struct sums_merge *merge);
void sums_merge_deinit(struct sums_merge *merge);

#endif
