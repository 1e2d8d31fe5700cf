/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a thread every 0.4 ms or so; each lives for 0.1 s, on one CPU, and leaves it 20 times. For whoever attaches meanwhile: killed when it is done. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static void nap(long us)
{
	struct timespec time = { 0, us * 1000 };

	nanosleep(&time, NULL);
}

static void *live(void *number)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((uintptr_t)number % (cpus > 0 ? (size_t)cpus : 1), &set);
	sched_setaffinity(0, sizeof set, &set);
	for (int i = 0; i < 20; i++)
		nap(5000);
	return NULL;
}

int main(void)
{
	for (uintptr_t i = 0; i < 20000; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, live, (void *)i) == 0)
			pthread_detach(thread);
		nap(400);
	}
	return 0;
}
