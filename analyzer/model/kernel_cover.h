/* SPDX-License-Identifier: BSD-2-Clause */
/* From when to when is it known what the scheduler did to a process's threads? */
#ifndef CPROF_KERNEL_COVER_H
#define CPROF_KERNEL_COVER_H

#include "session.h"

struct kernel_cover {
	bool timed;              /* recorded without BPF: what is known is put in by time; nothing of coroutines */
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC; 0: from its start, UINT64_MAX: to its end */
};

/* Of a process that has slots, or a kernel half. */
struct kernel_cover kernel_cover_of(const struct session *session, size_t trace);

#endif
