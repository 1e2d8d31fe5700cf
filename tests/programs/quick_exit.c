/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * _exit from two calls deep: no destructor runs, nothing is lost. -DBY_SIGNAL: the same with abort().
 *
 * calls: main=1 outer=1 leaf=100003
 * tree: only("main/outer").open == 1
 * tree: only("main/outer/leaf").calls == 100003
 */
#include <stdlib.h>
#include <unistd.h>

static volatile int sink;

__attribute__((noinline)) static void leaf(void)
{
	sink++;
}

__attribute__((noinline)) static void outer(void)
{
	for (int i = 0; i < 100003; i++)
		leaf();
#ifdef BY_SIGNAL
	abort();
#else
	_exit(0);
#endif
}

int main(void)
{
	outer();
	return 1;
}
