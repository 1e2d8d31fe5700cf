/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of a run as lines in order of time: a call that shows no others inside is one line, any other has a line where it begins and one where it
 * ends. Threads are merged by the time of their next line.
 *
 * Memory grows with the depth of the stacks and the number of threads that live at a time, not with events. Prints nothing.
 */
#ifndef CPROF_CALL_REPLAY_H
#define CPROF_CALL_REPLAY_H

#include "call_choice.h"
#include "call_stream.h"
#include "session_names.h"

struct call_replay;

struct call_replay_options {
	struct call_choice choice; /* and the way to these calls; a focus is at the left margin */
	const bool *const *threads; /* [trace][thread]; NULL: all */
	uint64_t depth;           /* levels shown */
	uint64_t min_ticks;       /* of a call */
	bool no_merge;            /* each leaf call on a line of its own */
};

enum replay_line_kind {
	REPLAY_OPEN,   /* a call begins, in which others are shown */
	REPLAY_CLOSE,  /* it ends */
	REPLAY_CALL,   /* a call, or several alike one after the other */
	REPLAY_LOSS,
	REPLAY_HOLE,
};

struct replay_line {
	enum replay_line_kind kind;
	size_t trace;
	uint32_t thread, id;
	uint64_t level;           /* of nesting, as shown */
	uint64_t ticks;           /* in order, over all threads */
	uint64_t duration_ticks;  /* REPLAY_CLOSE; REPLAY_CALL: of all together */
	uint64_t calls;           /* REPLAY_CALL */
	uint64_t min_ticks, max_ticks; /* REPLAY_CALL */
	enum call_end end;        /* REPLAY_CLOSE, REPLAY_CALL */
	bool inherited;
	uint64_t lost_events;     /* REPLAY_LOSS */
};

/* session, names and options must outlive it. */
struct cprof_error *call_replay_create(const struct session *session, const struct session_names *names, const struct call_replay_options *options,
				       struct call_replay **ret) CPROF_MUST_CHECK;
void call_replay_destroy(struct call_replay *replay);
/* *end is set, and *ret untouched, after the last one. */
struct cprof_error *call_replay_next(struct call_replay *replay, struct replay_line *ret, bool *end) CPROF_MUST_CHECK;

#endif
