/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces as the builder writes them, read back: every table, every event, and what is said of each kind of damage. */
#include "session.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "trace_test_support.h"

static const char *path;

/* main -> work -> leaf (twice), on two threads, in several chunks; deep enough that chunks close calls of earlier ones. */
static struct trace_builder *build_sample(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top, work, leaf, again;

	trace_builder_module(builder, "/bin/app", 0x555555554000);
	top = trace_builder_context(builder, 0, 0x1000, 0x500);
	work = trace_builder_context(builder, top, 0x2000, 0x1010);
	leaf = trace_builder_context(builder, work, 0x3000, 0x2010);
	again = trace_builder_edge(builder, leaf, work, 0x3010);
	for (uint32_t thread = 0; thread < 2; thread++) {
		uint64_t ticks = 2000 + thread;

		trace_builder_enter(builder, thread, ticks, top);
		for (int i = 0; i < 40; i++) {
			trace_builder_enter(builder, thread, ticks += 3, work);
			trace_builder_enter(builder, thread, ticks += 5, leaf);
			trace_builder_enter(builder, thread, ticks += 7, again);
			if (i % 10 == 9)
				trace_builder_cut(builder, thread);
			trace_builder_exit(builder, thread, ticks += 300);
			trace_builder_exit(builder, thread, ticks += 2);
			trace_builder_exit(builder, thread, ticks += 1);
		}
		trace_builder_exit(builder, thread, ticks += 9);
	}
	trace_builder_loss(builder, 1, CPROF_LOSS_BUFFER_FULL, 12);
	return builder;
}

static void test_reads_everything(void **state)
{
	struct trace_builder *builder = build_sample();

	(void)state;
	trace_builder_end(builder);
	struct session *session = open_built(builder, path);
	struct trace *trace = session_trace(session, 0);
	const struct trace_meta *meta = trace_meta(trace);
	const struct trace_tables *tables = trace_tables(trace);
	struct event_list events = read_events(trace, 1);

	assert_int_equal(session_nr_traces(session), 1);
	assert_string_equal(trace_path(trace), path);
	assert_string_equal(meta->exe, "/bin/app");
	assert_string_equal(meta->command_line, "app --fast");
	assert_string_equal(meta->working_directory, "/home/user");
	assert_int_equal(meta->fixed.pid, 1234);
	assert_int_equal(tables->nr_modules, 1);
	assert_int_equal(tables->modules[0].bias, 0x555555554000);
	assert_int_equal(tables->nr_contexts, 5);
	assert_int_equal(tables->contexts[4].target, 2);
	assert_int_equal(tables->contexts[4].parent, 3);
	assert_int_equal(tables->nr_threads, 2);
	assert_string_equal(tables->threads[1].name, "worker-1");
	assert_int_equal(tables->nr_losses, 1);
	assert_int_equal(tables->losses[0].events, 12);
	assert_int_equal(tables->nr_clocks, 2);
	assert_true(trace_clock_hz(trace) == 1e9);
	assert_true(trace_state(trace)->clean);
	assert_false(trace_state(trace)->active);
	assert_false(trace_state(trace)->live_used);
	assert_int_equal(trace_state(trace)->nr_problems, 0);
	assert_int_equal(events.chunks, 5);
	assert_int_equal(events.holes, 0);
	assert_int_equal(events.nr, 2 + 40 * 6);
	assert_item(&events.items[0], EVENT_ENTER, 1, 2001);
	assert_item(&events.items[1], EVENT_ENTER, 2, 2004);
	assert_item(&events.items[3], EVENT_ENTER, 4, 2016);
	assert_item(&events.items[4], EVENT_EXIT, 0, 2316);
	assert_item(&events.items[241], EVENT_EXIT, 0, 2001 + 40 * 318 + 9);
	assert_int_equal(trace_state(trace)->end_tsc, 2001 + 40 * 318 + 9);
	free(events.items);
	session_destroy(session);
	trace_builder_destroy(builder);
}

