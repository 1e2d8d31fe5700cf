/* SPDX-License-Identifier: BSD-2-Clause */
#include "thread_holes.h"

#include <stdlib.h>

#include "leb_column.h"

struct closed_item {
	uint32_t id;
	uint32_t below;     /* open calls below it */
	uint64_t start_tsc;
};

bool thread_hole_before(const struct events_chunk *chunk, bool first)
{
	return chunk->hole_before || (first && chunk->header.depth);
}

void thread_holes_deinit(struct thread_holes *holes)
{
	for (size_t i = 0; i < holes->nr_holes; i++)
		free(holes->holes[i].opened);
	free(holes->holes);
	*holes = (struct thread_holes){ 0 };
}

/* Calls from depth on have ended: no later chunk can name them. Keeps the floors in ascending order. */
static void floors_lower(struct thread_holes *holes, uint32_t depth)
{
	for (size_t i = holes->nr_holes; i-- && holes->holes[i].floor > depth;)
		holes->holes[i].floor = depth;
}

static struct cprof_error *hole_add(struct thread_holes *holes, struct thread_hole hole)
{
	struct thread_hole *grown = holes->holes;

	if (!(holes->nr_holes & (holes->nr_holes + 1))) /* 0, 1, 3, 7, ... */
		grown = realloc(grown, (holes->nr_holes + 1) * 2 * sizeof *grown);
	if (!grown)
		return &cprof_enomem;
	holes->holes = grown;
	floors_lower(holes, hole.floor);
	grown[holes->nr_holes++] = hole;
	return NULL;
}

static struct cprof_error *hole_add_opened(struct thread_hole *hole, const struct closed_item *item)
{
	struct open_call *grown = hole->opened;

	if (!(hole->nr_opened & (hole->nr_opened + 1)))
		grown = realloc(grown, (hole->nr_opened + 1) * 2 * sizeof *grown);
	if (!grown)
		return &cprof_enomem;
	hole->opened = grown;
	grown[hole->nr_opened++] = (struct open_call){ item->start_tsc, item->id, 0 };
	return NULL;
}

/*
 * Says what item means for holes->holes[*index] and those before it; *index moves down to the last hole that it does not cross. Items of a chunk
 * come innermost first, so whatever crosses a hole after the first that does began earlier and says nothing new.
 */
static struct cprof_error *item_place(struct thread_holes *holes, size_t *index, const struct closed_item *item)
{
	while (*index) {
		struct thread_hole *hole = &holes->holes[*index - 1];

		if (item->below >= hole->floor) /* entered after this hole */
			return NULL;
		if (hole->at_start || item->start_tsc > hole->end_tsc)
			return hole_add_opened(hole, item);
		if (!hole->keep || item->start_tsc > hole->keep_until) {
			hole->keep = true;
			hole->keep_until = item->start_tsc;
		}
		--*index;
	}
	return NULL;
}

static struct cprof_error *chunk_look(struct thread_holes *holes, const struct events_chunk *chunk)
{
	struct leb_column column = { chunk->closed, chunk->closed + chunk->closed_bytes };
	uint32_t depth = chunk->header.depth, left = chunk->closed_items < depth ? chunk->closed_items : depth;
	size_t index = holes->nr_holes;
	uint64_t id, back;

	for (; left && index && leb_column_next(&column, &id) && leb_column_next(&column, &back); left--) {
		struct closed_item item = { id > UINT32_MAX ? 0 : (uint32_t)id, --depth,
					    back < chunk->header.first_tsc ? chunk->header.first_tsc - back : 0 };
		struct cprof_error *error = item_place(holes, &index, &item);

		if (error)
			return error;
	}
	floors_lower(holes, depth - left);
	return NULL;
}

static void opened_reverse(struct thread_hole *hole)
{
	for (size_t i = 0; i < hole->nr_opened / 2; i++) {
		struct open_call call = hole->opened[i];

		hole->opened[i] = hole->opened[hole->nr_opened - 1 - i];
		hole->opened[hole->nr_opened - 1 - i] = call;
	}
}

static struct cprof_error *chunks_look(struct thread_holes *holes, struct trace_cursor *cursor)
{
	uint64_t end_tsc = 0;

	for (bool first = true;; first = false) {
		struct events_chunk chunk;
		bool end = false;
		struct cprof_error *error = trace_cursor_next(cursor, &chunk, &end);

		if (error || end)
			return error;
		if (thread_hole_before(&chunk, first))
			error = hole_add(holes, (struct thread_hole){ .at_start = first, .end_tsc = end_tsc, .floor = chunk.header.depth });
		if (!error)
			error = chunk_look(holes, &chunk);
		if (error)
			return error;
		if (chunk.header.last_tsc > end_tsc)
			end_tsc = chunk.header.last_tsc;
	}
}

struct cprof_error *thread_holes_init(struct thread_holes *holes, struct trace *trace, uint32_t thread)
{
	struct trace_cursor *cursor;
	struct cprof_error *error = trace_cursor_create(trace, thread, &cursor);

	*holes = (struct thread_holes){ 0 };
	if (error)
		return error;
	error = chunks_look(holes, cursor);
	trace_cursor_destroy(cursor);
	if (error) {
		thread_holes_deinit(holes);
		return error;
	}
	for (size_t i = 0; i < holes->nr_holes; i++)
		opened_reverse(&holes->holes[i]);
	return NULL;
}
