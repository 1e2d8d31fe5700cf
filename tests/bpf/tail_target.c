/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that waits until the process ends, 300 ms later: no event follows its wait. For tail_test.sh.
 */
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static sem_t never;

static void wait_to_the_end(void)
{
	sem_wait(&never);
}

static void *run(void *unused)
{
	wait_to_the_end();
	return unused;
}

int main(void)
{
	pthread_t thread;

	if (sem_init(&never, 0, 0) || pthread_create(&thread, NULL, run, NULL))
		return 1;
	nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
	return 0;
}
