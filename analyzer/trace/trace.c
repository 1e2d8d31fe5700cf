/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening one trace: chunks, live file, tables and the order of every thread's event chunks.
 *
 * Fails only when there is nothing to read or it must not be read (a newer version, an unknown required feature, no memory, a system error).
 * Everything else that is wrong becomes a problem and the rest is used.
 */
#include "trace_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live_chunk.h"
#include "trace_meta.h"

void trace_close(struct trace *trace)
{
	if (!trace)
		return;
	trace_file_close(&trace->file);
	chunk_list_deinit(&trace->chunks);
	live_file_close(&trace->live);
	table_set_deinit(&trace->set);
	timed_switches_deinit(&trace->switches);
	problems_deinit(&trace->problems);
	free(trace->meta_payload);
	free(trace->events);
	free(trace);
}

static void follow_problems(struct trace *trace)
{
	trace->state.nr_problems = trace->problems.nr;
	trace->state.problems = (const char *const *)trace->problems.lines;
}

struct cprof_error *trace_add_problem(struct trace *trace, struct problem_place place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	struct cprof_error *error = problems_add_list(&trace->problems, place, format, arguments);

	va_end(arguments);
	follow_problems(trace);
	return error;
}

struct cprof_error *trace_add_damage(struct trace *trace, uint64_t offset, uint64_t bytes, const char *why)
{
	trace->state.clean = false;
	trace->state.damaged_bytes += bytes;
	return trace_add_problem(trace, PROBLEM_AT(FINDING_DAMAGE, offset), "%s; %" PRIu64 " bytes skipped", why, bytes);
}

/* --- live file --- */

/* A live file that cannot be read is a problem only if it is needed, which is not known yet: *reason (or NULL) says why. */
static struct cprof_error *open_live(struct trace *trace, bool *exists, char **reason)
{
	char *path;

	*reason = NULL;
	if (asprintf(&path, "%s.live", trace->file.path) < 0)
		return &cprof_enomem;
	struct cprof_error *error = live_file_open(path, &trace->problems, &trace->live, exists);

	if (error && error->code != CPROF_ERROR_NO_MEMORY && error->code != CPROF_ERROR_UNSUPPORTED) {
		if (asprintf(reason, "its live file cannot be used: %s", error->message) < 0)
			*reason = NULL;
		cprof_error_free(error);
		error = NULL;
		*exists = false;
	}
	free(path);
	return error;
}

/* --- chunks that are not events --- */

static struct cprof_error *take_meta(struct trace *trace, uint32_t version, const uint8_t *payload, size_t bytes, const char **why)
{
	uint8_t *copy = malloc(bytes + 1);
	struct cprof_error *error;

	if (!copy)
		return &cprof_enomem;
	memcpy(copy, payload, bytes);
	copy[bytes] = '\0';
	error = trace_meta_parse(trace->file.path, version, copy, bytes, &trace->meta, why);
	if (error || *why) {
		free(copy);
		return error;
	}
	free(trace->meta_payload);
	trace->meta_payload = copy;
	trace->meta_bytes = bytes;
	trace->has_meta = true;
	return NULL;
}

static struct cprof_error *take_chunk(struct trace *trace, const struct frame *frame, const uint8_t *payload, const char **why)
{
	switch (frame->header.kind) {
	case CPROF_CHUNK_META:
		if (!trace->has_meta)
			return take_meta(trace, frame->header.version, payload, frame->header.payload_bytes, why);
		break;
	case CPROF_CHUNK_END:
		if (frame->header.payload_bytes < sizeof trace->end) {
			*why = "END is too short";
			break;
		}
		memcpy(&trace->end, payload, sizeof trace->end);
		trace->has_end = true;
		break;
	default:
		return table_set_add_chunk(&trace->set, &frame->header, payload, why);
	}
	return NULL;
}

