/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libc_calls KIND: what calls cost that libcprof-calls.so stands before, ns, as lines "KIND.name<tab>value"; run plain, and by cprof-record without BPF.
 *
 *     read_ns      pread of one byte of a file that is in memory
 *     lock_ns      pthread_mutex_lock that nobody holds, and its unlock
 *
 * The best of several tries each. The loops make no recorded call.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 7, CALLS = 200000 };

static int file;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void make_reads(void)
{
	char byte;

	for (int i = 0; i < CALLS; i++)
		if (pread(file, &byte, 1, 0) != 1)
			exit(1);
}

static void make_locks(void)
{
	for (int i = 0; i < CALLS; i++) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
}

static void measure(const char *kind, const char *name, void (*run)(void))
{
	double best = 1e30;

	for (int i = 0; i < TRIES; i++) {
		double start = now_ns();

		run();
		double took = (now_ns() - start) / CALLS;
		best = took < best ? took : best;
	}
	printf("%s.%s\t%.2f\n", kind, name, best);
}

int main(int argc, char **argv)
{
	file = open("/proc/self/exe", O_RDONLY);
	if (argc != 2 || file < 0)
		return 1;
	measure(argv[1], "read_ns", make_reads);
	measure(argv[1], "lock_ns", make_locks);
	return 0;
}
