/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 31 threads that end by pthread_exit() from three calls deep; main does the same at last, so the process ends with its last thread.
 *
 * calls: main=1 thread_main=31 outer=31 inner=32
 * tree: only("thread_main").repaired == 31 and only("thread_main").open == 0
 * info: .threads == 32 and .open_calls == 0 and .repaired_calls == 31 * 3 + 2
 */
#include <pthread.h>
#include <stddef.h>

static volatile int sink;

__attribute__((noinline)) static void inner(void)
{
	sink = 1;
	pthread_exit(NULL);
}

__attribute__((noinline)) static void outer(void)
{
	inner();
	sink = 2;
}

static void *thread_main(void *unused)
{
	outer();
	return unused;
}

int main(void)
{
	for (int i = 0; i < 31; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, thread_main, NULL);
		pthread_join(thread, NULL);
	}
	inner();
	return 1;
}