static bool kind_is_known(uint16_t kind)
{
	return (kind >= CPROF_CHUNK_META && kind <= CPROF_CHUNK_SCHED) || kind == CPROF_CHUNK_ALLOC || kind == CPROF_CHUNK_LOSS || kind == CPROF_CHUNK_END;
}

static struct cprof_error *load_other_chunks(struct trace *trace, struct frame_buffer *buffer)
{
	uint64_t nr_unknown = 0;
	uint16_t unknown = 0;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < trace->chunks.nr && !error; i++) {
		const struct chunk_place *place = &trace->chunks.places[i];
		const uint8_t *payload;
		const char *why;
		struct frame frame;

		error = trace_version_check(trace->file.path, place->offset, place->version);
		if (error || place->kind == CPROF_CHUNK_EVENTS)
			continue;
		if (!kind_is_known(place->kind)) {
			unknown = place->kind;
			nr_unknown++;
			continue;
		}
		error = frame_load(&trace->file, place->offset, place->frame_bytes, true, buffer, &frame, &payload, &why);
		if (!error && !why && frame.header.kind != place->kind)
			why = "the index names another kind of chunk here";
		if (!error && !why)
			error = take_chunk(trace, &frame, payload, &why);
		if (!error && why)
			error = trace_add_damage(trace, place->offset, place->frame_bytes, why);
	}
	if (!error && nr_unknown)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_NOTE),
				     "%" PRIu64 " chunks of unknown kind (the last: %u) are not used: they need a newer cprof-analyze",
				     nr_unknown, unknown);
	return error;
}

/* --- order of the event chunks --- */

static int compare_places(const void *left, const void *right)
{
	const struct events_place *a = left, *b = right;

	if (a->thread != b->thread)
		return a->thread < b->thread ? -1 : 1;
	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	if (!a->live != !b->live) /* what is in the file counts */
		return a->live ? 1 : -1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->live < b->live ? -1 : a->live > b->live;
}

/* A place for which there is a record in the thread table. */
static struct cprof_error *add_events_place(struct trace *trace, struct events_place place)
{
	struct cprof_error *error;
	bool covered;

	error = table_set_cover_thread(&trace->set, place.thread, &covered);
	if (error)
		return error;
	if (!covered)
		return trace_add_damage(trace, place.offset, place.frame_bytes, "a chunk names a thread that cannot be");
	trace->events[trace->nr_events++] = place;
	return NULL;
}

static struct cprof_error *remove_duplicates(struct trace *trace)
{
	struct cprof_error *error = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < trace->nr_events && !error; i++) {
		const struct events_place *place = &trace->events[i], *kept = nr ? &trace->events[nr - 1] : NULL;

		if (!kept || kept->thread != place->thread || kept->sequence != place->sequence)
			trace->events[nr++] = *place;
		else if (!place->live)
			error = trace_add_damage(trace, place->offset, place->frame_bytes, "a chunk with a number that its thread has already");
	}
	trace->nr_events = nr;
	return error;
}

/*
 * Of a running process: blocks are copied one after the other, so the one that follows may be there and the one before not, as it was not in use
 * yet when its place was passed. From such a gap on a thread is as if not recorded yet.
 */
static void cut_uncopied(struct trace *trace)
{
	uint32_t thread = CPROF_NO_THREAD;
	uint64_t expected = 0;
	bool cut = false;
	size_t nr = 0;

	for (size_t i = 0; i < trace->nr_events; i++) {
		const struct events_place *place = &trace->events[i];

		if (place->thread != thread) {
			thread = place->thread;
			expected = 0;
			cut = false;
		}
		cut |= place->live && place->sequence != expected;
		expected = place->sequence + 1;
		if (!cut)
			trace->events[nr++] = *place;
	}
	trace->nr_events = nr;
}

static struct cprof_error *order_events(struct trace *trace)
{
	struct cprof_error *error = NULL;

