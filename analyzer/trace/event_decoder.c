/* SPDX-License-Identifier: BSD-2-Clause */
/* One item after the other out of the columns of an EVENTS chunk; see event_decoder.h. */
#include "event_decoder.h"

#include <inttypes.h>

struct event_decoder event_decoder_make(const struct events_chunk *chunk)
{
	return (struct event_decoder){
		.closed = cursor_make(chunk->closed, chunk->closed_bytes),
		.ids = cursor_make(chunk->ids, chunk->ids_bytes),
		.times = cursor_make(chunk->times, chunk->times_bytes),
		.closed_left = chunk->closed_items,
		.items_left = chunk->header.items,
		.first_tsc = chunk->header.first_tsc,
		.ticks = chunk->header.first_tsc,
	};
}

static struct cprof_error *bad_column(const char *column, const char *what)
{
	return cprof_error_create(CPROF_ERROR_FORMAT, "%s column of an EVENTS chunk: %s", column, what);
}

static struct cprof_error *end_of_items(const struct event_decoder *decoder, bool *end)
{
	if (cursor_left(&decoder->ids))
		return bad_column("id", "goes on after the last item");
	if (cursor_left(&decoder->times))
		return bad_column("time", "goes on after the last item");
	*end = true;
	return NULL;
}

struct cprof_error *event_decoder_next(struct event_decoder *decoder, struct event_item *ret, bool *end)
{
	struct event_item item = { .kind = EVENT_ENTER };
	uint64_t value, delta;

	if (!decoder->items_left)
		return end_of_items(decoder, end);
	if (!cursor_leb128(&decoder->ids, &value))
		return bad_column("id", "ends before the last item");
	if (value == CPROF_ID_ESCAPE) {
		item.kind = EVENT_ESCAPE;
		if (!cursor_leb128(&decoder->ids, &value) || !cursor_leb128(&decoder->ids, &item.payload) || value > UINT32_MAX)
			return bad_column("id", "an escape is not complete");
	} else if (value == CPROF_ID_EXIT) {
		item.kind = EVENT_EXIT;
	} else if (value == CPROF_ID_EXIT_EXPLICIT) {
		item.kind = EVENT_EXIT_EXPLICIT;
		if (!cursor_leb128(&decoder->ids, &value))
			return bad_column("id", "an exit is not complete");
	} else {
		value -= CPROF_ID_ENTER_BASE;
	}
	if (value >= CPROF_CONTEXT_LIMIT)
		return bad_column("id", "a number is no id");
	item.id = (uint32_t)value;
	if (item.kind == EVENT_ESCAPE && (item.id == CPROF_ESCAPE_SUSPEND || item.id == CPROF_ESCAPE_RESUME)) {
		if (item.payload > UINT64_MAX - decoder->ticks)
			return bad_column("id", "time runs over");
		decoder->ticks += item.payload;
	}
	if (item.kind != EVENT_ESCAPE) {
		if (!cursor_leb128(&decoder->times, &delta))
			return bad_column("time", "ends before the last item");
		if (delta > UINT64_MAX - decoder->ticks)
			return bad_column("time", "time runs over");
		decoder->ticks += delta;
	}
	item.ticks = decoder->ticks;
	decoder->items_left--;
	*ret = item;
	*end = false;
	return NULL;
}

struct cprof_error *event_decoder_next_closed(struct event_decoder *decoder, struct closed_call *ret, bool *end)
{
	uint64_t id, ago;

	if (!decoder->closed_left) {
		if (cursor_left(&decoder->closed))
			return bad_column("closed", "goes on after the last item");
		*end = true;
		return NULL;
	}
	if (!cursor_leb128(&decoder->closed, &id) || !cursor_leb128(&decoder->closed, &ago))
		return bad_column("closed", "ends before the last item");
	if (id >= CPROF_CONTEXT_LIMIT || ago > decoder->first_tsc)
		return bad_column("closed", "a number is no id or no time");
	decoder->closed_left--;
	*ret = (struct closed_call){ (uint32_t)id, decoder->first_tsc - ago };
	*end = false;
	return NULL;
}
