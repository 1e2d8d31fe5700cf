/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What compilers do to C functions: inlined several levels deep, from a header and through a macro, unrolled, cloned for constants, split
 * into hot and cold parts, recursive, reached by pointer. Compared with llvm-symbolizer at every byte of the program; never run.
 */
#include "inline_sample.h"

#include <stdlib.h>

volatile int sink;

__attribute__((noinline)) void consume(int value)
{
	sink += value;
}

static int chained(int value)
{
	int sum = 0;

	for (int i = 0; i < 4; i++)
		sum += header_middle(value + i);
	return sum;
}

static __attribute__((noinline)) int cloned(int value, int mode)
{
	if (mode == 3)
		return chained(value);
	for (int i = 0; i < mode; i++)
		consume(i * value);
	return value;
}

static __attribute__((noinline, cold)) void fail(int code)
{
	consume(code);
	abort();
}

static int split(int value)
{
	if (__builtin_expect(value < 0, 0)) {
		consume(value);
		fail(CALL_TWICE(header_leaf, value));
	}
	return value + header_leaf(value);
}

int recursive(int depth)
{
	return depth ? recursive(depth - 1) + split(depth) : 1;
}

#ifdef __GNUC__
#ifndef __clang__
static int with_nested(int value)
{
	int base = value * 2;
	int nested(int x)
	{
		consume(x + base);
		return header_leaf(x);
	}
	return nested(value) + nested(base);
}
#else
#define with_nested chained
#endif
#endif

int (*volatile indirect)(int) = recursive;

int main(int argc, char **argv)
{
	(void)argv;
	int sum = cloned(argc, 3) + cloned(argc + 1, 3) + CALL_TWICE(split, argc);
	sum += indirect(argc) + with_nested(argc); consume(sum); consume(header_middle(sum));
	return sum & 1;
}