	trace->events = malloc((trace->chunks.nr + trace->live.nr_blocks + 1) * sizeof *trace->events);
	if (!trace->events)
		return &cprof_enomem;
	for (size_t i = 0; i < trace->chunks.nr && !error; i++) {
		const struct chunk_place *place = &trace->chunks.places[i];

		if (place->kind == CPROF_CHUNK_EVENTS)
			error = add_events_place(trace, (struct events_place){ place->thread, 0, place->sequence, place->offset, place->frame_bytes, place->last_tsc });
	}
	for (size_t i = 0; i < trace->live.nr_blocks && !error; i++) {
		const struct cprof_block_header *header = &trace->live.blocks[i].header;

		error = add_events_place(trace, (struct events_place){ header->thread, (uint32_t)i + 1, header->sequence, 0, 0, 0 });
	}
	if (error)
		return error;
	qsort(trace->events, trace->nr_events, sizeof *trace->events, compare_places);
	error = remove_duplicates(trace);
	if (trace->state.active)
		cut_uncopied(trace);
	return error;
}

size_t trace_events_of(const struct trace *trace, uint32_t thread, size_t *ret_nr)
{
	size_t low = 0, high = trace->nr_events, first;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (trace->events[middle].thread < thread)
			low = middle + 1;
		else
			high = middle;
	}
	for (first = low; low < trace->nr_events && trace->events[low].thread == thread;)
		low++;
	*ret_nr = low - first;
	return first;
}

uint64_t trace_thread_last_tsc(const struct trace *trace, uint32_t thread)
{
	size_t nr, first = trace_events_of(trace, thread, &nr);
	const struct events_place *last = nr ? &trace->events[first + nr - 1] : NULL;

	if (!last)
		return 0;
	return last->live ? live_block_last_tsc(&trace->live.blocks[last->live - 1]) : last->last_tsc;
}

/* What the sequence numbers and the threads' own counts say is missing. */
static struct cprof_error *find_holes(struct trace *trace)
{
	struct cprof_error *error = NULL;

	for (size_t thread = 0, i = 0; thread < trace->set.nr_threads && !error; thread++) {
		struct problem_place problem = { FINDING_LOSS, CPROF_NO_OFFSET, (uint32_t)thread };
		uint64_t expected = 0, blocks = trace->set.threads[thread].blocks;

		for (; i < trace->nr_events && trace->events[i].thread == thread && !error; i++) {
			const struct events_place *place = &trace->events[i];

			if (place->sequence != expected) {
				trace->state.clean = false;
				error = problems_add(&trace->problems, problem, "%" PRIu64 " chunks are missing before number %" PRIu64,
						     place->sequence - expected, place->sequence);
			}
			expected = place->sequence + 1;
		}
		if (!error && blocks != UINT64_MAX && blocks > expected && !trace->state.active) {
			trace->state.clean = false;
			error = problems_add(&trace->problems, problem, "its last %" PRIu64 " chunks are missing", blocks - expected);
		}
	}
	return error;
}

/* --- opening --- */

static struct cprof_error *nothing_to_read(const struct trace *trace)
{
	if (!trace->file.bytes)
		return cprof_error_at(CPROF_ERROR_FORMAT, trace->file.path, CPROF_NO_OFFSET, "is empty");
	return cprof_error_at(CPROF_ERROR_FORMAT, trace->file.path, 0, "is not a cprof trace%s",
			      trace->problems.nr ? "" : ": no chunk in it can be read");
}

static uint64_t last_time(const struct trace *trace)
{
	uint64_t last = 0;

	for (size_t i = 0; i < trace->chunks.nr; i++) {
		if (trace->chunks.places[i].kind == CPROF_CHUNK_EVENTS && trace->chunks.places[i].last_tsc > last)
			last = trace->chunks.places[i].last_tsc;
	}
	for (size_t i = 0; i < trace->nr_events; i++) { /* what a killed process did last is in its live blocks */
		uint64_t live = trace->events[i].live ? live_block_last_tsc(&trace->live.blocks[trace->events[i].live - 1]) : 0;

		if (live > last)
			last = live;
	}
	return last;
}

static struct cprof_error *use_live_tables(struct trace *trace)
{
	struct cprof_error *error = NULL;
	const char *why = NULL;

