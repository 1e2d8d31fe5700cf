/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes frames unusual: alloca, arrays of variable length, exits that are jumps (void functions at -O2), functions that call
 * in tail position, variable arguments. No call may be taken for one that was cut short.
 *
 * calls: main=1 with_alloca=503 with_array=503 tail=509 tail_end=509 variadic=521 leaf=1527
 * info: .repaired_calls == 0 and .unmatched_exits == 0
 */
#include <alloca.h>
#include <stdarg.h>
#include <string.h>

static volatile int sink;

__attribute__((noinline)) static void leaf(char *memory, int bytes)
{
	memset(memory, bytes, (size_t)bytes);
	sink += memory[0];
}

__attribute__((noinline)) static void with_alloca(int bytes)
{
	leaf(alloca((size_t)bytes), bytes);
}

__attribute__((noinline)) static void with_array(int bytes)
{
	char array[bytes];

	leaf(array, bytes);
}

__attribute__((noinline)) static void tail_end(int n)
{
	sink += n;
}

__attribute__((noinline)) static void tail(int n)
{
	tail_end(n);
}

__attribute__((noinline)) static void variadic(int count, ...)
{
	char memory[16];
	va_list list;

	va_start(list, count);
	leaf(memory, va_arg(list, int));
	va_end(list);
}

int main(void)
{
	for (int i = 0; i < 503; i++) {
		with_alloca(1 + i);
		with_array(1 + i);
	}
	for (int i = 0; i < 509; i++)
		tail(i);
	for (int i = 0; i < 521; i++)
		variadic(1, 1 + i % 16);
	return 0;
}
