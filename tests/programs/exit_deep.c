/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exit(7) from three calls deep, with a handler that makes calls after that.
 *
 * exit: 7
 * calls: main=1 outer=1 inner=1 leaf=61 at_end=1 end_leaf=5
 * info: .clean_exit
 */
#include <stdlib.h>

static volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
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

__attribute__((noinline)) static void inner(void)
{
	for (int i = 0; i < 61; i++)
		leaf();
	exit(7);
}

__attribute__((noinline)) static void outer(void)
{
	inner();
	sink++;
}

int main(void)
{
	atexit(at_end);
	outer();
	return 0;
}