	if (!trace->has_meta)
		error = take_meta(trace, trace->live.header->version, trace->live.header->meta, trace->live.header->meta_bytes, &why);
	if (!error)
		error = live_file_read_tables(&trace->live, &trace->set);
	if (!error && trace->live.torn_blocks)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_NOTE),
				     "live file: %" PRIu64 " blocks changed while they were read and are not used", trace->live.torn_blocks);
	return error;
}

/* A process that dies while it writes a chunk leaves a part of it; the block it came from is in the live file still. */
static struct cprof_error *note_cut_chunk(struct trace *trace)
{
	const struct chunk_list *chunks = &trace->chunks;

	if (!chunks->cut_bytes || trace->state.active)
		return NULL;
	if (trace->has_end && chunks->nr && chunks->places[chunks->nr - 1].kind == CPROF_CHUNK_END)
		return NULL; /* behind END comes only the index: that it is missing is said below */
	if (trace->state.live_used && chunks->cut_offset >= trace->live.header->trace_bytes)
		return problems_add(&trace->problems, PROBLEM_AT(FINDING_NOTE, chunks->cut_offset),
				    "the process died while it wrote a chunk; its events are in the live file");
	trace->state.damaged_bytes += chunks->cut_bytes;
	return problems_add(&trace->problems, PROBLEM_AT(FINDING_DAMAGE, chunks->cut_offset),
			    "the file ends within a chunk; its last %" PRIu64 " bytes are not used", chunks->cut_bytes);
}

static struct cprof_error *note_missing_end(struct trace *trace, const char *live_reason)
{
	if (trace->has_end || trace->state.live_used)
		return NULL;
	return problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_LOSS), "the trace has no END and %s: names and the last events are lost",
			    live_reason ? live_reason : "no live file is beside it");
}

/* The order is that of live_file.h. */
static struct cprof_error *load(struct trace *trace, struct frame_buffer *buffer, char **live_reason)
{
	bool live_exists;
	struct cprof_error *error = open_live(trace, &live_exists, live_reason);

	if (!error)
		error = trace_file_refresh(&trace->file);
	if (!error)
		error = chunk_list_make(&trace->file, &trace->problems, &trace->chunks);
	if (error)
		return error;
	trace->state.damaged_bytes = trace->chunks.damaged_bytes;
	if (!trace->chunks.nr && !live_exists)
		return nothing_to_read(trace);
	table_set_init(&trace->set, trace->file.bytes + (live_exists ? trace->live.file.bytes : 0) + 4096);
	error = load_other_chunks(trace, buffer);
	if (error)
		return error;
	trace->state.live_used = live_exists && !trace->has_end;
	if (!trace->state.live_used)
		live_file_close(&trace->live);
	else
		error = use_live_tables(trace);
	if (!error)
		error = note_cut_chunk(trace);
	if (!error && trace->has_end && trace->end.contexts)
		error = table_set_cover_contexts(&trace->set, trace->end.contexts - 1);
	trace->state.clean = trace->has_end && trace->has_meta && !trace->state.damaged_bytes;
	if (!error)
		error = order_events(trace);
	if (!error)
		error = find_holes(trace);
	if (!error)
		error = note_missing_end(trace, *live_reason);
	if (!error && trace->has_end && !trace->chunks.from_index && !trace->state.active)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "the index is %s: the chunks were found by reading through the file",
				     trace->chunks.index_seen ? "damaged" : "missing");
	if (!error && !trace->has_meta)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "META is missing: who wrote the trace is not known");
	return error ? error : table_set_finish(&trace->set, &trace->problems, &trace->tables);
}

struct cprof_error *trace_open(const char *path, struct trace **ret)
{
	struct trace *trace = calloc(1, sizeof *trace);
	struct frame_buffer buffer = { 0 };
	char *live_reason = NULL;