/* The same events, once all in chunks, once the last of them in live blocks: nothing may differ. */
static void test_live_file_continues_the_trace(void **state)
{
	(void)state;
	for (int variant = 0; variant < 4; variant++) {
		struct trace_builder *builders[2] = { trace_builder_create(NULL), trace_builder_create(NULL) };
		struct event_list events[2];
		struct session *sessions[2];

		for (int i = 0; i < 2; i++) {
			struct trace_builder *builder = builders[i];
			uint64_t ticks = 0xFFFFFF00ull; /* soon the upper half changes */

			trace_builder_module(builder, "/bin/app", 0x555555554000);
			for (uint32_t id = 1; id <= 20; id++)
				trace_builder_context(builder, id - 1, 0x1000 * id, 0x1000 * id - 0x10);
			for (uint32_t id = 1; id <= 20; id++) {
				trace_builder_enter(builder, 0, ticks += 1 + id, id);
				if (id % 7 == 0)
					trace_builder_cut(builder, 0);
			}
			for (uint32_t id = 20; id > 0; id--) {
				trace_builder_exit(builder, 0, ticks += 100);
				if (id == 12)
					trace_builder_escape(builder, 0, CPROF_ESCAPE_REPAIR, 2), id -= 2;
				if (id % 5 == 0 && i == 1 && variant == 1)
					trace_builder_cut_live(builder, 0, CPROF_BLOCK_FULL);
				else if (id % 5 == 0 && i == 1 && variant == 2)
					trace_builder_cut_both(builder, 0);
				else if (id % 5 == 0 && i == 1 && variant == 3) /* chunks that the drain wrote out of order */
					id % 10 ? trace_builder_cut_live(builder, 0, CPROF_BLOCK_DRAINING) : trace_builder_cut(builder, 0);
			}
			i == 0 ? trace_builder_end(builder) : trace_builder_end_live(builder);
			sessions[i] = open_built(builder, path);
			events[i] = read_events(session_trace(sessions[i], 0), 0);
		}
		const struct trace_state *live_state = trace_state(session_trace(sessions[1], 0));
		const struct trace_tables *tables = trace_tables(session_trace(sessions[1], 0));

		assert_same_events(&events[1], &events[0]);
		assert_int_equal(events[1].holes, 0);
		assert_true(live_state->live_used);
		assert_false(live_state->clean);
		assert_int_equal(live_state->nr_problems, 0);
		assert_int_equal(tables->nr_contexts, 21);
		assert_int_equal(tables->nr_modules, 1);
		assert_int_equal(tables->nr_threads, 1);
		assert_string_equal(tables->threads[0].name, "app");
		for (int i = 0; i < 2; i++) {
			free(events[i].items);
			session_destroy(sessions[i]);
			trace_builder_destroy(builders[i]);
		}
	}
}

/* The chunk made of a live block closes calls that chunks of the file opened: id and start time of each must be in its closed column. */
static void test_live_chunk_has_its_closed_column(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t ids[6] = { 0 };
	struct trace_cursor *cursor;
	struct events_chunk chunk;
	struct closed_call call;
	bool end;

	(void)state;
	for (uint32_t i = 1; i < 5; i++)
		ids[i] = trace_builder_context(builder, ids[i - 1], 0x1000 * i, 0x10);
	ids[5] = trace_builder_edge(builder, ids[4], ids[2], 0x20); /* current is context 2 again, two deeper */
	trace_builder_enter(builder, 0, 2001, ids[1]);
	trace_builder_enter(builder, 0, 2002, ids[2]);
	trace_builder_cut(builder, 0);
	trace_builder_enter(builder, 0, 2003, ids[3]);
	trace_builder_exit(builder, 0, 2004);
	trace_builder_cut(builder, 0); /* adds nothing to what stays open */
	trace_builder_enter(builder, 0, 2005, ids[3]);
	trace_builder_enter(builder, 0, 2006, ids[4]);
	trace_builder_enter(builder, 0, 2007, ids[5]);
	trace_builder_cut(builder, 0);
	for (uint64_t ticks = 2010; ticks < 2014; ticks++)
		trace_builder_exit(builder, 0, ticks);
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);

	assert_null(trace_cursor_create(session_trace(session, 0), 0, &cursor));
	for (int i = 0; i < 4; i++) {
		assert_null(trace_cursor_next(cursor, &chunk, &end));
		assert_false(end);
	}
	assert_int_equal(chunk.header.depth, 5);
	assert_int_equal(chunk.header.context, ids[2]);
	assert_int_equal(chunk.closed_items, 4);
	struct event_decoder decoder = event_decoder_make(&chunk);
	static const uint64_t starts[] = { 2007, 2006, 2005, 2002 };
	const uint32_t closed[] = { ids[5], ids[4], ids[3], ids[2] };

	for (int i = 0; i < 4; i++) {
		assert_null(event_decoder_next_closed(&decoder, &call, &end));
		assert_false(end);
		assert_int_equal(call.id, closed[i]);
		assert_int_equal(call.start_ticks, starts[i]);
	}
	for (int i = 0; i < 4; i++) {
		struct event_item item;

		assert_null(event_decoder_next(&decoder, &item, &end));
		assert_item(&item, EVENT_EXIT, 0, 2010 + (uint64_t)i); /* all agree with the stack: none explicit */
	}
	trace_cursor_destroy(cursor);
	session_destroy(session);
	trace_builder_destroy(builder);
}

