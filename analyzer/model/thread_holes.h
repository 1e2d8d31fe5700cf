/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What later chunks tell about the holes of a thread.
 *
 * A chunk names the calls it closes that were open before it. So, where chunks are missing, those that follow say which of the calls that
 * were open before the hole were still open after it, and which were made inside it. Only threads with holes pay for this: a pass of its own
 * over the thread's chunks, which looks at nothing but those names.
 */
#ifndef CPROF_THREAD_HOLES_H
#define CPROF_THREAD_HOLES_H

#include "call_tally.h"
#include "session.h"

struct thread_hole {
	bool at_start;         /* nothing of the thread is known before it */
	bool keep;             /* calls that began at or before keep_until go on after the hole */
	uint64_t keep_until;
	uint64_t end_tsc;      /* last time before it */
	uint32_t floor;        /* so many of the calls open after it are closed by no chunk seen so far */
	struct open_call *opened; /* calls made in it that later chunks close, innermost first until the end, then outermost first */
	size_t nr_opened;
};

struct thread_holes {
	struct thread_hole *holes; /* in order of time */
	size_t nr_holes;
};

/* Whether there is a hole before chunk, which is the first one of its thread or not. */
bool thread_hole_before(const struct events_chunk *chunk, bool first);
struct cprof_error *thread_holes_init(struct thread_holes *holes, struct trace *trace, uint32_t thread) CPROF_MUST_CHECK;
void thread_holes_deinit(struct thread_holes *holes);

#endif
