/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event chunks of one thread in order, first those of the file, then what the live file holds.
 *
 * Chunks of the file are passed on as they are. To turn a live block into one, the stack at its start must be known: it is put together once, at the
 * first live block, from those chunks before it that opened the calls still open there (found by what each chunk says of its depth).
 */
#include "session.h"

#include <stdlib.h>

#include "call_stack.h"
#include "live_chunk.h"
#include "trace_internal.h"
#include "vec.h"

#define HOLE_BEFORE (1ull << 63) /* in lowest[] */

struct trace_cursor {
	struct trace *trace;
	size_t first, nr, at;        /* in trace->events: first + at is the next one */
	uint64_t expected;           /* sequence of the next one, if nothing is missing */
	bool hole;
	uint64_t last_tsc;           /* of the chunk before */
	struct frame_buffer buffer;
	bool check_all;
	struct timed_merge merge;
	/* For a thread with live blocks only: */
	bool has_live, stack_known;
	uint64_t *lowest;            /* [at] least depth of each chunk passed, and HOLE_BEFORE */
	struct call_stack stack;     /* at the start of the next one, once stack_known */
	struct live_chunk live;
};

struct cprof_error *trace_cursor_create(struct trace *trace, uint32_t thread, struct trace_cursor **ret)
{
	struct trace_cursor *cursor = calloc(1, sizeof *cursor);

	if (!cursor)
		return &cprof_enomem;
	cursor->trace = trace;
	cursor->first = trace_events_of(trace, thread, &cursor->nr);
	for (size_t i = 0; i < cursor->nr; i++)
		cursor->has_live |= trace->events[cursor->first + i].live != 0;
	if (cursor->has_live) {
		cursor->lowest = calloc(cursor->nr, sizeof *cursor->lowest);
		if (!cursor->lowest) {
			free(cursor);
			return &cprof_enomem;
		}
	}
	if (thread < trace->set.nr_threads)
		timed_merge_init(&cursor->merge, &trace->switches, &trace->set.threads[thread]);
	*ret = cursor;
	return NULL;
}

void trace_cursor_plain(struct trace_cursor *cursor)
{
	cursor->merge = (struct timed_merge){ .next = NULL };
}

void trace_cursor_destroy(struct trace_cursor *cursor)
{
	if (!cursor)
		return;
	frame_buffer_deinit(&cursor->buffer);
	call_stack_deinit(&cursor->stack);
	timed_merge_deinit(&cursor->merge);
	live_chunk_deinit(&cursor->live);
	free(cursor->lowest);
	free(cursor);
}

/* Puts the calls of chunk "at" that are still open when only "open" calls are left onto reversed, innermost first. */
static struct cprof_error *collect_open(struct trace_cursor *cursor, size_t at, uint64_t open, struct call_stack *reversed)
{
	const struct trace_tables *tables = &cursor->trace->tables;
	struct call_stack stack = { 0 };
	struct events_chunk chunk;
	const char *why;
	struct cprof_error *error = trace_load_events(cursor->trace, &cursor->trace->events[cursor->first + at], false, false, &cursor->buffer, &chunk,
						      &why);

	if (error || why)
		return error;
	call_stack_reset(&stack, chunk.header.depth, chunk.header.context);
	error = call_stack_apply(&stack, tables, &chunk);
	if (error && error->code == CPROF_ERROR_FORMAT) { /* the reader of the columns has met it already */
		cprof_error_free(error);
		error = NULL;
	}
	if (stack.unknown + stack.nr < open) /* it contradicts what comes after it: the rest stays unknown */
		stack.nr = 0;
	for (size_t i = stack.nr; i-- > 0 && !error;) {
		if (stack.unknown + i < open)
			error = call_stack_push(reversed, tables, stack.calls[i].id, stack.calls[i].start_ticks);
	}
	call_stack_deinit(&stack);
	return error;
}

/* The stack at the start of the next place, which is the thread's first live block; depth calls are open there. */
static struct cprof_error *find_stack(struct trace_cursor *cursor, uint64_t depth, uint32_t context)
{
	struct call_stack reversed = { 0 };
	uint64_t open = depth;
	struct cprof_error *error = NULL;

	for (size_t i = cursor->at; open && !cursor->hole && i-- > 0 && !error;) {
		uint64_t lowest = cursor->lowest[i] & ~HOLE_BEFORE;
		size_t before = reversed.nr;

		if (lowest < open) {
			error = collect_open(cursor, i, open, &reversed);
			if (reversed.nr - before != open - lowest)
				break;
			open = lowest;
		}
		if (cursor->lowest[i] & HOLE_BEFORE)
			break;
	}
	call_stack_reset(&cursor->stack, depth - reversed.nr, context);
	while (reversed.nr && !error) {
		struct closed_call call = reversed.calls[--reversed.nr];

		error = call_stack_push(&cursor->stack, &cursor->trace->tables, call.id, call.start_ticks);
	}
	cursor->stack.current = context;
	call_stack_deinit(&reversed);
	return error;
}

