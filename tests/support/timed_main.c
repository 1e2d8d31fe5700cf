/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main() around a program's own main, which was compiled under the name program_main: says how long it took.
 *
 * Not instrumented, so that its clock readings enclose every traced call as tightly as can be, and cost and time of the program's
 * start and end are not in them. Writes "wall_ns N" and "thread_cpu_ns N" (this thread's CPU time) to the file TIMED_MAIN_OUTPUT;
 * without that variable it only calls.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int program_main(int argc, char **argv);
void first_call(void); /* instrumented: what the first call of a thread costs is paid before the clocks are read */

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int main(int argc, char **argv)
{
	const char *path = getenv("TIMED_MAIN_OUTPUT");
	int64_t wall_ns, thread_cpu_ns;
	FILE *file;
	int status;

	if (!path)
		return program_main(argc, argv);

	first_call();
	thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	wall_ns = clock_ns(CLOCK_MONOTONIC);
	status = program_main(argc, argv);
	wall_ns = clock_ns(CLOCK_MONOTONIC) - wall_ns;
	thread_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - thread_cpu_ns;

	file = fopen(path, "w");
	if (!file || fprintf(file, "wall_ns %lld\nthread_cpu_ns %lld\n", (long long)wall_ns, (long long)thread_cpu_ns) < 0 || fclose(file)) {
		fprintf(stderr, "timed_main: cannot write %s\n", path);
		return 1;
	}
	return status;
}
