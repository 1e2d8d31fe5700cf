/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocations KIND [MILLIONS]: what a malloc with its free costs, ns, as lines "KIND.name<tab>value"; run plain, with the interposer, and under heaptrack.
 *
 *     pair_ns      malloc(32) and free at once, one thread
 *     live_ns      of blocks of 16 to 271 bytes of which 1,000 are alive: each is freed when 1,000 others were made after it
 *     threads_ns   pair_ns, by two threads at once: CPU time of both together, per pair
 *
 * The best of several tries each. The loops make no recorded call: it is allocations alone that are measured.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TRIES = 7, ALIVE = 1000 };
static long pairs = 1000000;

static double now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void *make_pairs(void *unused)
{
	void *volatile block;

	for (long i = 0; i < pairs; i++) {
		block = malloc(32);
		free(block);
	}
	return unused;
}

static void make_live(void)
{
	static void *volatile blocks[ALIVE];

	for (long i = 0; i < pairs; i++) {
		free(blocks[i % ALIVE]);
		blocks[i % ALIVE] = malloc(16 + ((uint64_t)i * 7919 & 255));
	}
}

static void pairs_once(void)
{
	make_pairs(NULL);
}

static void pairs_by_two(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, make_pairs, NULL))
		exit(1);
	make_pairs(NULL);
	pthread_join(other, NULL);
}

static void measure(const char *kind, const char *name, void (*run)(void), clockid_t clock, int threads)
{
	double best = 1e30;

	for (int i = 0; i < TRIES; i++) {
		double start = now_ns(clock);

		run();
		double took = (now_ns(clock) - start) / (double)(pairs * threads);
		best = took < best ? took : best;
	}
	printf("%s.%s\t%.2f\n", kind, name, best);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		pairs = (long)(atof(argv[2]) * 1e6);
	measure(argv[1], "pair_ns", pairs_once, CLOCK_THREAD_CPUTIME_ID, 1);
	measure(argv[1], "live_ns", make_live, CLOCK_THREAD_CPUTIME_ID, 1);
	measure(argv[1], "threads_ns", pairs_by_two, CLOCK_PROCESS_CPUTIME_ID, 2);
	return 0;
}