/* Once, however often the block is read. */
static struct cprof_error *tell_dropped(struct trace *trace, struct live_block *block, uint64_t dropped)
{
	struct problem_place place = { FINDING_LOSS, CPROF_NO_OFFSET, block->header.thread };
	struct cprof_error *error = NULL;

	if (dropped && !block->told)
		error = trace_add_problem(trace, place, "%llu events were just being written; what they were is not known",
					  (unsigned long long)dropped);
	block->told = true;
	return error;
}

static struct cprof_error *next_live(struct trace_cursor *cursor, struct live_block *block, struct events_chunk *ret)
{
	uint64_t dropped_before = cursor->live.dropped;
	const struct trace_tables *tables = &cursor->trace->tables;
	struct call_stack *stack = &cursor->stack;
	struct cprof_error *error = NULL;
	uint32_t context = block->header.context < tables->nr_contexts ? block->header.context : 0;

	if (!cursor->stack_known)
		error = find_stack(cursor, block->header.depth, context);
	else if (cursor->hole || stack->unknown + stack->nr != block->header.depth || stack->current != context)
		call_stack_reset(stack, block->header.depth, context);
	if (error)
		return error;
	cursor->stack_known = true;
	error = live_chunk_make(&cursor->live, block, tables, cursor->last_tsc, stack, ret);
	if (error)
		return error;
	ret->header.context = context;
	return tell_dropped(cursor->trace, block, cursor->live.dropped - dropped_before);
}

/* A chunk of the file. *why: it is damaged. */
static struct cprof_error *next_in_file(struct trace_cursor *cursor, const struct events_place *place, struct events_chunk *ret, const char **why)
{
	struct cprof_error *error = trace_load_events(cursor->trace, place, cursor->check_all, cursor->check_all, &cursor->buffer, ret, why);

	if (error || *why || !cursor->has_live)
		return error;
	cursor->lowest[cursor->at] = (ret->header.depth - ret->closed_items) | (cursor->hole ? HOLE_BEFORE : 0);
	if (!cursor->stack_known)
		return NULL;
	if (cursor->hole || cursor->stack.unknown + cursor->stack.nr != ret->header.depth)
		call_stack_reset(&cursor->stack, ret->header.depth, ret->header.context);
	error = call_stack_apply(&cursor->stack, &cursor->trace->tables, ret);
	if (error && error->code == CPROF_ERROR_FORMAT) {
		cprof_error_free(error);
		error = NULL;
	}
	return error;
}

struct cprof_error *trace_cursor_next(struct trace_cursor *cursor, struct events_chunk *ret, bool *end)
{
	while (cursor->at < cursor->nr) {
		const struct events_place *place = &cursor->trace->events[cursor->first + cursor->at];
		struct cprof_error *error;
		struct events_chunk chunk;
		const char *why = NULL;

		cursor->hole |= place->sequence != cursor->expected;
		if (place->live)
			error = next_live(cursor, &cursor->trace->live.blocks[place->live - 1], &chunk);
		else
			error = next_in_file(cursor, place, &chunk, &why);
		if (error)
			return error;
		cursor->expected = place->sequence + 1;
		cursor->at++;
		if (why) {
			cursor->hole = true;
			error = trace_add_damage(cursor->trace, place->offset, place->frame_bytes, why);
			if (error)
				return error;
			continue;
		}
		chunk.hole_before = cursor->hole;
		cursor->hole = false;
		cursor->last_tsc = chunk.header.last_tsc;
		error = timed_merge_chunk(&cursor->merge, &chunk);
		if (error)
			return error;
		*ret = chunk;
		*end = false;
		return NULL;
	}
	*end = true;
	return NULL;
}

void trace_cursor_check_all(struct trace_cursor *cursor)
{
	cursor->check_all = true;
	trace_cursor_plain(cursor);
}

uint64_t trace_cursor_offset(const struct trace_cursor *cursor)
{
	if (!cursor->at || trace_cursor_was_live(cursor))
		return CPROF_NO_OFFSET;
	return cursor->trace->events[cursor->first + cursor->at - 1].offset;
}

bool trace_cursor_was_live(const struct trace_cursor *cursor)
{
	return cursor->at && cursor->trace->events[cursor->first + cursor->at - 1].live;
}
