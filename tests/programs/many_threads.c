/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 5,000 short threads, 64 alive at a time, then 500 alive at once, each with calls open: every call is there, and an idle thread costs at most 128 KB of
 * memory that is resident, all 500 at most 64 MB.
 *
 * calls: main=1 short_lived=5000 short_leaf=50000 resident=500 wait_here=500 leaf=5500
 * info: .threads == 5501 and .unmatched_exits == 0 and .open_calls == 0 and .repaired_calls == 0
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT = 5000, AT_A_TIME = 64, AT_ONCE = 500, IDLE_KB_MOST = 128, ALL_KB_MOST = 64 << 10 };

static pthread_barrier_t there, done;
static __thread volatile int sink;

__attribute__((noinline)) static void short_leaf(void)
{
	sink++;
}

static void *short_lived(void *unused)
{
	for (int i = 0; i < 10; i++)
		short_leaf();
	return unused;
}

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

__attribute__((noinline)) static void wait_here(void)
{
	pthread_barrier_wait(&there);
	pthread_barrier_wait(&done);
	leaf();
}

static void *resident(void *unused)
{
	for (int i = 0; i < 10; i++)
		leaf();
	wait_here();
	return unused;
}

__attribute__((no_instrument_function)) static long resident_kb(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, "VmRSS:", 6))
			kb = atol(line + 6);
	if (file)
		fclose(file);
	return kb;
}

int main(void)
{
	static pthread_t threads[AT_ONCE];
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 10);
	for (int i = 0; i < SHORT + AT_A_TIME; i++) {
		if (i >= AT_A_TIME)
			pthread_join(threads[i % AT_A_TIME], NULL);
		if (i < SHORT && pthread_create(&threads[i % AT_A_TIME], &attributes, short_lived, NULL))
			return 2;
	}
	pthread_barrier_init(&there, NULL, AT_ONCE + 1);
	pthread_barrier_init(&done, NULL, AT_ONCE + 1);
	long before = resident_kb();
	for (int i = 0; i < AT_ONCE; i++)
		if (pthread_create(&threads[i], &attributes, resident, NULL))
			return 2;
	pthread_barrier_wait(&there);
	long all = resident_kb() - before;
	pthread_barrier_wait(&done);
	for (int i = 0; i < AT_ONCE; i++)
		pthread_join(threads[i], NULL);
	if (before < 0 || all > ALL_KB_MOST || all / AT_ONCE > IDLE_KB_MOST) {
		printf("flat: false # %ld KB for %d threads\n", all, AT_ONCE);
		return 1;
	}
	return 0;
}
