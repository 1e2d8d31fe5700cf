// SPDX-License-Identifier: BSD-2-Clause
/*
 * An inlined function that throws, TIMES times (1,000,003; 10,000,019 in the long tier), in a try of its host. clang runs no exit hook for it: without a
 * look at the call sites of one frame each would stay open, and the memory for open calls grow by 50 bytes a time.
 *
 * calls: main=1 attempt=1
 * info: .unmatched_exits == 0 and .open_calls == 0 and .contexts < 8
 */
#include <cstdio>
#include <sys/resource.h>

#ifndef TIMES
#define TIMES 1000003
#endif

static volatile int sink, limit = -1;

extern "C" {
__attribute__((always_inline)) static inline void deeper(int number)
{
	sink = sink + 1;
	if (number > limit)
		throw number;
}

__attribute__((always_inline)) static inline void inlined(int number)
{
	deeper(number);
	sink = sink + 1;
}

__attribute__((noinline)) static int attempt(int times)
{
	int caught = 0;

	for (int i = 0; i < times; i++) {
		try {
			inlined(i);
		} catch (int) {
			caught++;
		}
	}
	return caught;
}
}

__attribute__((no_instrument_function)) static long resident_kb()
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

int main()
{
	long before = resident_kb();
	int caught = attempt(TIMES);
	long more = resident_kb() - before;

	/* Blocks for events are at most CPROF_BUFFER, 64 MB. */
	if (more > 96 * 1024)
		printf("flat: false # %ld KB\n", more);
	printf("calls: inlined=%d deeper=%d\n", TIMES, TIMES);
	printf("tree: [at(\"main/attempt/inlined\")] | map(.calls) | add == %d\n", TIMES);
	printf("tree: [at(\"main/attempt/inlined/deeper\")] | map(.calls) | add == %d\n", TIMES);
	return caught != TIMES;
}
