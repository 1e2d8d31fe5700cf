/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The items of one EVENTS chunk, one at a time, with absolute times: for `dump`, `check` and tests.
 *
 * Checks what docs/trace-format.md section 5 says of columns, but knows no contexts and keeps no stack. The model has its own fused loop.
 */
#ifndef CPROF_EVENT_DECODER_H
#define CPROF_EVENT_DECODER_H

#include "cursor.h"
#include "session.h"

enum event_kind {
	EVENT_ENTER,          /* id: context or folding edge */
	EVENT_EXIT,           /* to the context below on the stack */
	EVENT_EXIT_EXPLICIT,  /* id: the context returned to, which is not what the stack holds */
	EVENT_ESCAPE,         /* id: enum cprof_escape; payload */
};

struct event_item {
	enum event_kind kind;
	uint32_t id;
	uint64_t ticks;       /* escapes: SUSPEND and RESUME their own, others that of the last item before that has one */
	uint64_t payload;     /* escapes only */
};

struct closed_call {
	uint32_t id;          /* context or edge */
	uint64_t start_ticks;
};

struct event_decoder {
	struct cursor closed, ids, times;
	uint32_t closed_left, items_left;
	uint64_t first_tsc, ticks;
};

/* The chunk must stay valid as long as the decoder. */
struct event_decoder event_decoder_make(const struct events_chunk *chunk);
/* *end is set, and *ret untouched, after the last one; an error if the column does not end there. */
struct cprof_error *event_decoder_next(struct event_decoder *decoder, struct event_item *ret, bool *end) CPROF_MUST_CHECK;
/* The calls that were open before the chunk and that it closes, innermost first. */
struct cprof_error *event_decoder_next_closed(struct event_decoder *decoder, struct closed_call *ret, bool *end) CPROF_MUST_CHECK;

#endif