/* Events whose writer was interrupted for ever. */
static void test_unfinished_events(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);
	uint32_t work = trace_builder_context(builder, top, 0x2000, 0x1010);
	uint32_t handler = trace_builder_context(builder, work, 0x9000, 0);
	uint32_t inner = trace_builder_context(builder, handler, 0x9100, 0);
	uint32_t top_handler = trace_builder_context(builder, top, 0x9000, 0);

	(void)state;
	/* Thread 0: the enter of work, and that of handler in it, were never written; inner was. */
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_enter(builder, 0, 2010, work);
	trace_builder_unfinished(builder, 0);
	trace_builder_enter(builder, 0, 2020, handler);
	trace_builder_unfinished(builder, 0);
	trace_builder_enter(builder, 0, 2030, inner);
	trace_builder_exit(builder, 0, 2040);
	/* Thread 1: the exit from work was not. */
	trace_builder_enter(builder, 1, 2000, top);
	trace_builder_enter(builder, 1, 2010, work);
	trace_builder_exit(builder, 1, 2020);
	trace_builder_unfinished(builder, 1);
	trace_builder_enter(builder, 1, 2030, top_handler);
	/* Thread 2: nothing tells what it was. */
	trace_builder_enter(builder, 2, 2000, top);
	trace_builder_escape(builder, 2, CPROF_ESCAPE_UNMATCHED, 1);
	trace_builder_unfinished(builder, 2);
	trace_builder_enter(builder, 2, 2030, work);
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);
	struct event_list events = read_events(session_trace(session, 0), 0);

	assert_int_equal(events.nr, 7);
	assert_item(&events.items[0], EVENT_ENTER, top, 2000);
	assert_item(&events.items[1], EVENT_ESCAPE, CPROF_ESCAPE_UNTIMED, 2000);
	assert_item(&events.items[2], EVENT_ENTER, work, 2030);
	assert_item(&events.items[3], EVENT_ESCAPE, CPROF_ESCAPE_UNTIMED, 2030);
	assert_item(&events.items[4], EVENT_ENTER, handler, 2030);
	assert_item(&events.items[5], EVENT_ENTER, inner, 2030);
	assert_item(&events.items[6], EVENT_EXIT, 0, 2040);
	free(events.items);
	events = read_events(session_trace(session, 0), 1);
	assert_int_equal(events.nr, 5);
	assert_item(&events.items[2], EVENT_ESCAPE, CPROF_ESCAPE_UNTIMED, 2010);
	assert_item(&events.items[3], EVENT_EXIT, 0, 2030);
	assert_item(&events.items[4], EVENT_ENTER, top_handler, 2030);
	free(events.items);
	assert_int_equal(trace_state(session_trace(session, 0))->nr_problems, 0);
	for (int i = 0; i < 2; i++) { /* read twice, told once */
		events = read_events(session_trace(session, 0), 2);
		assert_int_equal(events.nr, 2);
		assert_item(&events.items[1], EVENT_ENTER, work, 2030);
		assert_int_equal(trace_state(session_trace(session, 0))->nr_problems, 1);
		free(events.items);
	}
	assert_string_equal(trace_state(session_trace(session, 0))->problems[0],
			    "thread 2: 1 events were just being written; what they were is not known");
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_clock_steps_back(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);

	(void)state;
	trace_builder_enter(builder, 0, 0x100000010ull, top);
	trace_builder_exit(builder, 0, 0xFFFFFFF0ull); /* crosses the upper half, backwards */
	trace_builder_enter(builder, 0, 0x100000020ull, top);
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);
	struct event_list events = read_events(session_trace(session, 0), 0);

	assert_int_equal(events.nr, 3);
	assert_int_equal(events.items[1].ticks, 0x100000010ull);
	assert_int_equal(events.items[2].ticks, 0x100000020ull);
	free(events.items);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void assert_problem(const struct trace *trace, const char *text)
{
	const struct trace_state *state = trace_state(trace);

	for (size_t i = 0; i < state->nr_problems; i++) {
		if (strstr(state->problems[i], text))
			return;
	}
	for (size_t i = 0; i < state->nr_problems; i++)
		print_error("problem: %s\n", state->problems[i]);
	fail_msg("no problem says \"%s\"", text);
}

