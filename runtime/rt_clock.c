/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_clock.h"

#include <time.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

bool rt_clock_is_steady(void)
{
#if defined(__x86_64__)
	unsigned a, b, c, d;

	/* Advanced power management, EDX bit 8: invariant TSC (Intel SDM 18.17.1, AMD APM 13.2.4). */
	return __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & 1u << 8);
#else
	return true;
#endif
}

static uint64_t ns_of(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now); /* vDSO: no errno on success, no lock */
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct cprof_clock rt_clock_pair(void)
{
	struct cprof_clock best = { .window_ticks = UINT64_MAX };

	for (int tries = 0; tries < 5; tries++) {
		uint64_t before = rt_clock_ticks();
		uint64_t monotonic = ns_of(CLOCK_MONOTONIC);
		uint64_t after = rt_clock_ticks();

		if (after - before < best.window_ticks)
			best = (struct cprof_clock){ before + (after - before) / 2, monotonic, 0, after - before };
	}
	best.realtime_ns = ns_of(CLOCK_REALTIME);
	return best;
}
