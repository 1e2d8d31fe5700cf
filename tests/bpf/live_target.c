/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live_target ROUNDS: what the test of --live watches; built with cprof-cc, and without. Each round: nap() sleeps once, save() writes 4,096 bytes four times to
 * the file `data` and syncs it once, wait_for_lock() waits once for a mutex that hold_lock() holds, churn() allocates 1,000 bytes ten times and frees nine
 * of them, spin() is busy for 20 ms of CPU time. A file `stop` ends it
 * before. Prints one line at the end.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SPIN_NS = 20000000, HOLD_NS = 50000000, NAP_NS = 5000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held, done;
static volatile unsigned long sink;

static void nap(void)
{
	nanosleep(&(struct timespec){ 0, NAP_NS }, NULL);
}

static void save(int fd)
{
	static char page[PAGE];

	for (int i = 0; i < 4; i++)
		if (pwrite(fd, page, sizeof page, i * PAGE) != PAGE)
			exit(93);
	if (fdatasync(fd))
		exit(94);
}

static void spin(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		for (int i = 0; i < 100000; i++)
			sink += (unsigned long)i;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < SPIN_NS);
}

static void hold_lock(void)
{
	pthread_mutex_lock(&lock);
	pthread_barrier_wait(&held);
	while (*(volatile int *)&lock.__data.__lock != 2) /* glibc's mark that somebody waits, or is about to */
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	nanosleep(&(struct timespec){ 0, HOLD_NS }, NULL);
	pthread_mutex_unlock(&lock);
}

static void wait_for_lock(void)
{
	pthread_barrier_wait(&held);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
}

static void churn(void)
{
	for (int i = 0; i < 10; i++) {
		char *volatile block = malloc(1000);

		if (i)
			free(block);
	}
}

static void *holder(void *rounds)
{
	for (long i = 0; i < *(long *)rounds; i++) {
		hold_lock();
		pthread_barrier_wait(&done);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 10;
	int fd = open("data", O_CREAT | O_WRONLY | O_TRUNC, 0600);
	pthread_t thread;

	pthread_barrier_init(&held, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	if (fd < 0 || pthread_create(&thread, NULL, holder, &rounds))
		return 92;
	for (long i = 0; i < rounds; i++) {
		nap();
		save(fd);
		wait_for_lock();
		if (!access("stop", F_OK))
			rounds = i + 1;
		pthread_barrier_wait(&done);
		churn();
		spin();
	}
	pthread_join(thread, NULL);
	puts("the target's own line");
	return 3;
}
