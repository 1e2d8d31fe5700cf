/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What threads and coroutines cost: strands KEY prints KEY.thread_us (of a thread that makes 10 calls, start to join), KEY.idle_kb (resident memory of one
 * of 500 that wait) and KEY.switch_ns (of a swapcontext() between two calls). Minima, so that a busy machine counts as little as can be.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum { ROUNDS = 40, THREADS = 100, ALIVE = 500, SWITCHES = 20000, STACK = 64 << 10 };

#define PLAIN __attribute__((no_instrument_function)) static

static __thread volatile int sink;
static pthread_barrier_t there, done;
static ucontext_t main_context, coroutine;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

static void *short_lived(void *unused)
{
	for (int i = 0; i < 10; i++)
		leaf();
	return unused;
}

static void *waiting(void *unused)
{
	leaf();
	pthread_barrier_wait(&there);
	pthread_barrier_wait(&done);
	return unused;
}

__attribute__((noinline)) static void pause_here(void)
{
	swapcontext(&coroutine, &main_context);
}

static void body(void)
{
	for (;;)
		pause_here();
}

PLAIN double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

PLAIN long resident_kb(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, "VmRSS:", 6))
			kb = atol(line + 6);
	if (file)
		fclose(file);
	return kb;
}

PLAIN void run_threads(void)
{
	pthread_t thread;

	for (int i = 0; i < THREADS; i++) {
		pthread_create(&thread, NULL, short_lived, NULL);
		pthread_join(thread, NULL);
	}
}

PLAIN void run_switches(void)
{
	for (int i = 0; i < SWITCHES; i++)
		swapcontext(&main_context, &coroutine);
}

PLAIN double least_ns(void (*run)(void))
{
	double least = 1e18;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now_ns(), took;

		run();
		took = now_ns() - start;
		least = took < least ? took : least;
	}
	return least;
}

PLAIN long idle_kb(void)
{
	static pthread_t threads[ALIVE];
	long before = resident_kb(), all;

	pthread_barrier_init(&there, NULL, ALIVE + 1);
	pthread_barrier_init(&done, NULL, ALIVE + 1);
	for (int i = 0; i < ALIVE; i++)
		pthread_create(&threads[i], NULL, waiting, NULL);
	pthread_barrier_wait(&there);
	all = resident_kb() - before;
	pthread_barrier_wait(&done);
	for (int i = 0; i < ALIVE; i++)
		pthread_join(threads[i], NULL);
	return all / ALIVE;
}

int main(int argc, char **argv)
{
	static char stack[STACK] __attribute__((aligned(16)));

	if (argc != 2)
		return 2;
	printf("%s.thread_us\t%.2f\n", argv[1], least_ns(run_threads) / THREADS / 1e3);
	printf("%s.idle_kb\t%ld\n", argv[1], idle_kb());
	getcontext(&coroutine);
	coroutine.uc_stack.ss_sp = stack;
	coroutine.uc_stack.ss_size = sizeof stack;
	makecontext(&coroutine, body, 0);
	printf("%s.switch_ns\t%.1f\n", argv[1], least_ns(run_switches) / (2.0 * SWITCHES));
	return 0;
}
