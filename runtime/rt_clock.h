/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of the hooks, and the pairs that tie it to CLOCK_MONOTONIC.
 *
 * x86-64: the TSC (constant and nonstop on every CPU of the last 15 years; rt_clock_is_steady() asks). aarch64: the virtual counter.
 */
#ifndef CPROF_RT_CLOCK_H
#define CPROF_RT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "trace_format.h"

static inline uint64_t rt_clock_ticks(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

#if defined(__x86_64__)
#define RT_CLOCK_SOURCE CPROF_CLOCK_TSC
#else
#define RT_CLOCK_SOURCE CPROF_CLOCK_CNTVCT
#endif

bool rt_clock_is_steady(void);
/* Reads all clocks together; the closest of a few tries. */
struct cprof_clock rt_clock_pair(void);

#endif
