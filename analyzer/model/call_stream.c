/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_stream.h"

#include <stdlib.h>

#include "event_decoder.h"
#include "sched_figures.h"
#include "thread_holes.h"
#include "vec.h"

struct stream_call {
	uint64_t start_ticks;
	uint32_t id;
	bool inherited;
};

struct call_stream {
	struct trace *trace;
	uint32_t thread, nr_contexts;
	struct trace_cursor *cursor;
	struct event_decoder decoder;
	struct thread_holes holes;
	size_t nr_holes_taken;

	struct stream_call *stack;
	size_t depth, capacity;
	uint64_t now;
	uint64_t repairs, inherited; /* for the next enter or exit; the next enters */

	/* What is to be given before anything more is read, in this order. */
	uint64_t closing_repaired, closing; /* so many calls end */
	enum call_end closing_end;
	bool keep;                   /* ... but not those that began until keep_until */
	uint64_t keep_until;
	bool note;                   /* noted */
	struct call_event noted;
	const struct open_call *opening; /* calls made in a hole */
	size_t nr_opening;
	bool has_item;
	struct event_item item;
	bool in_chunk, started, first, at_end, ended;
	bool tell_sched;
	struct sched_figures figures;
};

struct cprof_error *call_stream_create(struct trace *trace, uint32_t thread, struct call_stream **ret)
{
	struct call_stream *stream = calloc(1, sizeof *stream);
	struct cprof_error *error;

	if (!stream)
		return &cprof_enomem;
	*stream = (struct call_stream){ .trace = trace, .thread = thread, .first = true };
	stream->nr_contexts = (uint32_t)trace_tables(trace)->nr_contexts;
	error = trace_cursor_create(trace, thread, &stream->cursor);
	if (error) {
		free(stream);
		return error;
	}
	*ret = stream;
	return NULL;
}

void call_stream_destroy(struct call_stream *stream)
{
	if (!stream)
		return;
	trace_cursor_destroy(stream->cursor);
	thread_holes_deinit(&stream->holes);
	free(stream->stack);
	free(stream);
}

void call_stream_tell_sched(struct call_stream *stream)
{
	stream->tell_sched = true;
}

static void close_calls(struct call_stream *stream, uint64_t count, enum call_end end)
{
	stream->closing = count < stream->depth ? count : stream->depth;
	stream->closing_end = end;
	stream->keep = false;
}

/* Nothing is known of the stack any more. */
static void forget_stack(struct call_stream *stream, enum call_event_kind kind, uint64_t lost_events)
{
	close_calls(stream, UINT64_MAX, CALL_CUT);
	stream->note = true;
	stream->noted = (struct call_event){ .kind = kind, .ticks = stream->now, .lost_events = lost_events };
	stream->repairs = stream->inherited = 0;
	sched_figures_hole(&stream->figures);
}

static struct cprof_error *push_call(struct call_stream *stream, struct stream_call call, struct call_event *ret)
{
	if (!vec_reserve(&stream->stack, &stream->capacity, stream->depth + 1, sizeof *stream->stack))
		return &cprof_enomem;
	stream->stack[stream->depth] = call;
	*ret = (struct call_event){ .kind = CALL_BEGIN, .id = call.id, .inherited = call.inherited, .ticks = call.start_ticks,
				    .start_ticks = call.start_ticks, .depth = stream->depth };
	stream->depth++;
	return NULL;
}

static void pop_call(struct call_stream *stream, enum call_end end, struct call_event *ret)
{
	struct stream_call call = stream->stack[--stream->depth];

	*ret = (struct call_event){ .kind = CALL_END, .end = end, .id = call.id, .inherited = call.inherited, .ticks = stream->now,
				    .start_ticks = call.start_ticks, .depth = stream->depth };
}

/* The hole before chunk: what ends, and what was begun in it. */
static struct cprof_error *take_hole(struct call_stream *stream, const struct events_chunk *chunk)
{
	struct cprof_error *error = NULL;

	if (!stream->holes.nr_holes)
		error = thread_holes_init(&stream->holes, stream->trace, stream->thread);
	if (error)
		return error;
	stream->closing_repaired = stream->repairs; /* they ended before the hole */
	forget_stack(stream, CALL_HOLE, 0);
	stream->note = chunk->hole_before;
	if (stream->nr_holes_taken >= stream->holes.nr_holes)
		return NULL;
	const struct thread_hole *hole = &stream->holes.holes[stream->nr_holes_taken++];
	stream->keep = hole->keep;
	stream->keep_until = hole->keep_until;
	stream->opening = hole->opened;
	stream->nr_opening = hole->nr_opened;
	return NULL;
}

static struct cprof_error *next_chunk(struct call_stream *stream)
{
	struct events_chunk chunk;
	bool end = false;
	struct cprof_error *error = trace_cursor_next(stream->cursor, &chunk, &end);

