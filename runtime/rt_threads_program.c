/* SPDX-License-Identifier: BSD-2-Clause */
/* The instrumented half of rt_threads_test and rt_fork_test: work whose calls are known. */
#include "rt_threads_program.h"

volatile unsigned long program_handler_runs;

__attribute__((noinline)) void program_leaf(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) void program_mid(void)
{
	program_leaf();
	program_leaf();
}

__attribute__((noinline)) void program_recurse(unsigned long depth)
{
	if (depth)
		program_recurse(depth - 1);
	__asm__ volatile("");
}

__attribute__((noinline)) void program_work(unsigned long rounds)
{
	for (unsigned long i = 0; i < rounds; i++) {
		program_leaf();
		program_mid();
		if (i % 64 == 0)
			program_recurse(10);
	}
}

void *program_thread(void *rounds)
{
	program_work((unsigned long)rounds);
	return rounds;
}

void program_handler(int signal)
{
	(void)signal;
	__atomic_add_fetch(&program_handler_runs, 1, __ATOMIC_RELAXED);
	program_leaf();
	program_leaf();
	program_leaf();
}

void program_fill(unsigned long leaves)
{
	while (leaves--)
		program_leaf();
}

__attribute__((noinline)) void program_deep(unsigned long depth, void (*at_the_bottom)(void *), void *argument)
{
	if (depth)
		program_deep(depth - 1, at_the_bottom, argument);
	else
		at_the_bottom(argument);
	__asm__ volatile("");
}
