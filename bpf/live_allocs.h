/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocations of programs with the interposer: their sums stand in their own live files, from which they are read with each window. Pure: whoever reads them
 * says them here, and what they have grown by goes into the model beside the rest.
 */
#ifndef CPROF_LIVE_ALLOCS_H
#define CPROF_LIVE_ALLOCS_H

#include "live_model.h"

struct live_allocs {
	struct live_table sums;      /* by place */
	struct live_table processes; /* that were read */
	uint64_t dropped;
};

void live_allocs_init(struct live_allocs *allocs);
void live_allocs_deinit(struct live_allocs *allocs);

/* false: it has ended and was read since. */
bool live_allocs_is_wanted(const struct live_allocs *allocs, uint32_t tgid, uint32_t generation);
/*
 * All records of a process, as they are now. A place's sums never shrink; those that did are not believed. earlier: the first time, what is there was
 * allocated before the recording and does not count. last: it has ended.
 */
void live_allocs_read(struct live_allocs *allocs, uint32_t tgid, uint32_t generation, const struct cprof_alloc *records, size_t nr,
		      bool earlier, bool last);
/* Adds all sums, and what they have grown by since the last time. */
void live_allocs_apply(struct live_allocs *allocs, struct live_model *model);

#endif
