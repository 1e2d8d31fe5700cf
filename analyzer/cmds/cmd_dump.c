/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze dump: the trace as it is, for people and programs that want every event. Lines are independent of each other. */
#include "analysis.h"
#include "commands.h"
#include "context_names.h"
#include "dump_kernel.h"
#include "slots.h"
#include "event_decoder.h"
#include "output_file.h"
#include "record_writer.h"
#include "session_choice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct dump_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format;
	bool events;
	uint64_t limit;
	const char *threads;
};

static const struct dump_args dump_defaults = { .limit = UINT64_MAX };

static const struct cprof_option dump_options[] = {
	OPT_CHOICE("format", 0, dump_args, format, format_names, "form of the result; json: one object in each line; csv: one table for all"),
	OPT_FLAG("events", 'e', dump_args, events, "also every enter, exit and escape"),
	OPT_TEXT("thread", 't', dump_args, threads, "LIST", "only these threads: names or ids, separated by commas"),
	OPT_COUNT("limit", 'n', dump_args, limit, "stop after N lines"),
	OUTPUT_OPTIONS(dump_args, output),
	TEXT_OPTIONS(dump_args, text),
	SOURCE_OPTIONS(dump_args, source),
	OPT_END
};

struct dump {
	FILE *out;
	const struct dump_args *args;
	struct text_style style;
	struct record_writer record;
	struct trace *trace;
	const struct trace_tables *tables;
	const bool *threads; /* of the trace: what is chosen; NULL: all */
	struct context_names names;
	uint64_t start_ticks;
	double hz;
	uint64_t lines;
};

static bool is_full(const struct dump *dump)
{
	return dump->lines >= dump->args->limit || ferror(dump->out);
}

/* ns since the trace's first clock pair; ticks where the rate is unknown. */
static uint64_t relative_ns(const struct dump *dump, uint64_t ticks)
{
	uint64_t since = ticks > dump->start_ticks ? ticks - dump->start_ticks : 0;

	return dump->hz > 0 ? (uint64_t)((long double)since * 1e9L / (long double)dump->hz + 0.5L) : since;
}

static const char *escape_name(uint32_t kind)
{
	switch (kind) {
#define CPROF_X(name, number, what) \
	case number: \
		return #name;
		CPROF_ESCAPES(CPROF_X)
#undef CPROF_X
	}
	return "UNKNOWN";
}

static const char *chunk_name(uint32_t kind)
{
	switch (kind) {
#define CPROF_X(name, number, what) \
	case number: \
		return #name;
		CPROF_CHUNK_KINDS(CPROF_X)
#undef CPROF_X
	}
	return "unknown";
}

/* Of records as CSV. */
static const char *const dump_columns[] = {
	"record", "kind", "index", "tid", "thread", "sequence", "hole_before", "ns", "ticks", "id", "parent", "target", "flags", "path", "bias", "start", "end",
	"build_id", "name", "function_module", "function", "site_module", "call_site", "hook_module", "hook_return", "start_ticks", "end_ticks", "chunks",
	"lost_events", "repaired_calls", "unmatched_exits", "items", "payload_bytes", "first_ns", "last_ns", "depth", "context", "closes", "escape", "payload", NULL
};

static void record_open(struct dump *dump, const char *kind)
{
	record_begin(&dump->record);
	record_text(&dump->record, "record", kind);
}

static void record_close(struct dump *dump)
{
	record_end(&dump->record);
	dump->lines++;
}

static void text_close(struct dump *dump)
{
	fputc('\n', dump->out);
	dump->lines++;
}

static void dump_module(struct dump *dump, const struct cprof_module *module)
{
	if (dump->args->format != FORMAT_TEXT) {
		char build_id[2 * sizeof module->build_id + 1] = "";

		for (size_t i = 0; i < module->build_id_bytes && i < sizeof module->build_id; i++)
			snprintf(build_id + 2 * i, 3, "%02x", module->build_id[i]);
		record_open(dump, "module");
		record_u64(&dump->record, "id", module->id);
		record_text(&dump->record, "path", module->path);
		record_u64(&dump->record, "bias", module->bias);
		record_u64(&dump->record, "start", module->start);
		record_u64(&dump->record, "end", module->end);
		record_text(&dump->record, "build_id", build_id);
		record_close(dump);
		return;
	}
	fprintf(dump->out, "module %" PRIu32 "  0x%" PRIx64 "-0x%" PRIx64 "  bias 0x%" PRIx64 "  ", module->id, module->start, module->end, module->bias);
	text_print(&dump->style, dump->out, module->path, TEXT_WIDTH_MAX);
	text_close(dump);
}

