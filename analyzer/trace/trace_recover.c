/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a trace anew; see trace_recover.h. Order: META, what the file holds in its order, live blocks, tables, END, index. */
#include "trace_recover.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "chunk_writer.h"
#include "trace_internal.h"

struct recovery {
	struct trace *trace;
	struct chunk_writer writer;
	struct frame_buffer buffer;
	struct cprof_thread *threads;  /* copies of the table's, made true */
	struct trace_recover_result result;
	uint64_t end_tsc;
};

/* Each enter and exit has one number in the time column; a number ends with a byte below 0x80. */
static uint64_t count_times(const struct events_chunk *chunk)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < chunk->times_bytes; i++)
		nr += chunk->times[i] < 0x80;
	return nr;
}

static void note_events(struct recovery *recovery, const struct events_chunk *chunk)
{
	struct cprof_thread *thread = &recovery->threads[chunk->header.thread];

	recovery->result.chunks++;
	recovery->result.events += count_times(chunk);
	if (chunk->header.sequence >= thread->blocks)
		thread->blocks = chunk->header.sequence + 1;
	if (chunk->header.last_tsc > recovery->end_tsc)
		recovery->end_tsc = chunk->header.last_tsc;
}

static bool is_in_order(const struct trace *trace, const struct chunk_place *chunk)
{
	size_t nr, first = trace_events_of(trace, chunk->thread, &nr), low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (trace->events[first + middle].sequence < chunk->sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nr && trace->events[first + low].sequence == chunk->sequence && trace->events[first + low].offset == chunk->offset &&
	       !trace->events[first + low].live;
}

static struct cprof_error *copy_events(struct recovery *recovery, const struct chunk_place *chunk)
{
	struct events_place place = { chunk->thread, 0, chunk->sequence, chunk->offset, chunk->frame_bytes, chunk->last_tsc };
	struct events_chunk events;
	const char *why = NULL;
	struct cprof_error *error = NULL;

	if (is_in_order(recovery->trace, chunk))
		error = trace_load_events(recovery->trace, &place, true, true, &recovery->buffer, &events, &why);
	else
		why = "a chunk with a number that its thread has already";
	if (error)
		return error;
	if (why) {
		recovery->result.damaged_chunks++;
		return NULL;
	}
	note_events(recovery, &events);
	return chunk_writer_copy(&recovery->writer, &events.header, recovery->buffer.packed, chunk->frame_bytes);
}

/* CLOCK and what this program does not know. */
static struct cprof_error *copy_other(struct recovery *recovery, const struct chunk_place *chunk)
{
	struct frame frame;
	const uint8_t *payload;
	const char *why;
	struct cprof_error *error = frame_load(&recovery->trace->file, chunk->offset, chunk->frame_bytes, true, &recovery->buffer, &frame, &payload, &why);

	if (error || why)
		return error;
	return chunk_writer_copy(&recovery->writer, &frame.header, recovery->buffer.packed, chunk->frame_bytes);
}

static struct cprof_error *copy_chunks(struct recovery *recovery)
{
	const struct chunk_list *chunks = &recovery->trace->chunks;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < chunks->nr && !error; i++) {
		const struct chunk_place *chunk = &chunks->places[i];

		switch (chunk->kind) {
		case CPROF_CHUNK_EVENTS:
			error = copy_events(recovery, chunk);
			break;
		case CPROF_CHUNK_META: /* written already; the others are written from the tables */
		case CPROF_CHUNK_MODULES:
		case CPROF_CHUNK_THREADS:
		case CPROF_CHUNK_CONTEXTS:
		case CPROF_CHUNK_ALLOC:
		case CPROF_CHUNK_LOSS:
		case CPROF_CHUNK_END:
			break;
		default:
			error = copy_other(recovery, chunk);
		}
	}
	return error;
}

static struct cprof_error *write_live_chunk(struct recovery *recovery, const struct events_chunk *chunk)
{
	struct cprof_events_header columns = { chunk->closed_items, (uint32_t)chunk->closed_bytes, (uint32_t)chunk->ids_bytes,
					       (uint32_t)chunk->times_bytes };
	struct bytes payload = { NULL, 0, 0 };
	struct cprof_error *error = NULL;

	if (chunk->header.payload_bytes > CPROF_CHUNK_MAX_PAYLOAD) { /* no writer makes blocks of that size */
		recovery->result.damaged_chunks++;
		return NULL;
	}
	if (!bytes_add(&payload, &columns, sizeof columns) || !bytes_add(&payload, chunk->closed, chunk->closed_bytes) ||
	    !bytes_add(&payload, chunk->ids, chunk->ids_bytes) || !bytes_add(&payload, chunk->times, chunk->times_bytes))
		error = &cprof_enomem;
	else
		error = chunk_writer_add(&recovery->writer, &chunk->header, payload.data, payload.used);
	bytes_deinit(&payload);
	note_events(recovery, chunk);
	recovery->result.live_chunks++;
	return error;
}

static struct cprof_error *write_live_of(struct recovery *recovery, uint32_t thread)
{
	struct trace_cursor *cursor = NULL;
	struct cprof_error *error = trace_cursor_create(recovery->trace, thread, &cursor);
	bool end;

