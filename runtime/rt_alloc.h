/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcprof's end of the allocation interposer (alloc/): tells it when recording starts, and puts its sums into the trace. Does nothing without it.
 */
#ifndef CPROF_RT_ALLOC_H
#define CPROF_RT_ALLOC_H

#include <stdbool.h>

/* Recording has started, or gone on in a forked child, with the calling thread as it is now. Signals blocked. */
void rt_alloc_start(void);
/* Around a fork, on the thread that makes it. */
void rt_alloc_before_fork(void);
void rt_alloc_after_fork_in_child(void);
/* The ALLOC chunk, and what it lacks as LOSS. false when recording has failed. At the end of the process. */
bool rt_alloc_put(void);

#endif
