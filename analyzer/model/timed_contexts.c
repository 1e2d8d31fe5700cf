/* SPDX-License-Identifier: BSD-2-Clause */
/* See timed_contexts.h. */
#include "timed_contexts.h"

#include <stdlib.h>
#include <string.h>

#include "call_stack.h"
#include "event_decoder.h"
#include "kernel_file.h"
#include "vec.h"

struct moment {
	uint32_t trace, thread, context;
	uint64_t ticks;
};

/* A thread as the kernel half names it. */
struct thread_name {
	const struct kernel_file *file;
	uint32_t tgid, tid;
	uint64_t start_ns, end_ns; /* of its image */
	uint64_t start_ticks;
	uint32_t trace, thread;
};

struct timed_contexts {
	const struct session *session;
	struct thread_name *names; /* in order of compare_names */
	size_t nr_names;
	struct moment *moments; /* in order of compare_moments */
	size_t nr_moments, capacity;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_names(const void *left, const void *right)
{
	const struct thread_name *a = left, *b = right;
	int order = compare_numbers((uintptr_t)a->file, (uintptr_t)b->file);

	order = order ? order : compare_numbers((uint64_t)a->tgid << 32 | a->tid, (uint64_t)b->tgid << 32 | b->tid);
	order = order ? order : compare_numbers(a->start_ns, b->start_ns);
	return order ? order : compare_numbers(a->start_ticks, b->start_ticks);
}

static int compare_moments(const void *left, const void *right)
{
	const struct moment *a = left, *b = right;
	int order = compare_numbers((uint64_t)a->trace << 32 | a->thread, (uint64_t)b->trace << 32 | b->thread);

	return order ? order : compare_numbers(a->ticks, b->ticks);
}

uint64_t timed_middle_ns(const struct cprof_kernel_off_cpu *off)
{
	return off->time_ns + (off->blocked_ns + off->runq_ns) / 2;
}

/* --- threads --- */

static struct cprof_error *names_make(struct timed_contexts *contexts)
{
	size_t capacity = 0;

	for (uint32_t i = 0; i < session_nr_traces(contexts->session); i++) {
		struct trace_kernel place = session_trace_kernel(contexts->session, i);
		const struct trace_tables *tables = trace_tables(session_trace(contexts->session, i));

		for (uint32_t thread = 0; place.file && thread < tables->nr_threads; thread++) {
			const struct cprof_thread *record = &tables->threads[thread];

			if (record->flags & CPROF_THREAD_STRAND || !record->kernel_tid)
				continue;
			if (!vec_reserve(&contexts->names, &capacity, contexts->nr_names + 1, sizeof *contexts->names))
				return &cprof_enomem;
			contexts->names[contexts->nr_names++] = (struct thread_name){
				.file = place.file, .tgid = place.tgid, .tid = record->kernel_tid, .end_ns = place.end_ns, .start_ticks = record->start_tsc, .trace = i,
				.thread = thread, .start_ns = tables->nr_clocks ? tables->clocks[0].monotonic_ns : 0
			};
		}
	}
	if (contexts->nr_names)
		qsort(contexts->names, contexts->nr_names, sizeof *contexts->names, compare_names);
	return NULL;
}

/* The last one not behind the key, if it is of the same thread. */
static const struct thread_name *name_before(const struct timed_contexts *contexts, const struct thread_name *key)
{
	size_t low = 0, high = contexts->nr_names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(&contexts->names[middle], key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	const struct thread_name *name = low ? &contexts->names[low - 1] : NULL;

	return name && name->file == key->file && name->tgid == key->tgid && name->tid == key->tid ? name : NULL;
}

/* Images of a process, and threads of an image, may have the same numbers one after the other: the last one that began before the time. */
static const struct thread_name *name_find(const struct timed_contexts *contexts, const struct kernel_file *file, uint32_t tgid, uint32_t tid, uint64_t time_ns)
{
	struct thread_name key = { .file = file, .tgid = tgid, .tid = tid, .start_ns = time_ns, .start_ticks = UINT64_MAX };
	const struct thread_name *image = name_before(contexts, &key), *name;

	if (!image || time_ns >= image->end_ns)
		return NULL;
	key.start_ns = image->start_ns;
	key.start_ticks = trace_ticks_at(session_trace(contexts->session, image->trace), time_ns);
	name = name_before(contexts, &key);
	return name && name->start_ns == image->start_ns ? name : NULL;
}

static bool moment_make(const struct timed_contexts *contexts, const struct kernel_file *file, const struct cprof_who *who, uint64_t time_ns, struct moment *ret)
{
	const struct thread_name *name = name_find(contexts, file, who->tgid, who->tid, time_ns);

	if (!name)
		return false;
	*ret = (struct moment){ name->trace, name->thread, 0, trace_ticks_at(session_trace(contexts->session, name->trace), time_ns) };
	return true;
}

/* --- collecting --- */

struct collecting {
	struct timed_contexts *contexts;
	const struct kernel_file *file;
};

static struct cprof_error *collect(struct collecting *collecting, const struct cprof_who *who, uint64_t time_ns)
{
	struct timed_contexts *contexts = collecting->contexts;
	struct moment moment;

	if (who->quality != CPROF_QUALITY_TIMED || !moment_make(contexts, collecting->file, who, time_ns, &moment))
		return NULL;
	if (!vec_reserve(&contexts->moments, &contexts->capacity, contexts->nr_moments + 1, sizeof moment))
		return &cprof_enomem;
	contexts->moments[contexts->nr_moments++] = moment;
	return NULL;
}

static struct cprof_error *collect_sample(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct cprof_kernel_sample sample;

	(void)header;
	memcpy(&sample, record, sizeof sample);
	return collect(context, &sample.who, sample.time_ns);
}

static struct cprof_error *collect_off_cpu(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct cprof_kernel_off_cpu off;

	(void)header;
	memcpy(&off, record, sizeof off);
	if (!kernel_file_is_last_word(((struct collecting *)context)->file, &off))
		return NULL;
	return collect(context, &off.who, timed_middle_ns(&off));
}

static bool is_timed(const struct kernel_file *file)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tables->processes[i].flags & CPROF_KERNEL_PROCESS_TIMED)
			return true;
	return false;
}

