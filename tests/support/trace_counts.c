/* SPDX-License-Identifier: BSD-2-Clause */
#include "trace_counts.h"

#include <inttypes.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_decoder.h"
#include "session.h"

struct open_call {
	uint32_t id, current; /* current: the context inside the call */
	uint64_t start;
};

struct walk {
	struct trace_counts *counts;
	const struct trace_tables *tables;
	const uint32_t *function_of; /* context id -> index into counts->functions */
	struct trace_thread_counts *thread;
	size_t thread_index;
	struct open_call *open;
	size_t depth, capacity;
	uint64_t last;
	uint64_t to_inherit;
	bool suspended;
	size_t low;               /* open[0..low) was open before the chunk and still is */
	size_t depth_before;
	struct event_decoder decoder;
	bool closed_ended;
};

static void *grown(void *old, size_t bytes)
{
	void *new = realloc(old, bytes ? bytes : 1);

	if (!new)
		abort();
	return new;
}

static void __attribute__((format(printf, 2, 3))) wrong(struct trace_counts *counts, const char *format, ...)
{
	va_list arguments;

	if (counts->wrong[0])
		return;
	va_start(arguments, format);
	vsnprintf(counts->wrong, sizeof counts->wrong, format, arguments);
	va_end(arguments);
}

static uint32_t current_of(const struct walk *w)
{
	return w->depth ? w->open[w->depth - 1].current : 0;
}

static void pop(struct walk *w)
{
	if (!w->depth) {
		wrong(w->counts, "thread %zu: an exit without an open call", w->thread_index);
		return;
	}
	w->depth--;
	if (w->depth >= w->low)
		return;
	/* It was open before the chunk: the closed column must name it, next. */
	struct closed_call closed;
	const struct open_call *call = &w->open[w->depth];

	w->low = w->depth;
	if (!w->closed_ended) {
		struct cprof_error *error = event_decoder_next_closed(&w->decoder, &closed, &w->closed_ended);

		if (error) {
			wrong(w->counts, "closed column: %s", error->message);
			cprof_error_free(error);
			w->closed_ended = true;
		}
	}
	if (w->closed_ended) {
		if (w->depth_before - w->depth <= 65536)
			wrong(w->counts, "thread %zu: the closed column ends before call %u", w->thread_index, call->id);
	} else if (closed.id != call->id || closed.start_ticks != call->start) {
		wrong(w->counts, "thread %zu: closed column says %u at %" PRIu64 ", it was %u at %" PRIu64, w->thread_index, closed.id,
		      closed.start_ticks, call->id, call->start);
	}
}

static void enter(struct walk *w, uint32_t id, uint64_t ticks)
{
	if (!id || id >= w->tables->nr_contexts) {
		wrong(w->counts, "thread %zu: enter of unknown context %u", w->thread_index, id);
		return;
	}
	const struct cprof_context *context = &w->tables->contexts[id];

	if (context->flags & CPROF_CONTEXT_DEAD)
		wrong(w->counts, "thread %zu: enter of dead context %u", w->thread_index, id);
	if (!(context->flags & CPROF_CONTEXT_OVERFLOW) && context->parent != current_of(w))
		wrong(w->counts, "thread %zu: context %u has parent %u, entered in %u", w->thread_index, id, context->parent, current_of(w));
	if (w->depth == w->capacity) {
		w->capacity = w->capacity ? 2 * w->capacity : 1024;
		w->open = grown(w->open, w->capacity * sizeof *w->open);
	}
	w->open[w->depth++] = (struct open_call){ id, context->target, ticks };
	if (w->depth > w->thread->max_depth)
		w->thread->max_depth = w->depth;
	if (w->to_inherit) {
		w->to_inherit--;
		w->thread->inherited++;
		return;
	}
	w->thread->enters++;
	w->counts->calls[w->thread_index * w->counts->nr_functions + w->function_of[id]]++;
}

