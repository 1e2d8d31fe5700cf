/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files are of one session, as operands, as a folder and beside each other. */
#include "session_files.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_test_support.h"

static char folder[] = "/tmp/session_files_test.XXXXXX";
static char name[8][400];

static const char *in_folder(int index, const char *base)
{
	snprintf(name[index], sizeof name[index], "%s/%s", folder, base);
	return name[index];
}

/* session 0: none. live: only the live file has been written so far. */
static void write_trace(const char *base, uint8_t session, uint32_t pid, bool live)
{
	struct trace_builder_options options = { .pid = pid };
	struct trace_builder *builder;
	uint32_t context;

	memset(options.session, session, sizeof options.session);
	builder = trace_builder_create(&options);
	context = trace_builder_context(builder, 0, 0x1000, 0x500);
	trace_builder_enter(builder, 0, 2000, context);
	trace_builder_exit(builder, 0, 3000);
	if (live)
		trace_builder_end_live(builder);
	else
		trace_builder_end(builder);
	trace_builder_write(builder, in_folder(7, base));
	if (live)
		assert_int_equal(truncate(name[7], 0), 0);
	trace_builder_destroy(builder);
}

static void expect(const char *const *operands, size_t nr_operands, enum session_extent extent, const char *paths, const char *others)
{
	struct session_files files;
	char text[400] = "", beside[400] = "";
	struct cprof_error *error = session_files_find(operands, nr_operands, extent, &files);

	if (error)
		cprof_error_print(error, "session_files_test");
	assert_null(error);
	for (size_t i = 0; i < files.nr_paths; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", strrchr(files.paths[i], '/') + 1);
	for (size_t i = 0; i < files.nr_others; i++)
		snprintf(beside + strlen(beside), sizeof beside - strlen(beside), "%s%s", i ? " " : "", strrchr(files.others[i], '/') + 1);
	assert_string_equal(text, paths);
	assert_string_equal(beside, others);
	session_files_deinit(&files);
}

static void expect_error(const char *const *operands, size_t nr_operands, const char *part)
{
	struct session_files files;
	struct cprof_error *error = session_files_find(operands, nr_operands, SESSION_GIVEN, &files);

	assert_non_null(error);
	if (!strstr(error->message, part))
		fail_msg("'%s' is not in '%s'", part, error->message);
	cprof_error_free(error);
}

static void test_a_file_has_others_of_its_session_beside_it(void **state)
{
	const char *operands[] = { in_folder(0, "a.lz4") };

	(void)state;
	write_trace("a.lz4", 1, 10, false);
	write_trace("a.11.lz4", 1, 11, false);
	write_trace("b.lz4", 2, 20, false);
	write_trace("none.lz4", 0, 30, false);
	write_trace("a.bpf.lz4", 1, 12, false); /* the kernel half of a.lz4 */
	expect(operands, 1, SESSION_GIVEN, "a.lz4", "a.11.lz4");
	expect(operands, 1, SESSION_ALL, "a.11.lz4 a.lz4", ""); /* both began at the same ns: by name */
	expect(operands, 1, SESSION_ONLY, "a.lz4", "");
}

static void test_a_folder_is_its_traces(void **state)
{
	const char *operands[] = { folder };
	FILE *text;

	(void)state;
	expect_error(operands, 1, "no trace");
	write_trace("a.lz4", 1, 10, false);
	write_trace("a.11.lz4", 1, 11, false);
	text = fopen(in_folder(1, "notes.lz4"), "w");
	assert_non_null(text);
	fputs("This is no trace.\n", text);
	fclose(text);
	assert_int_equal(mkdir(in_folder(2, "inner"), 0700), 0);
	assert_int_equal(mkfifo(in_folder(3, "fifo"), 0600), 0);
	expect(operands, 1, SESSION_GIVEN, "a.11.lz4 a.lz4", "");
	write_trace("b.lz4", 2, 20, false);
	expect_error(operands, 1, "2 runs");
	expect_error(operands, 1, "/b.lz4 (2023-11-14 22:13:20)");
}

static void test_files_of_different_sessions_are_refused(void **state)
{
	const char *operands[] = { in_folder(0, "a.lz4"), in_folder(1, "b.lz4"), in_folder(2, "none.lz4") };

	(void)state;
	write_trace("a.lz4", 1, 10, false);
	write_trace("b.lz4", 2, 20, false);
	write_trace("none.lz4", 0, 30, false);
	expect_error(operands, 2, "2 runs");
	operands[1] = operands[2]; /* nothing says that it is of another run */
	expect(operands, 2, SESSION_GIVEN, "a.lz4 none.lz4", "");
}

static void test_a_copy_is_not_read_twice(void **state)
{
	const char *operands[] = { in_folder(0, "a.lz4"), in_folder(1, "copy.lz4") };

	(void)state;
	write_trace("a.lz4", 1, 10, false);
	write_trace("copy.lz4", 1, 10, false);
	expect_error(operands, 2, "same process");
	expect(operands, 1, SESSION_ALL, "a.lz4", "");
}

static void test_a_live_file_says_whose_the_trace_is(void **state)
{
	const char *operands[] = { in_folder(0, "a.lz4") };

	(void)state;
	write_trace("a.lz4", 1, 10, false);
	write_trace("a.12.lz4", 1, 12, true);
	expect(operands, 1, SESSION_GIVEN, "a.lz4", "a.12.lz4");
}

static void test_operands_are_listed_as_they_are(void **state)
{
	const char *operands[] = { in_folder(0, "gone.lz4"), folder };
	struct session_files files;

	(void)state;
	write_trace("a.lz4", 1, 10, false);
	write_trace("b.lz4", 2, 20, false);
	assert_null(session_files_list(operands, 2, &files));
	assert_int_equal(files.nr_paths, 3);
	assert_string_equal(files.paths[0], operands[0]);
	session_files_deinit(&files);
}

static int empty_folder(void **state)
{
	DIR *names = opendir(folder);
	struct dirent *entry;

	(void)state;
	if (!names)
		return -1;
	while ((entry = readdir(names)))
		if (entry->d_name[0] != '.')
			remove(in_folder(7, entry->d_name));
	closedir(names);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_file_has_others_of_its_session_beside_it, empty_folder),
		cmocka_unit_test_setup(test_a_folder_is_its_traces, empty_folder),
		cmocka_unit_test_setup(test_files_of_different_sessions_are_refused, empty_folder),
		cmocka_unit_test_setup(test_a_copy_is_not_read_twice, empty_folder),
		cmocka_unit_test_setup(test_a_live_file_says_whose_the_trace_is, empty_folder),
		cmocka_unit_test_setup(test_operands_are_listed_as_they_are, empty_folder),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	empty_folder(NULL);
	rmdir(folder);
	return failed;
}
