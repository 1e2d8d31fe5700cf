/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs rt_faults_program where things go wrong, and looks at what is left. Include after cmocka.h, in one file per test program.
 */
#ifndef RT_FAULTS_SUPPORT_H
#define RT_FAULTS_SUPPORT_H

#include <sys/resource.h>

#include "rt_run_test_support.h"

enum { EVENTS = 2 * (1 + 2 * (1 + 20 * 4095)), PROGRAM_STATUS = 3 << 8 };

static char program[512], expected[64];
static bool line_is_lost; /* standard error cannot be written either */

static inline size_t lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

static inline void clear(void)
{
	folder_empty(run_folder);
	unsetenv("CPROF_OUTPUT");
	unsetenv("CPROF_LOG");
	unsetenv("CPROF_DRAIN");
	setenv("CPROF_BUFFER", "256k", 1);
}

/* The program went as it should, and its trace is there and can be read, or is not there. Returns whether cprof said something. */
static inline bool check(const char *what, int status, const char *trace, bool may_be_absent)
{
	char why[256], said[1024];

	snprintf(said, sizeof said, "%s", file_text("stderr"));
	if (status != PROGRAM_STATUS)
		fail_msg("%s: wait status %#x; %s", what, status, said);
	if (strcmp(file_text("stdout"), expected))
		fail_msg("%s: other output: %s", what, file_text("stdout"));
	if (lines(said) > 1 || (*said && strncmp(said, "cprof: ", 7)))
		fail_msg("%s: cprof said: %s", what, said);
	if (access(trace, F_OK)) {
		if (!may_be_absent || (!*said && !line_is_lost))
			fail_msg("%s: no trace; %s", what, said);
		assert_int_equal(access("trace.lz4.live", F_OK), -1);
		return *said;
	}
	struct trace_counts *counts = trace_counts_read(trace, why);
	if (!counts)
		fail_msg("%s: the trace cannot be read: %s; %s", what, why, said);
	if (*counts->wrong)
		fail_msg("%s: %s; %s", what, counts->wrong, said);
	if (*counts->problem && !strstr(counts->problem, "index")) /* it may be missing: readers scan */
		fail_msg("%s: %s; %s", what, counts->problem, said);
	uint64_t events = trace_counts_lost(counts);
	if (events && !*said && !line_is_lost)
		fail_msg("%s: %" PRIu64 " events lost, and nobody says so", what, events);
	if (counts->clean && counts->lost_by_buffer != events)
		fail_msg("%s: %" PRIu64 " events lost by THREADS, %" PRIu64 " by LOSS", what, events, counts->lost_by_buffer);
	for (size_t t = 0; t < counts->nr_threads; t++)
		events += counts->threads[t].enters + counts->threads[t].exits;
	if (!*said && !line_is_lost && events != EVENTS)
		fail_msg("%s: %" PRIu64 " events recorded or lost, not %u, and nobody says so", what, events, EVENTS);
	if (counts->clean && events != EVENTS)
		fail_msg("%s: %" PRIu64 " events, not %u, in a trace that says it is complete; %s", what, events, EVENTS, said);
	trace_counts_destroy(counts);
	return *said;
}

struct place {
	int limit;              /* RLIMIT_*, or -1 */
	rlim_t value;
	void (*prepare)(void);  /* in the child, before exec; may be NULL */
};

static inline int run_program(const struct place *place)
{
	int status;
	pid_t pid = fork();

	assert_return_code(pid, errno);
	if (!pid) {
		int out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600), err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(out, 1);
		dup2(err, 2);
		close(out);
		close(err);
		alarm(30);
		if (place->prepare)
			place->prepare();
		if (place->limit >= 0)
			setrlimit((__rlimit_resource_t)place->limit, &(struct rlimit){ place->value, place->value });
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void faults_expect(const char *path)
{
	snprintf(program, sizeof program, "%s", path);
	unsigned long sum = 0; /* of 20 rounds: 2048 leaves each, n plus 11 to 22 on the way: 16.5 on average */
	for (unsigned long i = 1; i <= 20; i++)
		sum += 2048 * i + 2048 * 33 / 2;
	snprintf(expected, sizeof expected, "sum %lu\n", 2 * sum);
}

#endif
