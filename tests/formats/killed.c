/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What version-*-killed.trace was recorded from: two threads that have made calls and wait inside one, and main, which fills more than one block
 * of events and is killed five calls deep. So some blocks are in the trace, others and the tables in its live file only.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { NR_THREADS = 2, NR_LEAVES = 40009 };

static volatile int sink;
static pthread_barrier_t recorded;

__attribute__((noinline)) static void leaf(void)
{
	sink = 1;
}

__attribute__((noinline)) static void wait_here(void)
{
	pthread_barrier_wait(&recorded);
	for (;;)
		pause();
}

static void *thread_main(void *unused)
{
	for (int i = 0; i < 113; i++)
		leaf();
	wait_here();
	return unused;
}

__attribute__((noinline)) static void descend(int depth)
{
	if (depth)
		descend(depth - 1);
	else
		raise(SIGKILL);
	sink = 2;
}

int main(void)
{
	pthread_t thread;

	pthread_barrier_init(&recorded, NULL, NR_THREADS + 1);
	for (int i = 0; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, thread_main, NULL))
			return 1;
	pthread_barrier_wait(&recorded);
	for (int i = 0; i < NR_LEAVES; i++)
		leaf();
	descend(3);
	return 0;
}
