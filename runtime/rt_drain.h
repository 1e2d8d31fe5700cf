/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Draining: full blocks become EVENTS chunks of the trace, off the hot path.
 *
 * Normally a thread of our own does it; a guest thread that finds no free block drains one itself instead of waiting. Bound by the
 * hooks' rules: no malloc, stdio or lock of the host, plain system calls, under 1 KB of stack. All signals are blocked.
 */
#ifndef CPROF_RT_DRAIN_H
#define CPROF_RT_DRAIN_H

#include <stdbool.h>

#include "rt_thread.h"
#include "rt_writer.h"

/* Drains what can be drained now. Returns whether at least one block became free. final: settle unfinished events too. */
bool rt_drain_thread_blocks(struct rt_thread *thread, bool final);
bool rt_drain_any(bool final);

/* There is work: wakes our thread, starts it if it may run. */
void rt_drain_wake(void);
/* Ends our thread and waits for that (finish; before calls that need a single-threaded process). */
void rt_drain_stop(void);
void rt_drain_reset(void); /* in a fork's child */

/* Scratch for chunks that are not events. NULL when there is no memory. One user at a time: start and finish. */
struct rt_frame_buffer *rt_drain_frame(size_t payload_bytes);

#endif
