/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of one thread as they began and ended, one at a time, in order of time: for whatever shows single calls (replay, timeline).
 *
 * Knows what an event stream alone does not say: calls closed by a repair, a loss or a hole, calls that only later chunks tell of, calls open at the
 * end. Every call that begins here ends here, after all that began in it. Memory is bounded by the depth of the stack. The sums of call_tally.h follow
 * the same rules.
 */
#ifndef CPROF_CALL_STREAM_H
#define CPROF_CALL_STREAM_H

#include "session.h"

struct call_stream;

enum call_event_kind {
	CALL_BEGIN,
	CALL_END,
	CALL_LOSS,     /* events were lost here; what was open has ended */
	CALL_HOLE,     /* a part of the trace is missing or damaged here */
	CALL_SCHED,    /* what the scheduler did in the call that is current; only after call_stream_tell_sched() */
};

enum call_end {
	CALL_RETURNED,
	CALL_REPAIRED, /* no exit was seen: longjmp, exception, pthread_exit */
	CALL_CUT,      /* by a loss or a hole: it ended at some later time */
	CALL_OPEN,     /* when the trace ended */
};

struct call_event {
	enum call_event_kind kind;
	enum call_end end;      /* CALL_END */
	uint32_t id;            /* context or edge */
	bool inherited;         /* it was open already where this recording began */
	uint64_t ticks, start_ticks;
	uint64_t depth;         /* of the call: 0 is outermost */
	uint64_t lost_events;   /* CALL_LOSS */
	uint32_t figure;        /* CALL_SCHED: enum cprof_sched_figure, and what it grew by */
	uint64_t growth;
};

struct cprof_error *call_stream_create(struct trace *trace, uint32_t thread, struct call_stream **ret) CPROF_MUST_CHECK;
void call_stream_destroy(struct call_stream *stream);
void call_stream_tell_sched(struct call_stream *stream);
/* *end is set, and *ret untouched, after the last one. */
struct cprof_error *call_stream_next(struct call_stream *stream, struct call_event *ret, bool *end) CPROF_MUST_CHECK;

#endif
