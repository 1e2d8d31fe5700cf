/* SPDX-License-Identifier: BSD-2-Clause */
#include "export_chrome.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "context_names.h"
#include "event_decoder.h"
#include "json_writer.h"

struct chrome {
	FILE *out;
	struct json_writer json;
	struct context_names names;
	struct trace *trace;
	uint32_t pid;
	uint64_t start_ticks;
	double hz;
	bool force;
};

struct chrome_thread {
	struct chrome *chrome;
	uint32_t tid;
	uint64_t last_ns;     /* of the event written last, + 1: the earliest time of the next */
	uint64_t last_ticks;
	const char **open;    /* names of the open slices, outermost first */
	size_t depth, capacity;
	uint64_t repair;      /* so many of them end with the next event */
};

static uint64_t chrome_ns(const struct chrome *chrome, uint64_t ticks)
{
	uint64_t since = ticks > chrome->start_ticks ? ticks - chrome->start_ticks : 0;

	return chrome->hz > 0 ? (uint64_t)((long double)since * 1e9L / (long double)chrome->hz + 0.5L) : since;
}

static void open_event(struct chrome *chrome, const char *phase, uint32_t tid)
{
	json_line(&chrome->json);
	json_begin_object(&chrome->json, NULL);
	json_text(&chrome->json, "ph", phase);
	json_u64(&chrome->json, "pid", chrome->pid);
	json_u64(&chrome->json, "tid", tid);
}

