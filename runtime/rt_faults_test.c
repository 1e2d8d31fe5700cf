/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bad days: every system call of the runtime fails once, disks fill, limits are reached, descriptors are closed, files are not what they seem.
 *
 * Always: the program's output and exit status are what they are without cprof, it does not hang, cprof says at most one line, and what it leaves on
 * disk can be read or is not there. rt_faults_test PROGRAM
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "fault_inject.h"
#include "rt_faults_support.h"

/* --- every call of a kind fails once ------------------------------------------------------------------------------------------------ */

static const char *fault_name(int error)
{
	return error == FAULT_SHORT ? "takes half" : strerror(error);
}

/* Returns how many runs had something to say. */
static unsigned fail_each(int nr, const char *name, int error, bool from_there_on)
{
	char what[128];
	struct fault_result result;
	unsigned said = 0, runs = 0;
	char *argv[] = { program, NULL };

	for (unsigned n = 1;; n++) {
		struct fault fault = { nr, n, from_there_on, error };

		clear();
		snprintf(what, sizeof what, "%s number %u%s: %s", name, n, from_there_on ? " and all after it" : "", fault_name(error));
		if (!fault_inject_run(argv, "libcprof.so", &fault, "stdout", "stderr", 30, &result)) {
			skip();
			return 0;
		}
		if (result.calls < n)
			break;
		said += check(what, result.status, "trace.lz4", true);
		runs++;
		if (n >= 40) /* the rest is the same again: look at some of it */
			n += n / 4;
	}
	print_message("%s, %s%s: %u runs, %u with a line\n", name, fault_name(error), from_there_on ? " from there on" : "", runs, said);
	assert_in_range(runs, 1, UINT32_MAX);
	return said;
}

#define FAIL_EACH(nr, error) fail_each(SYS_##nr, #nr, error, false)
#define FAIL_FROM(nr, error) fail_each(SYS_##nr, #nr, error, true)

static void test_open_fails(void **state)
{
	(void)state;
	FAIL_EACH(openat, EMFILE);
	FAIL_FROM(openat, EMFILE);
	FAIL_EACH(openat, EACCES);
}

static void test_memory_fails(void **state)
{
	(void)state;
	FAIL_EACH(mmap, ENOMEM);
	FAIL_FROM(mmap, ENOMEM);
}

static void test_space_fails(void **state)
{
	(void)state;
	FAIL_EACH(fallocate, ENOSPC);
	FAIL_FROM(fallocate, ENOSPC);
	FAIL_FROM(fallocate, EOPNOTSUPP);
}

static void test_write_fails(void **state)
{
	(void)state;
	FAIL_EACH(write, ENOSPC);
	line_is_lost = true;
	FAIL_FROM(write, EIO);
	line_is_lost = false;
}

/* Of every write, and of each alone, the kernel takes half: the rest comes with the next ones, and nothing is missing. */
static void test_short_writes(void **state)
{
	(void)state;
	assert_int_equal(FAIL_EACH(write, FAULT_SHORT), 0);
	assert_int_equal(FAIL_FROM(write, FAULT_SHORT), 0);
}

static void test_others_fail(void **state)
{
	(void)state;
	FAIL_EACH(fstat, EBADF);
	FAIL_EACH(fcntl, EMFILE);
	FAIL_EACH(madvise, EINVAL);
	FAIL_EACH(getcwd, ENOENT);
	FAIL_EACH(clone, EAGAIN);
	FAIL_EACH(read, EIO);
	FAIL_EACH(readlinkat, EACCES);
	FAIL_EACH(unlinkat, EACCES);
	FAIL_EACH(getrandom, EAGAIN);
	FAIL_EACH(munmap, EINVAL);
	FAIL_EACH(prctl, EINVAL);
	FAIL_EACH(newfstatat, EACCES);
	FAIL_EACH(close, EIO);
	FAIL_EACH(tgkill, EPERM);
}

/* --- killed in front of every call of a kind ------------------------------------------------------------------------------------------ */

