/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main() around a program's own main, which was compiled under the name program_main: says how long it took.
 *
 * Not instrumented, so that its clock readings enclose every traced call as tightly as can be, and cost and time of the program's
 * start and end are not in them. The program is entered through timed_call(), called twice from one place: the first time it returns at
 * once, so that what the first call of a thread and of a context costs is paid before the clocks are read. Writes "wall_ns N" and "thread_cpu_ns N" (this thread's CPU time) to the file TIMED_MAIN_OUTPUT;
 * without that variable it only calls.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int timed_call(int run, int argc, char **argv);

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Not inlined, so that both calls come from the same place although the loop below may be unrolled. */
__attribute__((noinline)) static int measure(int run, int argc, char **argv, int64_t *wall_ns, int64_t *thread_cpu_ns)
{
	int status;

	*thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	*wall_ns = clock_ns(CLOCK_MONOTONIC);
	status = timed_call(run, argc, argv);
	*wall_ns = clock_ns(CLOCK_MONOTONIC) - *wall_ns;
	*thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - *thread_cpu_ns;
	return status;
}

int main(int argc, char **argv)
{
	const char *path = getenv("TIMED_MAIN_OUTPUT");
	int64_t wall_ns = 0, thread_cpu_ns = 0;
	FILE *file;
	int status = 0;

	for (int run = 0; run < 2; run++)
		status = measure(run, argc, argv, &wall_ns, &thread_cpu_ns);
	if (!path)
		return status;

	file = fopen(path, "w");
	if (!file || fprintf(file, "wall_ns %lld\nthread_cpu_ns %lld\n", (long long)wall_ns, (long long)thread_cpu_ns) < 0 || fclose(file)) {
		fprintf(stderr, "timed_main: cannot write %s\n", path);
		return 1;
	}
	return status;
}