	while (!error) {
		struct events_chunk chunk;

		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		if (trace_cursor_was_live(cursor))
			error = write_live_chunk(recovery, &chunk);
	}
	trace_cursor_destroy(cursor);
	return error;
}

static struct cprof_error *write_live(struct recovery *recovery)
{
	struct trace *trace = recovery->trace;
	struct cprof_error *error = NULL;
	uint32_t done = CPROF_NO_THREAD;

	for (size_t i = 0; i < trace->nr_events && !error; i++) {
		if (!trace->events[i].live || trace->events[i].thread == done)
			continue;
		done = trace->events[i].thread;
		error = write_live_of(recovery, done);
	}
	return error;
}

static struct cprof_error *write_table(struct recovery *recovery, uint16_t kind, const void *records, size_t nr, size_t record_bytes, uint64_t first)
{
	const size_t most = CPROF_CHUNK_MAX_PAYLOAD / record_bytes;
	struct cprof_error *error = NULL;

	for (size_t done = 0; done < nr && !error; done += most) {
		size_t items = nr - done < most ? nr - done : most;
		struct cprof_chunk_header header = { .kind = kind, .thread = CPROF_NO_THREAD, .items = (uint32_t)items,
						     .first_tsc = first ? first + done : 0 };

		error = chunk_writer_add(&recovery->writer, &header, (const uint8_t *)records + done * record_bytes, items * record_bytes);
	}
	return error;
}

static struct cprof_error *write_tables(struct recovery *recovery)
{
	const struct trace_tables *tables = &recovery->trace->tables;
	struct cprof_end end = { recovery->end_tsc, recovery->result.events, recovery->result.chunks, tables->nr_contexts,
				 (uint32_t)tables->nr_threads, CPROF_END_RECOVERED };
	struct cprof_error *error = write_table(recovery, CPROF_CHUNK_MODULES, tables->modules, tables->nr_modules, sizeof *tables->modules, 0);

	if (!error)
		error = write_table(recovery, CPROF_CHUNK_CONTEXTS, tables->contexts + 1, tables->nr_contexts - 1, sizeof *tables->contexts, 1);
	if (!error)
		error = write_table(recovery, CPROF_CHUNK_THREADS, recovery->threads, tables->nr_threads, sizeof *tables->threads, 0);
	if (!error)
		error = write_table(recovery, CPROF_CHUNK_ALLOC, tables->allocs, tables->nr_allocs, sizeof *tables->allocs, 0);
	if (!error)
		error = write_table(recovery, CPROF_CHUNK_LOSS, tables->losses, tables->nr_losses, sizeof *tables->losses, 0);
	if (!error && tables->nr_clocks) /* the live file's pairs are in no chunk yet */
		error = write_table(recovery, CPROF_CHUNK_CLOCK, &tables->clocks[tables->nr_clocks - 1], 1, sizeof *tables->clocks, 0);
	if (!error)
		error = write_table(recovery, CPROF_CHUNK_END, &end, 1, sizeof end, 0);
	return error;
}

static struct cprof_error *write_all(struct recovery *recovery)
{
	struct trace *trace = recovery->trace;
	const struct trace_tables *tables = &trace->tables;
	struct cprof_error *error = NULL;

	if (trace->has_meta)
		error = write_table(recovery, CPROF_CHUNK_META, trace->meta_payload, 1, trace->meta_bytes, 0);
	if (!error && tables->nr_clocks)
		error = write_table(recovery, CPROF_CHUNK_CLOCK, tables->clocks, 1, sizeof *tables->clocks, 0);
	if (!error)
		error = copy_chunks(recovery);
	if (!error)
		error = write_live(recovery);
	if (!error)
		error = write_tables(recovery);
	return error ? error : chunk_writer_finish(&recovery->writer);
}

static struct cprof_error *check_output(const struct trace *trace, const char *output)
{
	struct stat input_status, output_status;

	if (!trace->state.active || stat(output, &output_status) || fstat(trace->file.fd, &input_status))
		return NULL;
	if (input_status.st_dev != output_status.st_dev || input_status.st_ino != output_status.st_ino)
		return NULL;
	return cprof_error_at(CPROF_ERROR_USAGE, output, CPROF_NO_OFFSET, "is still being written: give another name for what is in it so far");
}

struct cprof_error *trace_recover(struct trace *trace, const char *output, struct trace_recover_result *ret)
{
	struct recovery recovery = { .trace = trace };
	struct cprof_error *error = check_output(trace, output);

	if (!error && trace->is_empty)
		error = cprof_error_at(CPROF_ERROR_UNSUPPORTED, trace->file.path, CPROF_NO_OFFSET, "is a file of cprof-record: readers use what is in it as it is");
	if (error)
		return error;
	recovery.threads = malloc((trace->tables.nr_threads + 1) * sizeof *recovery.threads);
	if (!recovery.threads)
		return &cprof_enomem;
	if (trace->tables.nr_threads)
		memcpy(recovery.threads, trace->tables.threads, trace->tables.nr_threads * sizeof *recovery.threads);
	error = chunk_writer_open(output, &recovery.writer);
	if (!error)
		error = write_all(&recovery);
	recovery.result.bytes = recovery.writer.offset;
	chunk_writer_close(&recovery.writer);
	frame_buffer_deinit(&recovery.buffer);
	free(recovery.threads);
	if (!error)
		*ret = recovery.result;
	return error;
}