/* What is there can be read, is sound, and holds no event that never was; a trace that says it is complete is. */
static void check_killed(const char *what, unsigned *complete, unsigned *absent)
{
	char why[256];

	if (*file_text("stderr"))
		fail_msg("%s: cprof said: %s", what, file_text("stderr"));
	if (access("trace.lz4", F_OK)) {
		++*absent;
		return;
	}
	struct trace_counts *counts = trace_counts_read("trace.lz4", why);
	if (!counts) { /* killed before it had a beginning: then nothing was recorded */
		struct stat st;

		if (!stat("trace.lz4", &st) && st.st_size)
			fail_msg("%s: %s", what, why);
		++*absent;
		return;
	}
	if (*counts->wrong)
		fail_msg("%s: %s", what, counts->wrong);
	uint64_t events = trace_counts_lost(counts);
	if (events)
		fail_msg("%s: %" PRIu64 " events lost", what, events);
	for (size_t t = 0; t < counts->nr_threads; t++)
		events += counts->threads[t].enters + counts->threads[t].exits;
	/*
	 * Between META and the live file's first word there is a trace to which nobody has recorded yet; behind END the index may be missing; the thread that
	 * writes may be in the middle of it when another is killed: then the chunk is still in the live file, too.
	 */
	if (*counts->problem && !(events == 0 && strstr(counts->problem, "is not a cprof live file")) && !strstr(counts->problem, "the index is") &&
	    !strstr(counts->problem, "died while it wrote a chunk"))
		fail_msg("%s: %s", what, counts->problem);
	if (counts->clean ? events != EVENTS : events > EVENTS)
		fail_msg("%s: %" PRIu64 " events of %u", what, events, EVENTS);
	*complete += events == EVENTS;
	trace_counts_destroy(counts);
}

static unsigned kill_at_each(int nr, const char *name)
{
	unsigned complete = 0, absent = 0, runs = 0;
	char *argv[] = { program, NULL };
	struct fault_result result;
	char what[128];

	for (unsigned n = 1;; n++) {
		struct fault fault = { nr, n, false, FAULT_KILL };

		clear();
		snprintf(what, sizeof what, "killed at %s number %u", name, n);
		if (!fault_inject_run(argv, "libcprof.so", &fault, "stdout", "stderr", 30, &result))
			skip();
		if (result.calls < n)
			break;
		if (result.status != SIGKILL)
			fail_msg("%s: wait status %#x", what, result.status);
		check_killed(what, &complete, &absent);
		runs++;
		if (n >= 40)
			n += n / 4;
	}
	print_message("killed at %s: %u runs, %u without a trace, %u with all of it\n", name, runs, absent, complete);
	assert_in_range(runs, 1, UINT32_MAX);
	return complete;
}

#define KILL_AT_EACH(nr) kill_at_each(SYS_##nr, #nr)

static void test_killed_at_each_call(void **state)
{
	(void)state;
	KILL_AT_EACH(openat);
	KILL_AT_EACH(fallocate);
	KILL_AT_EACH(mmap);
	KILL_AT_EACH(write);
	KILL_AT_EACH(fcntl);
	KILL_AT_EACH(clone);
	KILL_AT_EACH(munmap);
	/* The last one removes the live file: all is in the trace then. */
	assert_in_range(KILL_AT_EACH(unlinkat), 1, UINT32_MAX);
}

/* --- limits and places ---------------------------------------------------------------------------------------------------------------- */

static void test_file_size_limit(void **state)
{
	char what[64];

	(void)state;
	for (rlim_t limit = 4096; limit <= 4 << 20; limit = limit * 3 / 2) {
		clear();
		snprintf(what, sizeof what, "RLIMIT_FSIZE %lu", (unsigned long)limit);
		check(what, run_program(&(struct place){ RLIMIT_FSIZE, limit, NULL }), "trace.lz4", true);
	}
}

static void test_open_files_limit(void **state)
{
	char what[64];

	(void)state;
	for (rlim_t limit = 3; limit < 24; limit++) {
		struct place place = { RLIMIT_NOFILE, limit, NULL };

		clear();
		setenv("CPROF", "off", 1);
		int without = run_program(&place);
		unsetenv("CPROF");
		if (without != PROGRAM_STATUS)
			continue; /* the loader needs some */
		snprintf(what, sizeof what, "RLIMIT_NOFILE %lu", (unsigned long)limit);
		check(what, run_program(&place), "trace.lz4", true);
	}
}

