/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a recorded program in a child of the test, in a folder of its own, and reads what it left. Include after cmocka.h, in one file per test program.
 */
#ifndef RT_RUN_TEST_SUPPORT_H
#define RT_RUN_TEST_SUPPORT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace_counts.h"

struct run {
	const char *buffer, *drain, *full, *contexts; /* CPROF_*; NULL: default */
	unsigned seconds;                             /* killed as hanging after this many; default 60 */
	bool keep_stderr;                             /* the caller looks at it; else it must be empty */
};

#ifdef __aarch64__
enum { RUN_PATIENCE = 5 }; /* emulated, perhaps */
#else
enum { RUN_PATIENCE = 1 };
#endif

static char run_folder[64];

static inline void folder_empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			assert_return_code(unlinkat(dirfd(dir), entry->d_name, 0), errno);
	closedir(dir);
}

/* For cmocka's group setup and teardown. */
static inline int run_setup(void **state)
{
	(void)state;
	strcpy(run_folder, "/tmp/cprof-run-XXXXXX");
	return !mkdtemp(run_folder) || chdir(run_folder);
}

static inline int run_teardown(void **state)
{
	(void)state;
	folder_empty(run_folder);
	return chdir("/") || rmdir(run_folder);
}

static inline void set_or_not(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static inline char *file_text(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

	assert_true(bytes >= 0);
	text[bytes] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

/* Returns the child's wait status. */
static inline int run_child(const struct run *run, void (*program)(void *), void *argument)
{
	int status;

	folder_empty(run_folder);
	pid_t pid = fork();
	assert_return_code(pid, errno);
	if (!pid) {
		int fd = open("stderr", O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(fd, 2);
		close(fd);
		set_or_not("CPROF_BUFFER", run->buffer);
		set_or_not("CPROF_DRAIN", run->drain);
		set_or_not("CPROF_FULL", run->full);
		set_or_not("CPROF_CONTEXTS", run->contexts);
		unsetenv("CPROF_OUTPUT");
		unsetenv("CPROF_LOG");
		alarm(RUN_PATIENCE * (run->seconds ? run->seconds : 60));
		program(argument);
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!run->keep_stderr && *file_text("stderr")) {
		fputs(file_text("stderr"), stderr);
		fail_msg("the program wrote to stderr");
	}
	return status;
}

static inline struct trace_counts *run_read(const char *path)
{
	char why[256];
	struct trace_counts *counts = trace_counts_read(path, why);

	if (!counts)
		fail_msg("%s: %s", path, why);
	assert_string_equal(counts->wrong, "");
	assert_string_equal(counts->problem, "");
	return counts;
}

/* The program ended well and left one clean trace: what it says. */
static inline struct trace_counts *run_counts(const struct run *run, void (*program)(void *), void *argument)
{
	assert_int_equal(run_child(run, program, argument), 0);
	struct trace_counts *counts = run_read("trace.lz4");

	assert_true(counts->clean);
	assert_int_equal(access("trace.lz4.live", F_OK), -1);
	return counts;
}

#endif