	if (error)
		return error;
	if (end) {
		const struct cprof_thread *thread = &trace_tables(stream->trace)->threads[stream->thread];
		uint64_t end_tsc = trace_state(stream->trace)->end_tsc;

		if (thread->end_tsc && thread->end_tsc < end_tsc)
			end_tsc = thread->end_tsc;
		if (stream->started && end_tsc > stream->now)
			stream->now = end_tsc;
		stream->at_end = true;
		stream->closing_repaired = stream->repairs;
		return NULL;
	}
	if (thread_hole_before(&chunk, stream->first))
		error = take_hole(stream, &chunk);
	stream->first = false;
	stream->decoder = event_decoder_make(&chunk);
	stream->in_chunk = true;
	return error;
}

static bool id_is_valid(const struct call_stream *stream, uint32_t id)
{
	return id && id < stream->nr_contexts;
}

static void take_escape(struct call_stream *stream, const struct event_item *item)
{
	uint32_t figure;
	uint64_t growth;

	if (item->id == CPROF_ESCAPE_SCHED && sched_figures_take(&stream->figures, (uint32_t)item->payload, &figure, &growth) && stream->tell_sched) {
		stream->note = true;
		stream->noted = (struct call_event){ .kind = CALL_SCHED, .ticks = stream->now, .figure = figure, .growth = growth };
	} else if (item->id == CPROF_ESCAPE_REPAIR) {
		stream->repairs = item->payload > UINT64_MAX - stream->repairs ? UINT64_MAX : stream->repairs + item->payload;
	} else if (item->id == CPROF_ESCAPE_INHERIT) {
		stream->inherited = item->payload > UINT64_MAX - stream->inherited ? UINT64_MAX : stream->inherited + item->payload;
	} else if (item->id == CPROF_ESCAPE_LOST) {
		forget_stack(stream, CALL_LOSS, item->payload);
	}
}

static struct cprof_error *next_item(struct call_stream *stream)
{
	bool end = false;
	struct cprof_error *error = event_decoder_next(&stream->decoder, &stream->item, &end);

	if (error == &cprof_enomem)
		return error;
	if (error || (!end && stream->item.kind == EVENT_ENTER && !id_is_valid(stream, stream->item.id))) { /* it makes no sense from here on */
		cprof_error_free(error);
		stream->in_chunk = false;
		forget_stack(stream, CALL_HOLE, 0);
		return NULL;
	}
	if (end) {
		stream->in_chunk = false;
		return NULL;
	}
	if (stream->item.kind == EVENT_ESCAPE) {
		take_escape(stream, &stream->item);
		return NULL;
	}
	if (stream->item.ticks > stream->now)
		stream->now = stream->item.ticks;
	stream->started = stream->has_item = true;
	stream->closing_repaired = stream->repairs;
	stream->repairs = 0;
	return NULL;
}

/* Gives the item read last. False: there is nothing to give (an exit from a call that nobody knows). */
static struct cprof_error *give_item(struct call_stream *stream, struct call_event *ret, bool *given)
{
	*given = true;
	stream->has_item = false;
	if (stream->item.kind == EVENT_ENTER) {
		bool inherited = stream->inherited > 0;

		stream->inherited -= inherited;
		return push_call(stream, (struct stream_call){ stream->now, stream->item.id, inherited }, ret);
	}
	*given = stream->depth > 0;
	if (*given)
		pop_call(stream, CALL_RETURNED, ret);
	return NULL;
}

/* What is due before anything is read. */
static struct cprof_error *give_due(struct call_stream *stream, struct call_event *ret, bool *given)
{
	*given = true;
	if (stream->closing_repaired && stream->depth) {
		stream->closing_repaired--;
		pop_call(stream, CALL_REPAIRED, ret);
		return NULL;
	}
	stream->closing_repaired = 0;
	if (stream->closing && stream->depth && !(stream->keep && stream->stack[stream->depth - 1].start_ticks <= stream->keep_until)) {
		stream->closing--;
		pop_call(stream, stream->closing_end, ret);
		return NULL;
	}
	stream->closing = 0;
	if (stream->note) {
		stream->note = false;
		*ret = stream->noted;
		return NULL;
	}
	while (stream->nr_opening) {
		struct open_call call = *stream->opening++;

		stream->nr_opening--;
		if (!id_is_valid(stream, call.slot))
			continue;
		if (call.start_ticks > stream->now)
			stream->now = call.start_ticks;
		stream->started = true;
		return push_call(stream, (struct stream_call){ stream->now, call.slot, false }, ret);
	}
	if (stream->has_item)
		return give_item(stream, ret, given);
	*given = false;
	return NULL;
}

struct cprof_error *call_stream_next(struct call_stream *stream, struct call_event *ret, bool *end)
{
	for (;;) {
		bool given = false;
		struct cprof_error *error = give_due(stream, ret, &given);

		if (error || given) {
			*end = false;
			return error;
		}
		if (stream->ended) {
			*end = true;
			return NULL;
		}
		if (stream->at_end) {
			close_calls(stream, UINT64_MAX, CALL_OPEN);
			stream->ended = true;
		} else if (stream->in_chunk) {
			error = next_item(stream);
		} else {
			error = next_chunk(stream);
		}
		if (error)
			return error;
	}
}