static struct cprof_error *moments_collect(struct timed_contexts *contexts)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < session_nr_kernels(contexts->session); i++) {
		struct kernel_file *file = session_kernel(contexts->session, i);
		struct collecting collecting = { contexts, file };

		if (!is_timed(file))
			continue;
		error = kernel_file_each(file, CPROF_CHUNK_KERNEL_SAMPLES, collect_sample, &collecting);
		if (!error)
			error = kernel_file_each(file, CPROF_CHUNK_KERNEL_OFF_CPU, collect_off_cpu, &collecting);
	}
	if (contexts->nr_moments)
		qsort(contexts->moments, contexts->nr_moments, sizeof *contexts->moments, compare_moments);
	return error;
}

/* --- looking --- */

struct walk {
	const struct trace_tables *tables;
	struct call_stack stack;
	struct event_decoder decoder, named; /* of the chunk; the second gives the calls that were open before it, as they close */
	uint64_t repairs;            /* that many calls end with the next event */
	bool suspended;              /* the thread runs a coroutine */
	struct moment *next, *end;
};

static void moments_give(struct walk *walk, uint64_t before_ticks, uint32_t context)
{
	if (context >= walk->tables->nr_contexts) /* a hostile column's */
		context = 0;
	for (; walk->next < walk->end && walk->next->ticks < before_ticks; walk->next++)
		walk->next->context = context;
}

/* What is below an open call from before the chunk, only the chunk's own list of them can say where recursion was folded. */
static void leave(struct walk *walk)
{
	bool unnamed = !walk->stack.nr;
	struct closed_call call;
	bool end = true;

	if (!call_stack_pop(&walk->stack, walk->tables, NULL) || !unnamed)
		return;
	cprof_error_free(event_decoder_next_closed(&walk->named, &call, &end));
	if (!end && call.id < walk->tables->nr_contexts && walk->stack.unknown)
		walk->stack.current = walk->tables->contexts[call.id].parent;
}

