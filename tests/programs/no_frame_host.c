/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One translation unit (no_frame.c) is compiled with -fomit-frame-pointer: its functions call, are called, recurse and are jumped over. Their frames say
 * nothing true; they are matched by function, and no call of anybody is lost. That they were jumped over shows with the next exit only, so what is
 * called before that may stand below them.
 *
 * calls: main=1 host_work=211 frameless=211 frameless_leaf=633 frameless_deep=2743 host_callback=422 attempt=101 after=101
 * tree: [at("main/host_work/frameless")] | map(.calls) | add == 211
 * tree: [at("main/host_work/frameless/frameless_leaf")] | map(.calls) | add == 633
 * tree: [at("main/host_work/frameless/host_callback")] | map(.calls) | add == 211
 * tree: [at("main/host_work/frameless/frameless_deep")] | map(.calls) | add == 2743
 * tree: [at("main/attempt") | recurse(.children[]) | select(.name == "after") | .calls] | add == 101
 * tree: [at("main/attempt")] | map(.repaired) | add == 0
 * info: .unmatched_exits == 0 and .open_calls == 0
 */
#include <setjmp.h>

void frameless(void (*callback)(int), int number);
void frameless_jump(void (*callback)(int));

static volatile int sink;
static jmp_buf target;

__attribute__((noinline)) static void host_callback(int number)
{
	sink += number;
}

__attribute__((noinline)) static void jump_out(int number)
{
	sink += number;
	longjmp(target, 1);
}

__attribute__((noinline)) static void after(void)
{
	sink++;
}

__attribute__((noinline)) static void host_work(int number)
{
	frameless(host_callback, number);
	host_callback(number);
	sink++;
}

__attribute__((noinline)) static void attempt(void)
{
	if (!setjmp(target))
		frameless_jump(jump_out);
	after();
}

int main(void)
{
	for (int i = 0; i < 211; i++)
		host_work(12);
	for (int i = 0; i < 101; i++)
		attempt();
	return 0;
}
