/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a trace file, and perhaps its live file, through everything of analyzer/trace.
 *
 * Input: u32 length of the trace, the trace, the rest is the live file (none when nothing is left). Built with CPROF_FUZZ_NO_CHECKSUMS, as else every
 * mutation ends at a checksum. The files are written to /dev/shm.
 */
#include "event_decoder.h"
#include "fuzz_files.h"
#include "trace_check.h"
#include "trace_recover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct trace *trace)
{
	for (size_t thread = 0; thread < trace_tables(trace)->nr_threads && thread < 64; thread++) {
		struct trace_cursor *cursor;
		struct cprof_error *error = trace_cursor_create(trace, (uint32_t)thread, &cursor);
		bool end = false;

		while (!error) {
			struct events_chunk chunk;
			struct event_decoder decoder;
			struct closed_call call;
			struct event_item item;

			error = trace_cursor_next(cursor, &chunk, &end);
			if (error || end)
				break;
			if (chunk.header.context >= trace_tables(trace)->nr_contexts)
				abort();
			decoder = event_decoder_make(&chunk);
			while (!error && !end)
				error = event_decoder_next(&decoder, &item, &end);
			cprof_error_free(error);
			error = NULL;
			end = false;
			while (!error && !end)
				error = event_decoder_next_closed(&decoder, &call, &end);
			cprof_error_free(error);
			error = NULL;
			end = false;
		}
		cprof_error_free(error);
		trace_cursor_destroy(cursor);
	}
}

static void check_tables(const struct trace_tables *tables)
{
	for (size_t id = 1; id < tables->nr_contexts; id++) {
		const struct cprof_context *context = &tables->contexts[id];

		if (context->parent >= id || context->target > id || !context->target ||
		    tables->contexts[context->parent].target != context->parent || tables->contexts[context->target].target != context->target)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *path, *live_path, *output_path;
	struct trace_recover_result result;
	struct trace_report *report;
	struct session *session;
	const uint8_t *live;
	uint32_t trace_bytes;
	size_t live_bytes;

	if (!fuzz_split(data, size, &live, &trace_bytes, &live_bytes))
		return 0;
	if (!path) {
		path = fuzz_path("t.lz4");
		live_path = fuzz_path("t.lz4.live");
		output_path = fuzz_path("t.lz4.out");
	}
	fuzz_put_file(path, live - trace_bytes, trace_bytes);
	if (live_bytes)
		fuzz_put_file(live_path, live, live_bytes);
	else
		unlink(live_path);

	struct cprof_error *error = session_open(&path, 1, &session);

	if (error) {
		cprof_error_free(error);
		return 0;
	}
	check_tables(trace_tables(session_trace(session, 0)));
	read_all(session_trace(session, 0));
	cprof_error_free(trace_recover(session_trace(session, 0), output_path, &result));
	session_destroy(session);
	error = trace_check(path, false, &report);
	if (!error)
		trace_report_destroy(report);
	cprof_error_free(error);
	return 0;
}