/* Microseconds with three decimals, as the format wants it. */
static void write_time(struct chrome_thread *thread, uint64_t ticks)
{
	uint64_t ns = chrome_ns(thread->chrome, ticks);

	ns = ns > thread->last_ns ? ns : thread->last_ns;
	thread->last_ns = ns + 1;
	thread->last_ticks = ticks;
	fprintf(thread->chrome->out, ",\"ts\":%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

/* "ph" B or E. Both carry the name: speedscope finds the slice to end by it. */
static void write_event(struct chrome_thread *thread, const char *phase, uint64_t ticks, const char *name)
{
	open_event(thread->chrome, phase, thread->tid);
	write_time(thread, ticks);
	json_text(&thread->chrome->json, "name", name);
	json_end_object(&thread->chrome->json);
}

static struct cprof_error *write_begin(struct chrome_thread *thread, uint64_t ticks, const char *name)
{
	if (thread->depth == thread->capacity) {
		size_t capacity = thread->capacity ? 2 * thread->capacity : 64;
		const char **grown = realloc(thread->open, capacity * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		thread->open = grown;
		thread->capacity = capacity;
	}
	thread->open[thread->depth++] = name;
	write_event(thread, "B", ticks, name);
	return NULL;
}

static void write_ends(struct chrome_thread *thread, uint64_t ticks, uint64_t count)
{
	for (; count && thread->depth && !ferror(thread->chrome->out); count--)
		write_event(thread, "E", ticks, thread->open[--thread->depth]);
}

static struct cprof_error *write_item(struct chrome_thread *thread, const struct event_item *item)
{
	if (item->kind == EVENT_ESCAPE) {
		if (item->id == CPROF_ESCAPE_REPAIR)
			thread->repair = item->payload > UINT64_MAX - thread->repair ? UINT64_MAX : thread->repair + item->payload;
		else if (item->id == CPROF_ESCAPE_LOST)
			write_ends(thread, thread->last_ticks, UINT64_MAX);
		return NULL;
	}
	write_ends(thread, item->ticks, thread->repair);
	thread->repair = 0;
	if (item->kind == EVENT_ENTER)
		return write_begin(thread, item->ticks, context_names_get(&thread->chrome->names, item->id));
	write_ends(thread, item->ticks, 1);
	return NULL;
}

static struct cprof_error *too_large(void)
{
	return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "more than %u MB of Chrome events, which no viewer opens; export --to=speedscope sums up, --force writes it all the same",
				  EXPORT_CHROME_MAX_BYTES >> 20);
}

static struct cprof_error *write_chunk(struct chrome_thread *thread, const struct events_chunk *chunk)
{
	struct event_decoder decoder = event_decoder_make(chunk);
	struct event_item item;
	bool end = false;

	if (chunk->hole_before)
		write_ends(thread, thread->last_ticks, UINT64_MAX);
	while (!ferror(thread->chrome->out)) {
		struct cprof_error *error = event_decoder_next(&decoder, &item, &end);

		if (error || end)
			return error;
		error = write_item(thread, &item);
		if (error)
			return error;
	}
	return NULL;
}

static void write_name(struct chrome *chrome, const char *kind, uint32_t tid, const char *name)
{
	open_event(chrome, "M", tid);
	json_text(&chrome->json, "name", kind);
	json_begin_object(&chrome->json, "args");
	json_text(&chrome->json, "name", name);
	json_end_object(&chrome->json);
	json_end_object(&chrome->json);
}

static struct cprof_error *write_thread(struct chrome *chrome, const struct cprof_thread *record)
{
	struct chrome_thread thread = { .chrome = chrome, .tid = record->tid };
	char name[sizeof record->name + 1] = "";
	struct trace_cursor *cursor;
	struct events_chunk chunk;
	bool end = false;
	struct cprof_error *error = trace_cursor_create(chrome->trace, record->index, &cursor);

	if (error)
		return error;
	memcpy(name, record->name, sizeof record->name);
	write_name(chrome, "thread_name", record->tid, name);
	while (!error && !ferror(chrome->out)) {
		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		error = write_chunk(&thread, &chunk);
		if (!error && !chrome->force && ftello(chrome->out) > (off_t)EXPORT_CHROME_MAX_BYTES)
			error = too_large();
	}
	write_ends(&thread, thread.last_ticks, UINT64_MAX);
	free(thread.open);
	trace_cursor_destroy(cursor);
	return error;
}

static struct cprof_error *write_trace(struct chrome *chrome, struct session *session, size_t index, struct symbolizer *symbolizer)
{
	const struct trace_meta *meta;
	const struct trace_tables *tables;
	struct cprof_error *error = context_names_init(&chrome->names, session, index, symbolizer);

	if (error)
		return error;
	chrome->trace = session_trace(session, index);
	meta = trace_meta(chrome->trace);
	tables = trace_tables(chrome->trace);
	chrome->hz = trace_clock_hz(chrome->trace);
	chrome->pid = meta->fixed.pid;
	write_name(chrome, "process_name", meta->fixed.pid, *meta->command_line ? meta->command_line : meta->exe);
	for (size_t i = 0; i < tables->nr_threads && !error; i++)
		error = write_thread(chrome, &tables->threads[i]);
	context_names_deinit(&chrome->names);
	return error;
}

struct cprof_error *export_chrome(FILE *out, struct session *session, struct symbolizer *symbolizer, bool force)
{
	struct chrome chrome = { .out = out, .force = force, .start_ticks = UINT64_MAX };
	struct cprof_error *error = NULL;

	/* Processes of one run have one clock; the earliest clock pair is 0. */
	for (size_t i = 0; i < session_nr_traces(session); i++) {
		const struct trace_tables *tables = trace_tables(session_trace(session, i));

		if (tables->nr_clocks && tables->clocks[0].tsc < chrome.start_ticks)
			chrome.start_ticks = tables->clocks[0].tsc;
	}
	if (chrome.start_ticks == UINT64_MAX)
		chrome.start_ticks = 0;
	json_init(&chrome.json, out);
	json_begin_object(&chrome.json, NULL);
	json_text(&chrome.json, "displayTimeUnit", "ns");
	json_begin_array(&chrome.json, "traceEvents");
	for (size_t i = 0; i < session_nr_traces(session) && !error; i++)
		error = write_trace(&chrome, session, i, symbolizer);
	json_end_array(&chrome.json);
	json_end_object(&chrome.json);
	json_finish(&chrome.json);
	return error;
}
