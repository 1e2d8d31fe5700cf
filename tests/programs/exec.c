/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec of itself: nothing of the first image is lost although it never ends, and the second does not overwrite its trace.
 *
 * calls: main=2 first=41 second=43
 * traces: 2
 */
#include <stddef.h>
#include <unistd.h>

static volatile int sink;

__attribute__((noinline)) static void first(void)
{
	sink++;
}

__attribute__((noinline)) static void second(void)
{
	sink++;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int i = 0; i < 43; i++)
			second();
		return 0;
	}
	for (int i = 0; i < 41; i++)
		first();
	execl("/proc/self/exe", argv[0], "again", (char *)NULL);
	return 1;
}