static void escape(struct walk *w, uint32_t kind, uint64_t payload)
{
	switch (kind) {
	case CPROF_ESCAPE_REPAIR:
		w->thread->repaired += payload;
		while (payload--)
			pop(w);
		break;
	case CPROF_ESCAPE_INHERIT:
		if (w->depth)
			wrong(w->counts, "thread %zu: INHERIT with calls open", w->thread_index);
		w->to_inherit = payload;
		break;
	case CPROF_ESCAPE_LOST:
		w->thread->lost_events += payload;
		w->thread->losses++;
		while (w->depth)
			pop(w);
		break;
	case CPROF_ESCAPE_SUSPEND:
	case CPROF_ESCAPE_RESUME:
		if (w->suspended == (kind == CPROF_ESCAPE_SUSPEND))
			wrong(w->counts, "thread %zu: suspended or resumed twice", w->thread_index);
		w->suspended = kind == CPROF_ESCAPE_SUSPEND;
		w->thread->switches += w->suspended;
		break;
	case CPROF_ESCAPE_UNTIMED:
		w->thread->untimed++;
		break;
	default:
		wrong(w->counts, "thread %zu: escape %u on disk", w->thread_index, kind);
	}
}

static void walk_chunk(struct walk *w, const struct events_chunk *chunk)
{
	bool end = false, first = true;
	uint64_t items = 0;
	struct event_item item;

	w->thread->chunks++;
	w->low = w->depth_before = w->depth;
	w->closed_ended = false;
	w->decoder = event_decoder_make(chunk);
	if (chunk->hole_before)
		wrong(w->counts, "thread %zu: a hole before chunk %" PRIu64, w->thread_index, chunk->header.sequence);
	if (chunk->header.depth != w->depth || chunk->header.context != current_of(w))
		wrong(w->counts, "thread %zu chunk %" PRIu64 ": header says depth %u context %u, it is %zu %u", w->thread_index,
		      chunk->header.sequence, chunk->header.depth, chunk->header.context, w->depth, current_of(w));
	for (;; items++) {
		struct cprof_error *error = event_decoder_next(&w->decoder, &item, &end);

		if (error) {
			wrong(w->counts, "thread %zu chunk %" PRIu64 ": %s", w->thread_index, chunk->header.sequence, error->message);
			cprof_error_free(error);
			return;
		}
		if (end)
			break;
		if (item.kind == EVENT_ESCAPE) {
			escape(w, item.id, item.payload);
			if (item.id == CPROF_ESCAPE_SUSPEND || item.id == CPROF_ESCAPE_RESUME)
				w->last = item.ticks;
			continue;
		}
		if (w->suspended)
			wrong(w->counts, "thread %zu: an event while suspended", w->thread_index);
		if (item.ticks < w->last)
			wrong(w->counts, "thread %zu: time runs back", w->thread_index);
		if (first && w->last && item.ticks < chunk->header.first_tsc)
			wrong(w->counts, "thread %zu: first event before the chunk's base", w->thread_index);
		first = false;
		w->last = item.ticks;
		if (item.kind == EVENT_ENTER) {
			enter(w, item.id, item.ticks);
		} else {
			w->thread->exits++;
			if (item.kind == EVENT_EXIT_EXPLICIT)
				wrong(w->counts, "thread %zu: an exit to context %u that the stack does not hold", w->thread_index, item.id);
			pop(w);
		}
	}
	if (items != chunk->header.items)
		wrong(w->counts, "thread %zu: %" PRIu64 " items, header says %u", w->thread_index, items, chunk->header.items);
	if (w->last != chunk->header.last_tsc && !first)
		wrong(w->counts, "thread %zu: last_tsc is not the last event's", w->thread_index);
}

static void walk_thread(struct walk *w, struct trace *trace)
{
	const struct cprof_thread *record = &w->tables->threads[w->thread_index];
	struct trace_cursor *cursor;
	struct events_chunk chunk;
	bool end = false;

	w->thread = &w->counts->threads[w->thread_index];
	w->thread->tid = record->tid;
	memcpy(w->thread->name, record->name, 16);
	w->thread->main = record->flags & CPROF_THREAD_MAIN;
	w->thread->record_lost = record->lost_events;
	w->thread->record_unmatched = record->unmatched_exits;
	w->thread->record_repaired = record->repaired_calls;
	w->thread->record_steps_back = record->clock_steps_back;
	w->depth = 0;
	w->last = w->to_inherit = 0;
	w->suspended = false;
	struct cprof_error *error = trace_cursor_create(trace, record->index, &cursor);

	while (!error && !end) {
		error = trace_cursor_next(cursor, &chunk, &end);
		if (!error && !end)
			walk_chunk(w, &chunk);
	}
	if (error) {
		wrong(w->counts, "thread %zu: %s", w->thread_index, error->message);
		cprof_error_free(error);
		return;
	}
	w->thread->open = w->depth;
	trace_cursor_destroy(cursor);
}

