/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * siglongjmp out of handlers, over 300 frames. SIGUSR1 runs on an alternate stack, and from within it SIGUSR2 too; one round in three the inner
 * handler jumps to the outer one, which returns as usual; the others jump all the way out, from the outer or the inner handler. -DONE_STACK: without
 * an alternate stack.
 *
 * calls: main=1 attempt=303 deep=90900 outer_handler=303 outer_leaf=606 inner_handler=202 inner_leaf=606 back_in_handler=101 after=303
 * tree: only("main/attempt").repaired == 0 and only("main/attempt").calls == 303
 * tree: [at("main/attempt/after")] | map(.calls) | add == 303
 * tree: only("main/attempt/deep").repaired == 60600
 * tree: [at("main/attempt/deep/outer_handler")] | map(.calls) | add == 303
 * tree: [at("main/attempt/deep/outer_handler")] | map(.repaired) | add == 202
 * tree: [at("main/attempt/deep/outer_handler/inner_handler")] | map(.repaired) | add == 202
 * tree: [at("main/attempt/deep/outer_handler/back_in_handler")] | map(.calls) | add == 101
 * tree: [at("main/attempt/deep/outer_handler/inner_handler/inner_leaf")] | map(.calls) | add == 606
 * info: .unmatched_exits == 0 and .open_calls == 0
 * info: .repaired_calls == 60600 + 202 + 202
 */
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

enum { ROUNDS = 303, DEPTH = 300 };

static sigjmp_buf out, into_handler;
static volatile int sink, round_number;
static char alternate[256 << 10];

#define LEAF(name) __attribute__((noinline)) static void name(void) { sink++; }
LEAF(outer_leaf)
LEAF(inner_leaf)
LEAF(back_in_handler)
LEAF(after)

static void inner_handler(int signal)
{
	(void)signal;
	for (int i = 0; i < 3; i++)
		inner_leaf();
	if (round_number % 3 == 0)
		siglongjmp(into_handler, 1);
	siglongjmp(out, 1);
}

static void outer_handler(int signal)
{
	(void)signal;
	outer_leaf();
	outer_leaf();
	if (round_number % 3 == 1)
		siglongjmp(out, 1);
	if (!sigsetjmp(into_handler, 1))
		raise(SIGUSR2);
	back_in_handler();
}

__attribute__((noinline)) static void deep(int levels)
{
	if (levels > 1)
		deep(levels - 1);
	else
		raise(SIGUSR1);
	sink++;
}

__attribute__((noinline)) static void attempt(void)
{
	if (!sigsetjmp(out, 1))
		deep(DEPTH);
	after();
}

int main(void)
{
	struct sigaction action = { .sa_handler = outer_handler };

#ifndef ONE_STACK
	sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = sizeof alternate }, NULL);
	action.sa_flags = SA_ONSTACK;
#else
	(void)alternate;
#endif
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = inner_handler;
	sigaction(SIGUSR2, &action, NULL);
	for (round_number = 0; round_number < ROUNDS; round_number++)
		attempt();
	return 0;
}
