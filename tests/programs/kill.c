/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs until it is killed. Four threads, each with functions of its own, count every call in a file that is shared with the
 * harness: first thing in the called function, so what was recorded is what is counted or one more.
 *
 * The file, argv[1]: eight u64, step_0 .. step_3 then leaf_0 .. leaf_3.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile uint64_t *counters;

#define THREAD(number) \
	__attribute__((noinline)) static void leaf_##number(void) { counters[4 + number]++; } \
	__attribute__((noinline)) static void step_##number(void) \
	{ \
		counters[number]++; \
		for (int i = 0; i < 1 + number; i++) \
			leaf_##number(); \
	} \
	static void *thread_##number(void *unused) \
	{ \
		for (;;) \
			step_##number(); \
		return unused; \
	}
THREAD(0)
THREAD(1)
THREAD(2)
THREAD(3)

int main(int argc, char **argv)
{
	static void *(*const mains[])(void *) = { thread_1, thread_2, thread_3 };
	pthread_t thread;
	int fd;

	if (argc < 2)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, 64))
		return 1;
	counters = mmap(NULL, 64, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED)
		return 1;
	for (int i = 0; i < 3; i++) {
		if (pthread_create(&thread, NULL, mains[i], NULL))
			return 1;
	}
	thread_0(NULL);
	return 0;
}
