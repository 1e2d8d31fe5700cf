/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that records nothing leaves no file, as configure's tests want it. Built without instrumentation but with the runtime,
 * and instrumented but run with CPROF=off.
 *
 * traces: 0
 */
#include <stdio.h>

static volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

int main(void)
{
	leaf();
	return puts("hello") < 0;
}