static void dump_thread(struct dump *dump, const struct cprof_thread *thread)
{
	char name[sizeof thread->name + 1] = "";

	memcpy(name, thread->name, sizeof thread->name);
	if (dump->args->format != FORMAT_TEXT) {
		record_open(dump, "thread");
		record_u64(&dump->record, "index", thread->index);
		record_u64(&dump->record, "tid", thread->tid);
		record_text(&dump->record, "name", name);
		record_u64(&dump->record, "start_ticks", thread->start_tsc);
		record_u64(&dump->record, "end_ticks", thread->end_tsc);
		record_u64(&dump->record, "chunks", thread->blocks);
		record_u64(&dump->record, "lost_events", thread->lost_events);
		record_u64(&dump->record, "repaired_calls", thread->repaired_calls);
		record_u64(&dump->record, "unmatched_exits", thread->unmatched_exits);
		record_close(dump);
		return;
	}
	fprintf(dump->out, "thread %" PRIu32 "  tid %" PRIu32 "  chunks %" PRIu64 "  lost %" PRIu64 "  repaired %" PRIu64 "  unmatched %" PRIu64 "  ", thread->index,
		thread->tid, thread->blocks, thread->lost_events, thread->repaired_calls, thread->unmatched_exits);
	text_print(&dump->style, dump->out, name, TEXT_WIDTH_MAX);
	text_close(dump);
}

static void dump_context(struct dump *dump, uint32_t id)
{
	const struct cprof_context *context = &dump->tables->contexts[id];
	const char *name = context_names_get(&dump->names, id);

	if (dump->args->format != FORMAT_TEXT) {
		record_open(dump, context->target == id ? "context" : "edge");
		record_u64(&dump->record, "id", id);
		record_u64(&dump->record, "parent", context->parent);
		record_u64(&dump->record, "target", context->target);
		record_u64(&dump->record, "flags", context->flags);
		record_text(&dump->record, "name", name);
		record_u64(&dump->record, "function_module", context->function_module);
		record_u64(&dump->record, "function", context->function);
		record_u64(&dump->record, "site_module", context->site_module);
		record_u64(&dump->record, "call_site", context->call_site);
		record_u64(&dump->record, "hook_module", context->hook_module);
		record_u64(&dump->record, "hook_return", context->hook_return);
		record_close(dump);
		return;
	}
	fprintf(dump->out, "%s %" PRIu32 "  parent %" PRIu32, context->target == id ? "context" : "edge", id, context->parent);
	if (context->target != id)
		fprintf(dump->out, "  back to %" PRIu32, context->target);
	fprintf(dump->out, "  function %" PRIu32 "+0x%" PRIx64 "  site %" PRIu32 "+0x%" PRIx64 "  ", context->function_module, context->function,
		context->site_module, context->call_site);
	text_print(&dump->style, dump->out, name, TEXT_WIDTH_MAX);
	text_close(dump);
}

static void dump_chunk(struct dump *dump, const struct events_chunk *chunk)
{
	const struct cprof_chunk_header *header = &chunk->header;

	if (dump->args->format != FORMAT_TEXT) {
		record_open(dump, "chunk");
		record_text(&dump->record, "kind", chunk_name(header->kind));
		record_u64(&dump->record, "thread", header->thread);
		record_u64(&dump->record, "sequence", header->sequence);
		record_bool(&dump->record, "hole_before", chunk->hole_before);
		record_u64(&dump->record, "items", header->items);
		record_u64(&dump->record, "payload_bytes", header->payload_bytes);
		record_u64(&dump->record, "first_ns", relative_ns(dump, header->first_tsc));
		record_u64(&dump->record, "last_ns", relative_ns(dump, header->last_tsc));
		record_u64(&dump->record, "depth", header->depth);
		record_u64(&dump->record, "context", header->context);
		record_u64(&dump->record, "closes", chunk->closed_items);
		record_close(dump);
		return;
	}
	if (chunk->hole_before)
		fprintf(dump->out, "hole in thread %" PRIu32 "\n", header->thread);
	fprintf(dump->out,
		"chunk %s  thread %" PRIu32 "  sequence %" PRIu64 "  items %" PRIu32 "  bytes %" PRIu64 "  ns %" PRIu64 "-%" PRIu64 "  depth %" PRIu32 "  context %" PRIu32
		"  closes %" PRIu32,
		chunk_name(header->kind), header->thread, header->sequence, header->items, header->payload_bytes, relative_ns(dump, header->first_tsc),
		relative_ns(dump, header->last_tsc), header->depth, header->context, chunk->closed_items);
	text_close(dump);
}

