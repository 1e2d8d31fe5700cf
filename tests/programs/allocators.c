/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another allocator preloaded, with threads and thread-local caches of its own, beside the runtime alone: threads that allocate and free what others
 * allocated, children that go on allocating, and ends of threads in which both the allocator and the program clean up. -DJEMALLOC (with its background threads),
 * -DTCMALLOC.
 *
 * calls: main=1 worker=24 fill=31093 drop=31093 at_end=24 child=7 sum=7021
 * info: .unmatched_exits == 0 and .repaired_calls == 0 and .open_calls == 0 and .clean_exit and .processes == 8
 * traces: 8
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef JEMALLOC
#define PROOF "mallctl"
#else
#define PROOF "tc_malloc"
#endif

enum { THREADS = 8, ROUNDS = 3, SLOTS = 1003, CHILDREN = 7 };

static char *slots[THREADS][SLOTS];
static pthread_barrier_t barrier;
static pthread_key_t key;

__attribute__((noinline)) static char *fill(int number)
{
	size_t bytes = (size_t)(number * 37 % 5000 + 1);
	char *block = malloc(bytes);

	if (block)
		memset(block, number, bytes);
	return block;
}

__attribute__((noinline)) static int drop(char *block, int number)
{
	int wrong = !block || *block != (char)number;

	free(block);
	return wrong;
}

__attribute__((noinline)) static int sum(int number)
{
	return drop(fill(number), number);
}

static void at_end(void *block)
{
	free(block);
}

__attribute__((noinline)) static void *worker(void *argument)
{
	long self = (long)argument, wrong = 0;

	pthread_setspecific(key, malloc(100));
	for (int i = 0; i < SLOTS; i++)
		slots[self][i] = fill(i);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < SLOTS; i++)
		wrong += drop(slots[(self + 1) % THREADS][i], i);
	return (void *)wrong;
}

__attribute__((noinline)) static int child(void)
{
	int wrong = 0;

	for (int i = 0; i < SLOTS; i++)
		wrong += sum(i);
	return wrong;
}

int main(void)
{
	pthread_t threads[THREADS];
	long wrong = !dlsym(RTLD_DEFAULT, PROOF);

	pthread_key_create(&key, at_end);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (int round = 0; round < ROUNDS; round++) {
		for (long i = 0; i < THREADS; i++)
			if (pthread_create(&threads[i], NULL, worker, (void *)i))
				return 1;
		for (int i = 0; i < THREADS; i++) {
			void *result = NULL;

			pthread_join(threads[i], &result);
			wrong += (long)result;
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		int status = 1;
		pid_t pid = fork();

		if (!pid)
			exit(child() ? 1 : 0);
		waitpid(pid, &status, 0);
		wrong += status;
	}
	return wrong ? 1 : 0;
}
