/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arguments on the stack: many of them, large structures by value and as results, and calls of such from each other, whose frames lie at other
 * distances than plain ones. None is taken for one that was cut short.
 *
 * calls: main=1 many=401 many_leaf=802 by_value=401 result=802 variadic=401 mixed=401
 * tree: [at("main/mixed/many/many_leaf")] | map(.calls) | add == 802
 * tree: [at("main/mixed/by_value/result")] | map(.calls) | add == 401
 * info: .repaired_calls == 0 and .unmatched_exits == 0 and .open_calls == 0
 */
#include <stdarg.h>
#include <string.h>

struct large {
	long numbers[40];
};

static volatile long sink;

__attribute__((noinline)) static void many_leaf(long a, long b, long c, long d, long e, long f, long g, long h, double i, long j, long k)
{
	sink += a + b + c + d + e + f + g + h + (long)i + j + k;
}

__attribute__((noinline)) static long many(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l)
{
	many_leaf(l, k, j, i, h, g, f, e, (double)d, c, b);
	many_leaf(a, a, a, a, a, a, a, a, 1.0, a, a);
	return a + l;
}

__attribute__((noinline)) static struct large result(long seed)
{
	struct large large;

	for (int i = 0; i < 40; i++)
		large.numbers[i] = seed + i;
	return large;
}

__attribute__((noinline)) static long by_value(struct large large, int depth, struct large other)
{
	struct large third = result(large.numbers[0]);

	return depth + third.numbers[39] + other.numbers[1];
}

__attribute__((noinline)) static long variadic(int count, ...)
{
	va_list list;
	long sum = 0;

	va_start(list, count);
	for (int i = 0; i < count; i++)
		sum += va_arg(list, long);
	va_end(list);
	return sum;
}

__attribute__((noinline)) static long mixed(long seed)
{
	struct large large = result(seed);

	return many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, seed) + by_value(large, 3, large) +
	       variadic(14, 1l, 2l, 3l, 4l, 5l, 6l, 7l, 8l, 9l, 10l, 11l, 12l, 13l, 14l);
}

int main(void)
{
	for (int i = 0; i < 401; i++)
		sink += mixed(i);
	return 0;
}