static void test_holes(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);

	(void)state;
	for (uint64_t i = 0; i < 6; i++) {
		trace_builder_enter(builder, 0, 2000 + 10 * i, top);
		trace_builder_exit(builder, 0, 2005 + 10 * i);
		i == 2 || i == 5 ? trace_builder_cut_lost(builder, 0) : trace_builder_cut(builder, 0);
	}
	trace_builder_end(builder);
	struct session *session = open_built(builder, path);
	struct trace *trace = session_trace(session, 0);
	struct event_list events = read_events(trace, 0);

	assert_int_equal(events.chunks, 4);
	assert_int_equal(events.holes, 1);
	assert_false(trace_state(trace)->clean);
	assert_problem(trace, "thread 0: 1 chunks are missing before number 3");
	assert_problem(trace, "thread 0: its last 1 chunks are missing");
	free(events.items);
	session_destroy(session);
	trace_builder_destroy(builder);
}

/* A damaged payload is found when the chunk is read; a damaged header makes the index useless there; both leave the rest. */
static void test_damage_in_the_middle(void **state)
{
	static const uint64_t places[] = { 5, 40, 88, 100 }; /* frame header, chunk header, block length, payload */

	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		for (int with_index = 0; with_index < 2; with_index++) {
			struct trace_builder *builder = build_sample();
			size_t nr_bytes;

			trace_builder_end_tables(builder);
			trace_builder_end_chunk(builder);
			if (with_index)
				trace_builder_end_index(builder);
			trace_builder_bytes(builder, &nr_bytes)[trace_builder_entry(builder, 3)->offset + places[i]] ^= 0x10;
			struct session *session = open_built(builder, path);
			struct trace *trace = session_trace(session, 0);
			struct event_list events[2] = { read_events(trace, 0), read_events(trace, 1) };

			assert_int_equal(events[0].chunks + events[1].chunks, 9);
			assert_int_equal(events[0].holes, 1);
			assert_false(trace_state(trace)->clean);
			assert_int_equal(trace_state(trace)->damaged_bytes, trace_builder_entry(builder, 3)->frame_bytes);
			assert_problem(trace, "bytes skipped");
			free(events[0].items);
			free(events[1].items);
			session_destroy(session);
			trace_builder_destroy(builder);
		}
	}
}

static void assert_refused(enum cprof_error_code code, const char *text)
{
	struct session *session = NULL;
	struct cprof_error *error = session_open(&path, 1, &session);

	assert_non_null(error);
	assert_null(session);
	assert_int_equal(error->code, code);
	assert_non_null(strstr(error->message, text));
	assert_string_equal(error->path, path);
	cprof_error_free(error);
}

static void test_refusals(void **state)
{
	struct trace_builder *builder;
	struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_META, .version = 2, .payload_bytes = 100,
					     .thread = CPROF_NO_THREAD };
	char text[100] = "int main(void) { return 0; }\n";

	(void)state;
	unlink(path);
	assert_refused(CPROF_ERROR_NOT_FOUND, "no such file");
	trace_builder_write_file(path, "", 0);
	assert_refused(CPROF_ERROR_FORMAT, "is empty");
	trace_builder_write_file(path, text, sizeof text);
	assert_refused(CPROF_ERROR_FORMAT, "is not a cprof trace");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(CPROF_ERROR_FORMAT, "is a folder");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(CPROF_ERROR_FORMAT, "is not a regular file");
	unlink(path);
	assert_int_equal(symlink("/dev/zero", path), 0);
	assert_refused(CPROF_ERROR_FORMAT, "is not a regular file");
	unlink(path);

	builder = trace_builder_create(&(struct trace_builder_options){ .no_meta = true });
	trace_builder_chunk(builder, &header, text, sizeof text);
	trace_builder_end(builder);
	trace_builder_write(builder, path);
	assert_refused(CPROF_ERROR_UNSUPPORTED, "newer cprof (format version 2, this one reads up to 1)");
	trace_builder_destroy(builder);

	builder = trace_builder_create(&(struct trace_builder_options){ .required_features = 5, .strings = "exe=/x\nrequires=huge-ids,\033colours" });
	trace_builder_end(builder);
	trace_builder_write(builder, path);
	assert_refused(CPROF_ERROR_UNSUPPORTED, "huge-ids,?colours");
	trace_builder_destroy(builder);
}

