/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler did to a thread, told in its stream just before the event that found out (docs/trace-format.md, 4.1).
 *
 * The hooks compare the slot's `changes` after they have read the clock; when it has moved they call this and read the clock again. So what is told
 * lies before the event, and belongs to the context that was current since the event before. Runs with signals open, like the hooks.
 */
#ifndef CPROF_RT_SCHED_H
#define CPROF_RT_SCHED_H

#include "rt_thread.h"

/* Tells what has changed and takes note of it; does nothing when there is no room in the block (the caller starts again and polls first). */
void rt_sched_tell(struct rt_tls *tls);
/* For a thread that begins: sums count from here. Signals blocked. */
void rt_sched_begin(struct rt_tls *tls);
/* For a strand that goes on after another has run: its sums do, too, from here. Signals blocked. */
void rt_sched_resume(struct rt_tls *tls);

#endif