/* What a SCHED escape says: a sum since the thread's beginning. */
static void print_figure(FILE *out, uint32_t payload)
{
	static const char *const names[] = { "switches", "faults", "runq_ns" };
	static const char *const reasons[] = {
#define CPROF_X(name, number, key, what) [number] = key,
		CPROF_BLOCKED_CLASSES(CPROF_X)
#undef CPROF_X
	};
	uint32_t kind = payload >> CPROF_SCHED_VALUE_BITS, low = payload & ((1u << CPROF_SCHED_VALUE_BITS) - 1);

	if (kind < CPROF_SCHED_BLOCKED)
		fprintf(out, " (%s %" PRIu32 ")", names[kind], low);
	else if (kind < CPROF_SCHED_BLOCKED + CPROF_BLOCKED_COUNT)
		fprintf(out, " (blocked_ns:%s %" PRIu32 ")", reasons[kind - CPROF_SCHED_BLOCKED], low);
	else if (kind == CPROF_SCHED_HIGH)
		fprintf(out, " (of the next: + %" PRIu64 ")", (uint64_t)low << CPROF_SCHED_VALUE_BITS);
}

static void dump_event(struct dump *dump, uint32_t thread, const struct event_item *item)
{
	static const char *const kinds[] = { "enter", "exit", "exit-to", "escape" };
	bool has_id = item->kind == EVENT_ENTER || item->kind == EVENT_EXIT_EXPLICIT;
	uint64_t ns = relative_ns(dump, item->ticks);

	if (dump->args->format != FORMAT_TEXT) {
		record_open(dump, kinds[item->kind]);
		record_u64(&dump->record, "thread", thread);
		record_u64(&dump->record, "ns", ns);
		record_u64(&dump->record, "ticks", item->ticks);
		if (has_id)
			record_u64(&dump->record, "id", item->id);
		if (item->kind == EVENT_ENTER)
			record_text(&dump->record, "name", context_names_get(&dump->names, item->id));
		if (item->kind == EVENT_ESCAPE) {
			record_text(&dump->record, "escape", escape_name(item->id));
			record_u64(&dump->record, "payload", item->payload);
		}
		record_close(dump);
		return;
	}
	fprintf(dump->out, "%" PRIu32 " %" PRIu64 " %s", thread, ns, kinds[item->kind]);
	if (has_id)
		fprintf(dump->out, " %" PRIu32, item->id);
	if (item->kind == EVENT_ENTER) {
		fputc(' ', dump->out);
		text_print(&dump->style, dump->out, context_names_get(&dump->names, item->id), TEXT_WIDTH_MAX);
	}
	if (item->kind == EVENT_ESCAPE)
		fprintf(dump->out, " %s %" PRIu64, escape_name(item->id), item->payload);
	if (item->kind == EVENT_ESCAPE && item->id == CPROF_ESCAPE_SCHED)
		print_figure(dump->out, (uint32_t)item->payload);
	text_close(dump);
}

static struct cprof_error *dump_events(struct dump *dump, const struct events_chunk *chunk)
{
	struct event_decoder decoder = event_decoder_make(chunk);
	struct event_item item;
	bool end = false;

	while (!is_full(dump)) {
		struct cprof_error *error = event_decoder_next(&decoder, &item, &end);

		if (error || end)
			return error;
		dump_event(dump, chunk->header.thread, &item);
	}
	return NULL;
}

static struct cprof_error *dump_chunks(struct dump *dump, uint32_t thread)
{
	struct trace_cursor *cursor;
	struct events_chunk chunk;
	bool end = false;
	struct cprof_error *error = trace_cursor_create(dump->trace, thread, &cursor);

	if (error)
		return error;
	trace_cursor_plain(cursor);
	while (!error && !is_full(dump)) {
		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		dump_chunk(dump, &chunk);
		if (dump->args->events)
			error = dump_events(dump, &chunk);
	}
	trace_cursor_destroy(cursor);
	return error;
}

static struct kernel_dump kernel_dump_of(struct dump *dump)
{
	return (struct kernel_dump){ dump->out, &dump->style, dump->args->format == FORMAT_TEXT ? NULL : &dump->record, dump->lines, dump->args->limit };
}

/* Everything but events is printed with the tables: those of the kernel half are its records. */
static struct cprof_error *dump_kernels(FILE *out, const struct dump_args *args, const struct session *session, uint64_t lines)
{
	struct dump dump = { .out = out, .args = args, .lines = lines, .style = text_style_of(out, args->text.color, args->text.width) };
	struct cprof_error *error = NULL;