static void test_unknown_kinds_are_skipped(void **state)
{
	struct trace_builder *builder = build_sample();

	(void)state;
	trace_builder_table(builder, 99, 0, 1, "something new", 13);
	trace_builder_table(builder, CPROF_CHUNK_LABELS, 0, 1, "something later", 15);
	trace_builder_end(builder);
	struct session *session = open_built(builder, path);
	struct trace *trace = session_trace(session, 0);

	assert_problem(trace, "2 chunks of unknown kind");
	assert_true(trace_state(trace)->clean);
	assert_int_equal(trace_state(trace)->nr_problems, 1);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_hostile_tables(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);
	struct cprof_context record = { .parent = 0, .target = 0x7FFFFE00 };
	struct cprof_thread thread = { .index = 0xFFFFFFF0 };

	(void)state;
	for (uint32_t i = 0; i < 6; i++)
		trace_builder_context(builder, top, 0x2000, 0x10);
	uint32_t edge = trace_builder_edge(builder, top, top, 0x10);

	trace_builder_context_record(builder, 2)->parent = 2;
	trace_builder_context_record(builder, 3)->parent = 0xFFFFFFFF;
	trace_builder_context_record(builder, 4)->target = 5;
	trace_builder_context_record(builder, 5)->target = 0;
	trace_builder_context_record(builder, 6)->target = edge;
	trace_builder_context_record(builder, edge)->parent = edge;
	trace_builder_context(builder, edge, 0x3000, 0x10);
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_module(builder, "/bin/app", 0);
	trace_builder_module_record(builder, 1)->path_bytes = 0xFFFFFFFF;
	trace_builder_module_record(builder, 1)->build_id_bytes = 33;
	memset(trace_builder_thread_record(builder, 0)->name, 'x', sizeof thread.name);
	trace_builder_end_tables(builder);
	trace_builder_table(builder, CPROF_CHUNK_CONTEXTS, 0x7FFFFE00, 1, &record, sizeof record);
	trace_builder_table(builder, CPROF_CHUNK_CONTEXTS, UINT64_MAX, 1, &record, sizeof record);
	trace_builder_table(builder, CPROF_CHUNK_THREADS, 0, 1, &thread, sizeof thread);
	trace_builder_table(builder, CPROF_CHUNK_THREADS, 0, 1, &thread, sizeof thread - 1);
	trace_builder_end_chunk(builder);
	trace_builder_end_index(builder);
	struct session *session = open_built(builder, path);
	struct trace *trace = session_trace(session, 0);
	const struct trace_tables *tables = trace_tables(trace);

	assert_int_equal(tables->nr_contexts, 10);
	for (uint32_t id = 1; id < tables->nr_contexts; id++) {
		const struct cprof_context *context = &tables->contexts[id];

		assert_true(context->parent < id && context->target <= id && context->target > 0);
		assert_int_equal(tables->contexts[context->parent].target, context->parent);
		assert_int_equal(tables->contexts[context->target].target, context->target);
	}
	assert_int_equal(tables->nr_threads, 1);
	assert_int_equal(strnlen(tables->threads[0].name, sizeof thread.name), sizeof thread.name - 1);
	assert_int_equal(tables->modules[0].path_bytes, CPROF_MODULE_PATH_MAX);
	assert_int_equal(tables->modules[0].build_id_bytes, 32);
	assert_problem(trace, "records of the context table are invalid");
	assert_problem(trace, "1 records of the context table are missing");
	assert_problem(trace, "not a multiple");
	assert_problem(trace, "larger than a file of this size can hold");
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_active_trace(void **state)
{
	struct trace_builder *builder = build_sample();
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	size_t nr_bytes, cut;

	(void)state;
	trace_builder_end_live(builder);
	cut = trace_builder_entry(builder, trace_builder_nr_chunks(builder) - 1)->offset + 50; /* its writer is just at it */
	trace_builder_write(builder, path);
	trace_builder_write_file(path, trace_builder_bytes(builder, &nr_bytes), cut);
	int fd = open(path, O_RDWR);
	struct session *session;

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_null(session_open(&path, 1, &session));
	assert_true(trace_state(session_trace(session, 0))->active);
	assert_true(trace_state(session_trace(session, 0))->live_used);
	assert_int_equal(trace_state(session_trace(session, 0))->damaged_bytes, 0);
	session_destroy(session);
	close(fd);
	assert_null(session_open(&path, 1, &session));
	assert_false(trace_state(session_trace(session, 0))->active);
	assert_problem(session_trace(session, 0), "the file ends within a chunk; its last 50 bytes");
	session_destroy(session);
	trace_builder_destroy(builder);
}

/* A block is missing before a live one: of a dead process that is a hole, of a running one it was not copied yet. */
static void test_gap_before_a_live_block(void **state)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	(void)state;
	trace_builder_enter(builder, 0, 2000, top);
	trace_builder_cut(builder, 0);
	trace_builder_exit(builder, 0, 2001);
	trace_builder_cut_lost(builder, 0);
	trace_builder_enter(builder, 0, 2002, top);
	trace_builder_end_live(builder);
	trace_builder_write(builder, path);
	int fd = open(path, O_RDWR);

	for (int running = 0; running < 2; running++) {
		struct session *session;

		if (running)
			assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
		assert_null(session_open(&path, 1, &session));
		struct event_list events = read_events(session_trace(session, 0), 0);

		assert_int_equal(events.nr, running ? 1 : 2);
		assert_int_equal(events.holes, !running);
		assert_int_equal(trace_state(session_trace(session, 0))->nr_problems, !running);
		free(events.items);
		session_destroy(session);
	}
	close(fd);
	trace_builder_destroy(builder);
}

