/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums of calls by key, and single records of the long ones, in the recorder's memory. Safe in signal handlers, in any number of threads
 * and processes.
 */
#ifndef CPROF_CALLS_SUMS_H
#define CPROF_CALLS_SUMS_H

#include <stdint.h>
#include <time.h>

#include "calls_next.h"
#include "kernel_format.h"
#include "rt_sys.h"

static inline uint64_t calls_now_ns(void)
{
	struct timespec now;

	if (!calls_next.clock || calls_next.clock(CLOCK_MONOTONIC, &now))
		rt_sys(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t calls_hash(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
	return hash ^ hash >> 32;
}

/* Padding and unused members of the key are 0. */
void calls_sums_add(const struct cprof_kernel_sum_key *key, uint64_t ns, uint64_t bytes);
/* One of both, NULL the other. */
void calls_sums_record(const struct cprof_kernel_io *io, const struct cprof_kernel_lock *lock);

#endif
