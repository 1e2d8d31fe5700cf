/* SPDX-License-Identifier: BSD-2-Clause */
/* CLOCK_MONOTONIC in ns: the clock of all kernel records. */
#ifndef CPROF_RECORD_CLOCK_H
#define CPROF_RECORD_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t record_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