	dump.record = record_writer_make(out, args->format == FORMAT_CSV ? dump_columns : NULL);
	struct kernel_dump kernel = kernel_dump_of(&dump);

	for (size_t i = 0; i < session_nr_kernels(session) && !error; i++)
		error = kernel_dump_file(&kernel, session_kernel(session, i), args->events);
	return error;
}

static struct cprof_error *dump_all(struct dump *dump)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < dump->tables->nr_modules && !is_full(dump); i++)
		dump_module(dump, &dump->tables->modules[i]);
	for (size_t i = 0; i < dump->tables->nr_threads && !is_full(dump); i++)
		if (!dump->threads || dump->threads[i])
			dump_thread(dump, &dump->tables->threads[i]);
	for (uint32_t id = 1; id < dump->tables->nr_contexts && !is_full(dump); id++)
		dump_context(dump, id);
	for (size_t i = 0; i < dump->tables->nr_threads && !error && !is_full(dump); i++)
		if (!dump->threads || dump->threads[i])
			error = dump_chunks(dump, (uint32_t)i);
	if (!error && dump->args->format != FORMAT_CSV) { /* fields of many kinds are no table */
		struct kernel_dump kernel = kernel_dump_of(dump);

		kernel_dump_trace(&kernel, dump->tables);
		dump->lines = kernel.lines;
	}
	return error;
}

static struct cprof_error *dump_trace(FILE *out, const struct dump_args *args, struct session *session, const struct session_choice *choice, size_t index,
				      struct symbolizer *symbolizer, uint64_t *lines)
{
	struct trace *trace = session_trace(session, index);
	struct dump dump = { .out = out, .args = args, .trace = trace, .tables = trace_tables(trace), .hz = trace_clock_hz(trace), .lines = *lines };
	struct cprof_error *error = context_names_init(&dump.names, session, index, symbolizer);

	if (error)
		return error;
	dump.record = record_writer_make(out, args->format == FORMAT_CSV ? dump_columns : NULL);
	if (!index && args->format != FORMAT_TEXT)
		record_head(&dump.record);
	dump.threads = choice->threads ? choice->threads[index] : NULL;
	dump.style = text_style_of(out, args->text.color, args->text.width);
	dump.start_ticks = dump.tables->nr_clocks ? dump.tables->clocks[0].tsc : 0;
	error = dump_all(&dump);
	context_names_deinit(&dump.names);
	*lines = dump.lines;
	return error;
}

static struct cprof_error *dump_session(const struct dump_args *args, struct session *session, struct symbolizer *symbolizer)
{
	struct session_choice choice;
	struct output_file file;
	uint64_t lines = 0;
	struct cprof_error *error = session_choice_init(&choice, session, args->threads, NULL);

	if (error)
		return error;
	error = output_file_open(args->output.path, &file);
	if (!error) {
		for (size_t i = 0; i < session_nr_traces(session) && !error; i++)
			error = dump_trace(file.out, args, session, &choice, i, symbolizer, &lines);
		if (!error && !args->threads && args->format != FORMAT_CSV)
			error = dump_kernels(file.out, args, session, lines);
		error = output_file_end(&file, error);
	}
	session_choice_deinit(&choice, session);
	return error;
}

static struct cprof_error *run_dump(const void *pointer, const struct cprof_operands *operands)
{
	const struct dump_args *args = pointer;
	struct session_files files = { 0 };
	struct symbolizer *symbolizer = NULL;
	struct session *session = NULL;
	struct cprof_error *error = trace_operands_open(operands, &args->source, &files, &session);

	if (!error)
		error = analysis_open_symbols(session, &args->source, &symbolizer);
	if (!error)
		error = dump_session(args, session, symbolizer);
	symbolizer_destroy(symbolizer);
	session_destroy(session);
	session_files_deinit(&files);
	return error;
}

const struct cprof_command dump_command = {
	.name = "dump",
	.operands = "[TRACE...]",
	.summary = "the tables and chunks of a trace, and with --events all that happened",
	.description = "Prints what a trace holds, a line for each module, thread, context, folding edge and chunk; with --events also for each enter (thread, ns since "
		       "the start, id and name), exit and escape. Ids of edges are those of recursive calls. Of a kernel half it prints sources, processes, threads and counters, "
		       "with --events also its records, but not as CSV. Times of it are CLOCK_MONOTONIC.",
	.examples = "dump trace.lz4\ndump --events --limit=100 trace.lz4\ndump -e --format=json trace.lz4 | jq 'select(.ns < 10000)'",
	.options = dump_options,
	.defaults = &dump_defaults,
	.args_bytes = sizeof dump_defaults,
	.run = run_dump,
};
