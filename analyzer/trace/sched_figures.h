/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCHED escapes of one thread (docs/trace-format.md 4.1) as what each figure has grown by. Payloads are hostile: a sum that shrinks is counted, and
 * grows from there on.
 */
#ifndef CPROF_SCHED_FIGURES_H
#define CPROF_SCHED_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_format.h"

#define SCHED_FIGURES 15u /* kinds below CPROF_SCHED_HIGH */

struct sched_figures { /* zero-initialised: at the thread's beginning */
	uint64_t sums[SCHED_FIGURES];
	uint64_t high;      /* bits of the next one's value from 28 up */
	uint32_t unknown;   /* figures, as bits, of which a part fell into a hole: what they grow by next is nobody's */
	uint64_t shrunk;    /* sums that were smaller than before */
};

/* A part of the thread's events is missing. */
static inline void sched_figures_hole(struct sched_figures *figures)
{
	figures->high = 0;
	figures->unknown = (1u << SCHED_FIGURES) - 1;
}

/* False: nothing can be said yet, or nothing has changed. */
static inline bool sched_figures_take(struct sched_figures *figures, uint32_t payload, uint32_t *figure, uint64_t *growth)
{
	uint32_t kind = payload >> CPROF_SCHED_VALUE_BITS, low = payload & ((1u << CPROF_SCHED_VALUE_BITS) - 1);
	uint64_t sum, before;
	bool known;

	if (kind == CPROF_SCHED_HIGH) {
		figures->high = (uint64_t)low << CPROF_SCHED_VALUE_BITS;
		return false;
	}
	sum = figures->high | low;
	before = figures->sums[kind];
	known = !(figures->unknown & 1u << kind);
	figures->high = 0;
	figures->unknown &= ~(1u << kind);
	figures->sums[kind] = sum;
	figures->shrunk += sum < before;
	if (!known || sum <= before)
		return false;
	*figure = kind;
	*growth = sum - before;
	return true;
}

#endif
