/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>

#include "call_sink.h"
#include "json_writer.h"

struct chrome_sink {
	struct call_sink sink;
	struct json_writer json;
	struct call_sink_functions functions;
	uint32_t pid, tid;
};

static struct chrome_sink *chrome_of(struct call_sink *sink)
{
	return (struct chrome_sink *)sink;
}

static const char *function_name(const struct chrome_sink *chrome, uint32_t function)
{
	return function < chrome->functions.count ? chrome->functions.items[function].name : "?";
}

static void open_event(struct chrome_sink *chrome, const char *phase, uint32_t tid)
{
	json_line(&chrome->json);
	json_begin_object(&chrome->json, NULL);
	json_text(&chrome->json, "ph", phase);
	json_u64(&chrome->json, "pid", chrome->pid);
	json_u64(&chrome->json, "tid", tid);
}

/* Microseconds with three decimals, as the format wants it. */
static void write_time(struct chrome_sink *chrome, uint64_t ns)
{
	fprintf(chrome->json.out, ",\"ts\":%" PRIu64 ".%03u", ns / 1000, (unsigned)(ns % 1000));
}

/* Both ends of a call carry the name: speedscope finds the slice to end by it. No args: it takes calls of other args for another function. */
static void write_call(struct call_sink *sink, const char *phase, uint64_t ns, uint32_t function)
{
	struct chrome_sink *chrome = chrome_of(sink);

	open_event(chrome, phase, chrome->tid);
	write_time(chrome, ns);
	json_text(&chrome->json, "name", function_name(chrome, function));
	json_end_object(&chrome->json);
}

static void begin_call(struct call_sink *sink, uint64_t ns, uint32_t function)
{
	write_call(sink, "B", ns, function);
}

static void end_call(struct call_sink *sink, uint64_t ns, uint32_t function)
{
	write_call(sink, "E", ns, function);
}

static void write_note(struct call_sink *sink, uint64_t ns, const char *text)
{
	struct chrome_sink *chrome = chrome_of(sink);

	open_event(chrome, "i", chrome->tid);
	write_time(chrome, ns);
	json_text(&chrome->json, "s", "t");
	json_text(&chrome->json, "name", text);
	json_end_object(&chrome->json);
}

static void write_name(struct chrome_sink *chrome, const char *kind, uint32_t tid, const char *name)
{
	open_event(chrome, "M", tid);
	json_text(&chrome->json, "name", kind);
	json_begin_object(&chrome->json, "args");
	json_text(&chrome->json, "name", name);
	json_end_object(&chrome->json);
	json_end_object(&chrome->json);
}

static void begin_process(struct call_sink *sink, uint32_t pid, const char *name)
{
	struct chrome_sink *chrome = chrome_of(sink);

	chrome->pid = pid;
	write_name(chrome, "process_name", pid, name);
}

static void begin_thread(struct call_sink *sink, uint32_t tid, const char *name)
{
	struct chrome_sink *chrome = chrome_of(sink);

	chrome->tid = tid;
	write_name(chrome, "thread_name", tid, name);
}

static struct cprof_error *finish(struct call_sink *sink)
{
	struct chrome_sink *chrome = chrome_of(sink);

	json_end_array(&chrome->json);
	json_end_object(&chrome->json);
	json_finish(&chrome->json);
	free(chrome);
	return NULL;
}

static const struct call_sink_ops chrome_ops = { begin_process, begin_thread, begin_call, end_call, write_note, finish };

struct cprof_error *chrome_sink_create(FILE *out, struct call_sink_functions functions, struct call_sink **ret)
{
	struct chrome_sink *chrome = calloc(1, sizeof *chrome);

	if (!chrome)
		return &cprof_enomem;
	*chrome = (struct chrome_sink){ .sink = { &chrome_ops }, .functions = functions };
	json_init(&chrome->json, out);
	json_begin_object(&chrome->json, NULL);
	json_text(&chrome->json, "displayTimeUnit", "ns");
	json_begin_array(&chrome->json, "traceEvents");
	*ret = &chrome->sink;
	return NULL;
}
