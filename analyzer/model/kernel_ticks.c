/* SPDX-License-Identifier: BSD-2-Clause */
/* See kernel_ticks.h. */
#include "kernel_ticks.h"

uint64_t kernel_ticks(const struct trace *trace, uint64_t monotonic_ns)
{
	const struct trace_tables *tables = trace_tables(trace);
	double hz = trace_clock_hz(trace);
	long double ticks;

	if (!tables->nr_clocks && trace_meta(trace)->fixed.clock_source == CPROF_CLOCK_MONOTONIC_NS)
		return monotonic_ns;
	if (!tables->nr_clocks || !(hz > 0))
		return 0;
	ticks = (long double)tables->clocks[0].tsc + ((long double)monotonic_ns - (long double)tables->clocks[0].monotonic_ns) * (long double)hz / 1e9L;
	return ticks < 0 ? 0 : ticks > 4e18L ? UINT64_C(4000000000000000000) : (uint64_t)ticks;
}

uint64_t kernel_ns(const struct trace *trace, uint64_t ticks)
{
	const struct trace_tables *tables = trace_tables(trace);
	double hz = trace_clock_hz(trace);
	long double ns;

	if (!tables->nr_clocks && trace_meta(trace)->fixed.clock_source == CPROF_CLOCK_MONOTONIC_NS)
		return ticks;
	if (!tables->nr_clocks || !(hz > 0))
		return 0;
	ns = (long double)tables->clocks[0].monotonic_ns + ((long double)ticks - (long double)tables->clocks[0].tsc) * 1e9L / (long double)hz;
	return ns < 0 ? 0 : ns > 1.8e19L ? UINT64_MAX : (uint64_t)ns;
}
