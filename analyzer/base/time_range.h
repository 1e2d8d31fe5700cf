/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stretch of a run as people write it: "A:B", each "10ms", "1.5s", "250us", "700" (ns) or "40%" of the run, from its start; A or B may be left out.
 * Half open: what happens at B is outside.
 */
#ifndef CPROF_TIME_RANGE_H
#define CPROF_TIME_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct time_point {
	bool given, percent;
	long double value; /* ns, or percent */
};

struct time_range {
	struct time_point from, to;
};

/* text may be NULL: everything. option names it in the error. */
struct cprof_error *time_range_parse(const char *option, const char *text, struct time_range *ret) CPROF_MUST_CHECK;
/* [*from, *to) on a clock that runs from start_ticks to end_ticks. hz 0: a tick is taken for a ns. */
void time_range_ticks(const struct time_range *range, uint64_t start_ticks, uint64_t end_ticks, double hz, uint64_t *from, uint64_t *to);

#endif