	if (!trace)
		return &cprof_enomem;
	trace->file.fd = trace->live.file.fd = -1;
	trace->meta = (struct trace_meta){ .exe = "", .command_line = "", .working_directory = "", .writer = "" };
	struct cprof_error *error = trace_file_open(path, &trace->file);

	if (!error) {
		trace->state.active = trace_file_is_locked(&trace->file);
		error = load(trace, &buffer, &live_reason);
	}
	frame_buffer_deinit(&buffer);
	free(live_reason);
	if (error) {
		trace_close(trace);
		return error;
	}
	trace->state.file_bytes = trace->file.bytes + (trace->state.live_used ? trace->live.bytes_read : 0);
	trace->state.end_tsc = trace->has_end ? trace->end.end_tsc : last_time(trace);
	follow_problems(trace);
	*ret = trace;
	return NULL;
}

struct cprof_error *trace_make_empty(const char *path, const struct trace_meta *meta, const struct trace_state *state, struct trace **ret)
{
	struct trace *trace = calloc(1, sizeof *trace);
	struct cprof_error *error;

	if (!trace)
		return &cprof_enomem;
	trace->file.fd = trace->live.file.fd = -1;
	trace->file.path = strdup(path);
	trace->meta = *meta;
	trace->meta.fixed.clock_source = CPROF_CLOCK_MONOTONIC_NS;
	trace->is_empty = true;
	trace->has_meta = true;
	table_set_init(&trace->set, 4096);
	error = trace->file.path ? table_set_finish(&trace->set, &trace->problems, &trace->tables) : &cprof_enomem;
	if (error) {
		trace_close(trace);
		return error;
	}
	trace->state = *state;
	trace->state.nr_problems = 0;
	trace->state.problems = NULL;
	*ret = trace;
	return NULL;
}

/* --- event chunks --- */

static const char *check_columns(struct events_chunk *chunk, const uint8_t *payload)
{
	struct cprof_events_header columns;

	if (chunk->header.payload_bytes < sizeof columns)
		return "an EVENTS chunk is too short";
	memcpy(&columns, payload, sizeof columns);
	if (sizeof columns + (uint64_t)columns.closed_bytes + columns.ids_bytes + columns.times_bytes != chunk->header.payload_bytes)
		return "the columns of an EVENTS chunk do not add up to its payload";
	if (columns.closed_items > columns.closed_bytes / 2 || chunk->header.items > columns.ids_bytes)
		return "an EVENTS chunk says it has more items than bytes";
	if (columns.closed_items > chunk->header.depth)
		return "an EVENTS chunk closes more calls than were open";
	chunk->closed = payload + sizeof columns;
	chunk->ids = chunk->closed + columns.closed_bytes;
	chunk->times = chunk->ids + columns.ids_bytes;
	chunk->closed_bytes = columns.closed_bytes;
	chunk->ids_bytes = columns.ids_bytes;
	chunk->times_bytes = columns.times_bytes;
	chunk->closed_items = columns.closed_items;
	return NULL;
}

struct cprof_error *trace_load_events(struct trace *trace, const struct events_place *place, bool thorough, bool raw, struct frame_buffer *buffer,
				      struct events_chunk *ret, const char **why)
{
	struct events_chunk chunk = { .hole_before = false };
	const uint8_t *payload;
	struct frame frame;
	struct cprof_error *error = frame_load(&trace->file, place->offset, place->frame_bytes, thorough, buffer, &frame, &payload, why);

	if (error || *why)
		return error;
	if (frame.header.kind != CPROF_CHUNK_EVENTS || frame.header.thread != place->thread || frame.header.sequence != place->sequence) {
		*why = "the index names another chunk here";
		return NULL;
	}
	error = trace_version_check(trace->file.path, place->offset, frame.header.version);
	if (error)
		return error;
	chunk.header = frame.header;
	*why = check_columns(&chunk, payload);
	if (*why)
		return NULL;
	if (!raw && chunk.header.context >= trace->tables.nr_contexts)
		chunk.header.context = 0;
	*ret = chunk;
	return NULL;
}