static struct cprof_error *item_take(struct walk *walk, const struct event_item *item)
{
	if (item->kind == EVENT_ESCAPE) {
		if (item->id == CPROF_ESCAPE_REPAIR) {
			walk->repairs = item->payload;
		} else if (item->id == CPROF_ESCAPE_LOST) {
			call_stack_reset(&walk->stack, 0, 0);
		} else if (item->id == CPROF_ESCAPE_SUSPEND || item->id == CPROF_ESCAPE_RESUME) {
			walk->suspended = item->id == CPROF_ESCAPE_SUSPEND;
			moments_give(walk, item->ticks, walk->suspended ? walk->stack.current : 0);
		}
		return NULL;
	}
	moments_give(walk, item->ticks, walk->stack.current);
	for (; walk->repairs && walk->stack.current; walk->repairs--)
		leave(walk);
	walk->repairs = 0;
	if (item->kind == EVENT_ENTER)
		return call_stack_push(&walk->stack, walk->tables, item->id, item->ticks);
	leave(walk);
	return NULL;
}

/* Columns that make no sense: what they should have told stays unknown. */
static struct cprof_error *chunk_walk(struct walk *walk, const struct events_chunk *chunk)
{
	struct cprof_error *error = NULL;

	call_stack_reset(&walk->stack, chunk->header.depth, chunk->header.context);
	walk->decoder = walk->named = event_decoder_make(chunk);
	for (bool end = false; !error;) {
		struct event_item item;

		error = event_decoder_next(&walk->decoder, &item, &end);
		if (error || end)
			break;
		error = item_take(walk, &item);
	}
	if (error && error->code == CPROF_ERROR_FORMAT) {
		cprof_error_free(error);
		error = NULL;
		call_stack_reset(&walk->stack, 0, 0);
	}
	return error;
}

static struct cprof_error *thread_walk(struct trace *trace, uint32_t thread, struct moment *first, struct moment *last)
{
	struct walk walk = { .tables = trace_tables(trace), .next = first, .end = last };
	uint64_t blocks = walk.tables->threads[thread].blocks;
	struct trace_cursor *cursor;
	struct cprof_error *error = trace_cursor_create(trace, thread, &cursor);

	if (error)
		return error;
	bool at_end = false; /* of all that there is of the thread */

	while (!error && walk.next < walk.end) {
		struct events_chunk chunk;
		bool end = false, walks;

		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		if (chunk.hole_before)
			moments_give(&walk, chunk.header.first_tsc, 0);
		at_end = chunk.header.sequence + 1 >= blocks;
		walks = walk.next < walk.end && (walk.next->ticks <= chunk.header.last_tsc || at_end);
		at_end &= walks;
		if (walks)
			error = chunk_walk(&walk, &chunk);
	}
	moments_give(&walk, UINT64_MAX, at_end && !walk.suspended ? walk.stack.current : 0);
	call_stack_deinit(&walk.stack);
	trace_cursor_destroy(cursor);
	return error;
}

static struct cprof_error *moments_look(struct timed_contexts *contexts)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0, next; !error && i < contexts->nr_moments; i = next) {
		const struct moment *first = &contexts->moments[i];

		for (next = i + 1; next < contexts->nr_moments; next++)
			if (contexts->moments[next].trace != first->trace || contexts->moments[next].thread != first->thread)
				break;
		error = thread_walk(session_trace(contexts->session, first->trace), first->thread, contexts->moments + i, contexts->moments + next);
	}
	return error;
}

/* --- all of it --- */

struct cprof_error *timed_contexts_create(const struct session *session, struct timed_contexts **ret)
{
	struct timed_contexts *contexts = calloc(1, sizeof *contexts);
	struct cprof_error *error;

	*ret = NULL;
	if (!contexts)
		return &cprof_enomem;
	contexts->session = session;
	error = names_make(contexts);
	if (!error)
		error = moments_collect(contexts);
	if (!error)
		error = moments_look(contexts);
	if (error || !contexts->nr_moments)
		timed_contexts_destroy(contexts);
	else
		*ret = contexts;
	return error;
}

void timed_contexts_destroy(struct timed_contexts *contexts)
{
	if (!contexts)
		return;
	free(contexts->names);
	free(contexts->moments);
	free(contexts);
}

bool timed_contexts_find(const struct timed_contexts *contexts, const struct kernel_file *file, const struct cprof_who *who, uint64_t time_ns, uint32_t *trace,
			 uint32_t *context)
{
	struct moment key;
	const struct moment *found;

	if (!contexts || !moment_make(contexts, file, who, time_ns, &key))
		return false;
	found = bsearch(&key, contexts->moments, contexts->nr_moments, sizeof key, compare_moments);
	if (!found)
		return false;
	*trace = found->trace;
	*context = found->context;
	return true;
}