static void test_address_space_limit(void **state)
{
	char what[64];

	(void)state;
	for (rlim_t limit = 64ul << 20; limit < 2ul << 30; limit = limit * 5 / 4) {
		clear();
		snprintf(what, sizeof what, "RLIMIT_AS %lu", (unsigned long)limit);
		check(what, run_program(&(struct place){ RLIMIT_AS, limit, NULL }), "trace.lz4", true);
	}
}

static void test_missing_folder(void **state)
{
	(void)state;
	clear();
	setenv("CPROF_OUTPUT", "/nonexistent/trace.lz4", 1);
	assert_true(check("no folder", run_program(&(struct place){ .limit = -1 }), "/nonexistent/trace.lz4", true));
	assert_non_null(strstr(file_text("stderr"), "/nonexistent/trace.lz4"));
}

static void test_log(void **state)
{
	(void)state;
	clear();
	setenv("CPROF_OUTPUT", "/nonexistent/trace.lz4", 1);
	setenv("CPROF_LOG", "log", 1);
	assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
	assert_string_equal(file_text("stderr"), "");
	assert_int_equal(lines(file_text("log")), 1);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	fputs(text, file);
	fclose(file);
}

static void test_foreign_file(void **state)
{
	(void)state;
	clear();
	write_file("trace.lz4", "my letter of application\n");
	assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
	assert_int_equal(lines(file_text("stderr")), 1);
	assert_non_null(strstr(file_text("stderr"), "not a cprof trace"));
	assert_string_equal(file_text("trace.lz4"), "my letter of application\n");
	assert_int_equal(access("trace.lz4.live", F_OK), -1);
}

static void test_symbolic_link(void **state)
{
	struct stat st;

	(void)state;
	for (int dangling = 0; dangling < 2; dangling++) {
		clear();
		if (!dangling)
			write_file("victim", "precious\n");
		assert_return_code(symlink("victim", "trace.lz4"), errno);
		assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
		assert_int_equal(lines(file_text("stderr")), 1);
		assert_return_code(lstat("trace.lz4", &st), errno);
		assert_true(S_ISLNK(st.st_mode));
		assert_int_equal(access("victim", F_OK), dangling ? -1 : 0);
		if (!dangling)
			assert_string_equal(file_text("victim"), "precious\n");
	}
	/* The live file's name, too. */
	clear();
	write_file("victim", "precious\n");
	assert_return_code(symlink("victim", "trace.lz4.live"), errno);
	check("live file's name is a link", run_program(&(struct place){ .limit = -1 }), "trace.lz4", false);
	assert_string_equal(file_text("victim"), "precious\n");
}

static void test_folder_fifo_device(void **state)
{
	(void)state;
	clear();
	assert_return_code(mkfifo("trace.lz4", 0600), errno);
	assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
	assert_int_equal(lines(file_text("stderr")), 1);
	clear();
	setenv("CPROF_OUTPUT", "/dev/null", 1);
	assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
	assert_int_equal(lines(file_text("stderr")), 1);
	clear();
	setenv("CPROF_OUTPUT", "/tmp", 1);
	assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS);
	assert_int_equal(lines(file_text("stderr")), 1);
}

static void test_older_trace(void **state)
{
	(void)state;
	clear();
	for (int i = 0; i < 2; i++)
		check("again over an older trace", run_program(&(struct place){ .limit = -1 }), "trace.lz4", false);
	DIR *dir = opendir(".");
	int nr = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		nr += !strncmp(entry->d_name, "trace", 5);
	closedir(dir);
	assert_int_equal(nr, 1);
}

/* --- standard error that is not one ------------------------------------------------------------------------------------------------------ */

static void no_stderr(void)
{
	close(2);
}

/* The number is a file of the program's own by the time something is to be said. */
static void stderr_is_a_file(void)
{
	close(2);
	if (open("own", O_WRONLY | O_CREAT | O_TRUNC, 0600) != 2)
		_exit(126);
}

static void stderr_is_a_dead_pipe(void)
{
	int fds[2];

	if (pipe(fds))
		_exit(126);
	dup2(fds[1], 2);
	close(fds[0]);
	close(fds[1]);
}