static void test_bad_live_file(void **state)
{
	struct trace_builder *builder = build_sample();
	char live_path[300];
	size_t nr_bytes;

	(void)state;
	trace_builder_end_live(builder);
	trace_builder_live_bytes(builder, &nr_bytes)[0] ^= 1;
	struct session *session = open_built(builder, path);

	assert_false(trace_state(session_trace(session, 0))->live_used);
	assert_problem(session_trace(session, 0), "its live file cannot be used: is not a cprof live file");
	session_destroy(session);
	snprintf(live_path, sizeof live_path, "%s.live", path);
	unlink(live_path);
	assert_null(session_open(&path, 1, &session));
	assert_problem(session_trace(session, 0), "no live file is beside it");
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void write_image(const char *name, uint32_t pid, uint64_t start_tsc, bool ended)
{
	const struct trace_builder_options options = { .pid = pid, .start_tsc = start_tsc };
	struct trace_builder *builder = trace_builder_create(&options);

	trace_builder_enter(builder, 0, start_tsc + 1000, trace_builder_context(builder, 0, 0x1000, 0x500));
	ended ? trace_builder_end(builder) : trace_builder_end_live(builder);
	trace_builder_write(builder, name);
	trace_builder_destroy(builder);
}

/* The first trace has no END. Only another one of its process that begins after its last event tells that it went on. */
static void test_exec(void **state)
{
	const struct {
		uint32_t pid;
		uint64_t start_tsc;
		bool ended, went_on; /* the first one */
	} cases[] = { { 7, 9000, false, true }, { 7, 1500, false, false }, { 8, 9000, false, false }, { 7, 9000, true, false } };
	char *second;

	(void)state;
	assert_true(asprintf(&second, "%s.1", path) > 0);
	const char *paths[] = { second, path };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct session *session;

		write_image(path, 7, 1000, cases[i].ended);
		write_image(second, cases[i].pid, cases[i].start_tsc, false);
		assert_null(session_open(paths, 2, &session));
		assert_int_equal(session_trace_went_on(session, 1), cases[i].went_on);
		assert_false(session_trace_went_on(session, 0));
		assert_int_equal(session_nr_processes(session), cases[i].went_on ? 1 : 2);
		session_destroy(session);
	}
	remove_test_files(second);
	free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_everything),
		cmocka_unit_test(test_live_file_continues_the_trace),
		cmocka_unit_test(test_live_chunk_has_its_closed_column),
		cmocka_unit_test(test_unfinished_events),
		cmocka_unit_test(test_clock_steps_back),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_damage_in_the_middle),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_unknown_kinds_are_skipped),
		cmocka_unit_test(test_hostile_tables),
		cmocka_unit_test(test_active_trace),
		cmocka_unit_test(test_gap_before_a_live_block),
		cmocka_unit_test(test_bad_live_file),
		cmocka_unit_test(test_exec),
	};

	path = test_path("session_test");
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	return failed;
}
