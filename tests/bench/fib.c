/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest calls there are: fib(32), 7,049,155 of them. */
#include <stdlib.h>

int program_main(int argc, char **argv);

__attribute__((noinline)) static unsigned fib(unsigned n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int program_main(int argc, char **argv)
{
	return fib(argc > 1 ? (unsigned)atoi(argv[1]) : 32) == 0;
}
