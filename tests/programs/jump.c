/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * longjmp out of three functions, 211 times; the calls it cuts short are closed as repaired, those after it stand where they belong.
 *
 * calls: main=1 attempt=211 outer=211 middle=211 inner=211 after=211
 * tree: only("main/attempt/outer/middle/inner").calls == 211
 * tree: only("main/attempt/outer/middle/inner").repaired == 211
 * tree: only("main/attempt/outer").repaired == 211
 * tree: only("main/attempt/after").calls == 211
 * tree: only("main/attempt").repaired == 0
 * info: .repaired_calls == 633 and .unmatched_exits == 0
 */
#include <setjmp.h>

static jmp_buf target;
static volatile int sink;

__attribute__((noinline)) static void inner(void)
{
	sink++;
	longjmp(target, 1);
}

__attribute__((noinline)) static void middle(void)
{
	inner();
	sink++;
}

__attribute__((noinline)) static void outer(void)
{
	middle();
	sink++;
}

__attribute__((noinline)) static void after(void)
{
	sink++;
}

__attribute__((noinline)) static void attempt(void)
{
	if (!setjmp(target))
		outer();
	else
		after();
	sink++;
}

int main(void)
{
	for (int i = 0; i < 211; i++)
		attempt();
	return 0;
}
