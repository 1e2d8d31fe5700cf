/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of the kernel's clock as ticks of a trace's; see session.h. */
#include "session.h"

/* The last pair that is not after the time. Pairs of a sound trace are in order of both clocks. */
static size_t pair_before(const struct trace_tables *tables, uint64_t monotonic_ns)
{
	size_t low = 0, high = tables->nr_clocks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->clocks[middle].monotonic_ns <= monotonic_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

uint64_t trace_ticks_at(const struct trace *trace, uint64_t monotonic_ns)
{
	const struct trace_tables *tables = trace_tables(trace);
	long double ticks_per_ns = (long double)trace_clock_hz(trace) / 1e9L, ticks;
	size_t at;

	if (!tables->nr_clocks)
		return trace_meta(trace)->fixed.clock_source == CPROF_CLOCK_MONOTONIC_NS ? monotonic_ns : 0;
	at = pair_before(tables, monotonic_ns);
	const struct cprof_clock *from = &tables->clocks[at];

	if (at + 1 < tables->nr_clocks && from[1].monotonic_ns > from->monotonic_ns && from[1].tsc > from->tsc)
		ticks_per_ns = (long double)(from[1].tsc - from->tsc) / (long double)(from[1].monotonic_ns - from->monotonic_ns);
	ticks = (long double)from->tsc + ((long double)monotonic_ns - (long double)from->monotonic_ns) * ticks_per_ns;
	return ticks < 0 ? 0 : ticks > 4e18L ? UINT64_C(4000000000000000000) : (uint64_t)ticks;
}