static void stderr_is_a_full_pipe(void)
{
	int fds[2];
	char byte = 0;

	if (pipe(fds))
		_exit(126);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], &byte, 1) == 1)
		;
	fcntl(fds[1], F_SETFL, 0);
	dup2(fds[1], 2);
	dup2(fds[0], 600); /* stays open */
}

static void test_stderr(void **state)
{
	static void (*const prepare[])(void) = { no_stderr, stderr_is_a_dead_pipe, stderr_is_a_full_pipe };

	(void)state;
	for (size_t i = 0; i < sizeof prepare / sizeof *prepare; i++) {
		clear();
		setenv("CPROF_OUTPUT", "/nonexistent/trace.lz4", 1);
		assert_int_equal(run_program(&(struct place){ .limit = -1, .prepare = prepare[i] }), PROGRAM_STATUS);
		assert_string_equal(file_text("stdout"), expected);
	}
	clear();
	setenv("CPROF_OUTPUT", "/nonexistent/trace.lz4", 1);
	assert_int_equal(run_program(&(struct place){ .limit = -1, .prepare = stderr_is_a_file }), PROGRAM_STATUS);
	assert_int_equal(lines(file_text("own")), 1); /* from the start: that is its stderr */
}

/* --- many at once ---------------------------------------------------------------------------------------------------------------------- */

static size_t traces(void)
{
	DIR *dir = opendir(".");
	size_t nr = 0;

	for (struct dirent *entry; (entry = readdir(dir));) {
		size_t length = strlen(entry->d_name);

		nr += !strncmp(entry->d_name, "trace", 5) && !strcmp(entry->d_name + length - 4, ".lz4");
	}
	closedir(dir);
	return nr;
}

/* Processes that start at the same moment beside an older trace: each keeps a file of its own, and none loses it to another's clean-up. */
static void test_many_processes(void **state)
{
	enum { PROCESSES = 12, ROUNDS = 20 };
	int status;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		int start[2], finish[2];

		clear();
		assert_int_equal(run_program(&(struct place){ .limit = -1 }), PROGRAM_STATUS); /* the older one */
		assert_return_code(pipe2(start, O_CLOEXEC), errno);
		assert_return_code(pipe2(finish, O_CLOEXEC), errno);
		for (int i = 0; i < PROCESSES; i++) {
			pid_t pid = fork();
			assert_return_code(pid, errno);
			if (!pid) {
				char byte;
				dup2(open("/dev/null", O_WRONLY), 1);
				dup2(finish[0], 0);
				close(start[1]);
				if (read(start[0], &byte, 1) < 0)
					_exit(125);
				execl(program, program, "wait", (char *)NULL);
				_exit(127);
			}
		}
		close(start[0]);
		close(finish[0]);
		close(start[1]); /* go */
		for (int tries = 0; tries < 500 && traces() < PROCESSES; tries++)
			usleep(10000);
		close(finish[1]);
		for (int i = 0; i < PROCESSES; i++) {
			assert_true(wait(&status) > 0);
			assert_int_equal(status, PROGRAM_STATUS);
		}
		assert_int_equal(traces(), PROCESSES);
		DIR *dir = opendir(".");
		for (struct dirent *entry; (entry = readdir(dir));) {
			if (strncmp(entry->d_name, "trace", 5))
				continue;
			struct trace_counts *counts = run_read(entry->d_name);
			assert_true(counts->clean);
			trace_counts_destroy(counts);
		}
		closedir(dir);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_fails),
		cmocka_unit_test(test_memory_fails),
		cmocka_unit_test(test_space_fails),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_short_writes),
		cmocka_unit_test(test_others_fail),
		cmocka_unit_test(test_killed_at_each_call),
		cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_open_files_limit),
		cmocka_unit_test(test_address_space_limit),
		cmocka_unit_test(test_missing_folder),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_foreign_file),
		cmocka_unit_test(test_symbolic_link),
		cmocka_unit_test(test_folder_fifo_device),
		cmocka_unit_test(test_older_trace),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_many_processes),
	};

	if (argc != 2)
		return 2;
	faults_expect(argv[1]);
	return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
