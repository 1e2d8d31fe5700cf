/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit(9) from three calls deep inside of a thread, while three others and main go on making calls: all that they had made by then are there, and what
 * they make while the process ends does no harm. The program prints what the trace has to hold at least.
 *
 * exit: 9
 * calls: main=1 ender=1 end_outer=1 end_inner=1 at_end=1 end_leaf=5
 * tree: only("ender/end_outer/end_inner/at_end/end_leaf").calls == 5
 * flat: calls("leaf") <= 3 * calls("step") and calls("leaf") >= 3 * calls("step") - 12
 * info: .unmatched_exits == 0 and .repaired_calls == 0
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Atomic uint64_t steps[4];
static __thread volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

__attribute__((noinline)) static void step(_Atomic uint64_t *count)
{
	for (int i = 0; i < 3; i++)
		leaf();
	(*count)++;
}

static void *runner(void *count)
{
	for (;;)
		step(count);
	return NULL;
}

__attribute__((noinline)) static void end_leaf(void)
{
	sink++;
}

static void at_end(void)
{
	for (int i = 0; i < 5; i++)
		end_leaf();
}

__attribute__((noinline)) static void end_inner(void)
{
	uint64_t before = 0;

	while (steps[0] < 50000 || steps[1] < 50000 || steps[2] < 50000 || steps[3] < 50000)
		usleep(1000);
	for (int i = 0; i < 4; i++)
		before += steps[i];
	printf("flat: calls(\"step\") >= %llu and calls(\"leaf\") >= %llu\n", (unsigned long long)before, (unsigned long long)(3 * before));
	exit(9);
}

__attribute__((noinline)) static void end_outer(void)
{
	end_inner();
	sink++;
}

static void *ender(void *unused)
{
	end_outer();
	return unused;
}

int main(void)
{
	pthread_t thread;

	atexit(at_end);
	for (int i = 1; i < 4; i++)
		pthread_create(&thread, NULL, runner, &steps[i]);
	pthread_create(&thread, NULL, ender, NULL);
	runner(&steps[0]);
	return 1;
}
