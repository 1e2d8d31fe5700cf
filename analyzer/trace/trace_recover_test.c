/* SPDX-License-Identifier: BSD-2-Clause */
/* What recover writes holds the same events and tables as what it read, passes lz4 -t, and is there whole or not at all. */
#include "trace_recover.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "trace_test_support.h"

static const char *path;
static char output[300];

static struct trace_builder *build_sample(void)
{
	struct trace_builder *builder = trace_builder_create(NULL);
	uint32_t top, work, leaf;

	trace_builder_module(builder, "/bin/app", 0x555555554000);
	top = trace_builder_context(builder, 0, 0x1000, 0x500);
	work = trace_builder_context(builder, top, 0x2000, 0x1010);
	leaf = trace_builder_context(builder, work, 0x3000, 0x2010);
	for (uint32_t thread = 0; thread < 3; thread++) {
		uint64_t ticks = 2000 + thread;

		trace_builder_enter(builder, thread, ticks, top);
		for (int i = 0; i < 100; i++) {
			trace_builder_enter(builder, thread, ticks += 3, work);
			trace_builder_enter(builder, thread, ticks += 5, leaf);
			if (i % 10 == 9 && i < 80)
				trace_builder_cut(builder, thread);
			trace_builder_exit(builder, thread, ticks += 300);
			if (thread == 1 && i == 50)
				trace_builder_escape(builder, thread, CPROF_ESCAPE_UNMATCHED, 3);
			if (thread == 2 && i % 3 == 0) {
				trace_builder_switch(builder, thread, ticks += 2, CPROF_ESCAPE_SUSPEND);
				trace_builder_switch(builder, thread, ticks += 70, CPROF_ESCAPE_RESUME);
			}
			trace_builder_exit(builder, thread, ticks += 1);
		}
	}
	trace_builder_loss(builder, 1, CPROF_LOSS_BUFFER_FULL, 12);
	return builder;
}

static void assert_lz4_accepts(const char *file)
{
	char command[400];

	snprintf(command, sizeof command, "lz4 -t -q '%s'", file);
	assert_int_equal(system(command), 0);
}

static void compare_with_recovered(struct trace *trace, bool clean)
{
	struct trace_recover_result result;
	const char *recovered_path = output;
	struct session *session;
	struct stat status;

	assert_null(trace_recover(trace, output, &result));
	assert_lz4_accepts(output);
	assert_int_equal(stat(output, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(status.st_size, result.bytes);
	assert_null(session_open(&recovered_path, 1, &session));
	struct trace *recovered = session_trace(session, 0);
	const struct trace_tables *old = trace_tables(trace), *new = trace_tables(recovered);
	uint64_t nr_events = 0, nr_chunks = 0;

	for (uint32_t thread = 0; thread < old->nr_threads; thread++) {
		struct event_list left = read_events(trace, thread), right = read_events(recovered, thread);

		assert_same_events(&left, &right);
		assert_int_equal(left.holes, right.holes);
		for (size_t i = 0; i < right.nr; i++)
			nr_events += right.items[i].kind != EVENT_ESCAPE;
		nr_chunks += right.chunks;
		free(left.items);
		free(right.items);
		assert_string_equal(old->threads[thread].name, new->threads[thread].name);
	}
	assert_int_equal(result.events, nr_events);
	assert_int_equal(result.chunks, nr_chunks);
	assert_int_equal(old->nr_contexts, new->nr_contexts);
	assert_memory_equal(old->contexts, new->contexts, old->nr_contexts * sizeof *old->contexts);
	assert_int_equal(old->nr_modules, new->nr_modules);
	assert_memory_equal(old->modules, new->modules, old->nr_modules * sizeof *old->modules);
	assert_int_equal(old->nr_threads, new->nr_threads);
	assert_int_equal(old->nr_losses, new->nr_losses);
	assert_true(trace_clock_hz(trace) == trace_clock_hz(recovered));
	assert_string_equal(trace_meta(trace)->exe, trace_meta(recovered)->exe);
	assert_int_equal(trace_state(recovered)->clean, clean);
	assert_int_equal(trace_state(recovered)->damaged_bytes, 0);
	if (clean)
		assert_int_equal(trace_state(recovered)->nr_problems, 0);
	session_destroy(session);
	unlink(output);
}

static void test_killed_process(void **state)
{
	struct trace_builder *builder = build_sample();

	(void)state;
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);

	compare_with_recovered(session_trace(session, 0), true);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_damaged_trace(void **state)
{
	struct trace_builder *builder = build_sample();
	size_t nr_bytes;

	(void)state;
	trace_builder_end(builder);
	trace_builder_bytes(builder, &nr_bytes)[trace_builder_entry(builder, 5)->offset + 95] ^= 1;
	struct session *session = open_built(builder, path);

	compare_with_recovered(session_trace(session, 0), false);
	session_destroy(session);
	trace_builder_destroy(builder);
}

/* Only the live file is left of what it says: META too. */
static void test_lost_meta(void **state)
{
	struct trace_builder *builder = build_sample();
	size_t nr_bytes;

	(void)state;
	trace_builder_end_live(builder);
	trace_builder_bytes(builder, &nr_bytes)[30] ^= 1;
	struct session *session = open_built(builder, path);

	assert_string_equal(trace_meta(session_trace(session, 0))->exe, "/bin/app");
	compare_with_recovered(session_trace(session, 0), true);
	session_destroy(session);
	trace_builder_destroy(builder);
}

static void test_output_over_input(void **state)
{
	struct trace_builder *builder = build_sample();
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct trace_recover_result result;

	(void)state;
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);

	assert_null(trace_recover(session_trace(session, 0), path, &result));
	assert_int_equal(result.live_chunks, 3);
	session_destroy(session);
	assert_null(session_open(&path, 1, &session)); /* its live file is still there, and not used any more */
	assert_true(trace_state(session_trace(session, 0))->clean);
	session_destroy(session);

	trace_builder_write(builder, path);
	int fd = open(path, O_RDWR);

	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_null(session_open(&path, 1, &session));
	struct cprof_error *error = trace_recover(session_trace(session, 0), path, &result);

	assert_non_null(error);
	assert_non_null(strstr(error->message, "still being written"));
	cprof_error_free(error);
	session_destroy(session);
	close(fd);
	trace_builder_destroy(builder);
}

static void test_output_that_cannot_be(void **state)
{
	struct trace_builder *builder = build_sample();
	struct trace_recover_result result;

	(void)state;
	trace_builder_end_live(builder);
	struct session *session = open_built(builder, path);
	struct cprof_error *error = trace_recover(session_trace(session, 0), "/nonexistent/out.lz4", &result);

	assert_non_null(error);
	assert_int_equal(error->code, CPROF_ERROR_OS);
	cprof_error_free(error);
	assert_int_equal(mkdir(output, 0700), 0);
	error = trace_recover(session_trace(session, 0), output, &result); /* rename fails; no temporary file may stay */
	assert_non_null(error);
	cprof_error_free(error);
	assert_int_equal(rmdir(output), 0);
	char command[400];

	snprintf(command, sizeof command, "ls '%s'.* 2>/dev/null | grep -q .", output);
	assert_int_not_equal(system(command), 0);
	session_destroy(session);
	trace_builder_destroy(builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_process),
		cmocka_unit_test(test_damaged_trace),
		cmocka_unit_test(test_lost_meta),
		cmocka_unit_test(test_output_over_input),
		cmocka_unit_test(test_output_that_cannot_be),
	};

	path = test_path("trace_recover_test");
	snprintf(output, sizeof output, "%s.out", path);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	return failed;
}