static uint32_t *functions_number(struct trace_counts *counts, const struct trace_tables *tables)
{
	uint32_t *function_of = calloc(tables->nr_contexts + 1, sizeof *function_of);

	if (!function_of)
		abort();
	for (size_t id = 1; id < tables->nr_contexts; id++) {
		const struct cprof_context *context = &tables->contexts[id];
		size_t f = 0;

		counts->nr_contexts++;
		counts->nr_dead += !!(context->flags & CPROF_CONTEXT_DEAD);
		counts->nr_overflow += !!(context->flags & CPROF_CONTEXT_OVERFLOW);
		while (f < counts->nr_functions &&
		       (counts->functions[f].module != context->function_module || counts->functions[f].address != context->function))
			f++;
		if (f == counts->nr_functions) {
			counts->functions = grown(counts->functions, (f + 1) * sizeof *counts->functions);
			counts->functions[counts->nr_functions++] = (struct trace_function){ context->function_module, context->function };
		}
		function_of[id] = (uint32_t)f;
	}
	return function_of;
}

struct trace_counts *trace_counts_read(const char *path, char *why)
{
	struct trace_counts *counts = calloc(1, sizeof *counts);
	struct session *session;
	struct cprof_error *error = session_open(&path, 1, &session);

	if (!counts)
		abort();
	if (error) {
		snprintf(why, 256, "%s", error->message);
		cprof_error_free(error);
		free(counts);
		return NULL;
	}
	struct trace *trace = session_trace(session, 0);
	struct walk w = { .counts = counts, .tables = trace_tables(trace) };
	const struct cprof_meta *meta = &trace_meta(trace)->fixed;

	counts->pid = meta->pid;
	counts->parent_pid = meta->parent_pid;
	counts->generation = meta->generation;
	counts->forked = meta->flags & CPROF_META_FORKED;
	uint32_t *function_of = functions_number(counts, w.tables);
	w.function_of = function_of;
	counts->nr_threads = w.tables->nr_threads;
	counts->threads = calloc(counts->nr_threads + 1, sizeof *counts->threads);
	counts->calls = calloc(counts->nr_threads * counts->nr_functions + 1, sizeof *counts->calls);
	if (!counts->threads || !counts->calls)
		abort();
	for (w.thread_index = 0; w.thread_index < counts->nr_threads; w.thread_index++)
		walk_thread(&w, trace);
	for (size_t i = 0; i < w.tables->nr_losses; i++) {
		if (w.tables->losses[i].reason == CPROF_LOSS_CONTEXT_LIMIT)
			counts->lost_by_table += w.tables->losses[i].events;
		else
			counts->lost_by_buffer += w.tables->losses[i].events;
	}
	const struct trace_state *state = trace_state(trace);
	counts->clean = state->clean;
	counts->live_used = state->live_used;
	if (state->nr_problems)
		snprintf(counts->problem, sizeof counts->problem, "%s", state->problems[0]);
	free(w.open);
	free(function_of);
	session_destroy(session);
	return counts;
}

void trace_counts_destroy(struct trace_counts *counts)
{
	if (!counts)
		return;
	free(counts->threads);
	free(counts->functions);
	free(counts->calls);
	free(counts);
}

uint64_t trace_counts_calls_at(const struct trace_counts *counts, size_t thread, uint64_t address)
{
	uint64_t calls = 0;

	for (size_t f = 0; f < counts->nr_functions; f++) {
		if (counts->functions[f].address != address)
			continue;
		for (size_t t = 0; t < counts->nr_threads; t++)
			if (thread == TRACE_ALL_THREADS || thread == t)
				calls += counts->calls[t * counts->nr_functions + f];
	}
	return calls;
}

static int main_bias(struct dl_phdr_info *info, size_t bytes, void *bias)
{
	(void)bytes;
	*(uint64_t *)bias = info->dlpi_addr;
	return 1; /* the first is the executable */
}

uint64_t trace_counts_calls(const struct trace_counts *counts, size_t thread, const void *function)
{
	uint64_t bias = 0;

	dl_iterate_phdr(main_bias, &bias);
	return trace_counts_calls_at(counts, thread, (uintptr_t)function - bias);
}

uint64_t trace_counts_lost(const struct trace_counts *counts)
{
	uint64_t lost = 0;

	for (size_t t = 0; t < counts->nr_threads; t++)
		lost += counts->threads[t].record_lost;
	return lost;
}
