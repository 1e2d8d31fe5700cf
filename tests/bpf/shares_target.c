/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shares_target: the same work each time, in three functions that take about 5, 3 and 2 parts of it, in turns that are no multiple of any sampling period.
 * Built with cprof-cc; shares_test.sh asks cprof-record and perf how the time was shared.
 */
#include <stdint.h>

enum { TURNS = 60, PART = 2000000 };

static volatile uint64_t sink;

#define WORK(name, parts) \
	static __attribute__((noinline)) void name(void) \
	{ \
		for (uint64_t i = 0; i < (parts) * (uint64_t)PART; i++) \
			sink += i; \
	}
WORK(work_five, 5)
WORK(work_three, 3)
WORK(work_two, 2)

int main(void)
{
	for (int i = 0; i < TURNS; i++) {
		work_five();
		work_three();
		work_two();
	}
	return 0;
}
