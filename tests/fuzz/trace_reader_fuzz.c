/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: a trace file, and perhaps its live file, through everything of analyzer/trace.
 *
 * Input: u32 length of the trace, the trace, the rest is the live file (none when nothing is left). Built with CPROF_FUZZ_NO_CHECKSUMS, as else every
 * mutation ends at a checksum. The files are written to /dev/shm.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event_decoder.h"
#include "trace_check.h"
#include "trace_recover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/dev/shm/cprof_fuzz.XXXXXX";
static char input_path[64], live_path[80], output_path[80];

static void remove_files(void)
{
	unlink(input_path);
	unlink(live_path);
	unlink(output_path);
	rmdir(folder);
}

static void make_folder(void)
{
	if (input_path[0])
		return;
	if (!mkdtemp(folder))
		abort();
	snprintf(input_path, sizeof input_path, "%s/t.lz4", folder);
	snprintf(live_path, sizeof live_path, "%s.live", input_path);
	snprintf(output_path, sizeof output_path, "%s.out", input_path);
	atexit(remove_files);
}

static void put_file(const char *path, const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || close(fd))
		abort();
}

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
	const char *path = input_path;
	struct trace_recover_result result;
	struct trace_report *report;
	struct session *session;
	uint32_t trace_bytes;

	if (size < sizeof trace_bytes)
		return 0;
	memcpy(&trace_bytes, data, sizeof trace_bytes);
	data += sizeof trace_bytes;
	size -= sizeof trace_bytes;
	if (trace_bytes > size)
		trace_bytes = (uint32_t)size;
	make_folder();
	put_file(input_path, data, trace_bytes);
	if (size > trace_bytes)
		put_file(live_path, data + trace_bytes, size - trace_bytes);
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
	error = trace_check(input_path, &report);
	if (!error)
		trace_report_destroy(report);
	cprof_error_free(error);
	return 0;
}
