/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Coroutines of <ucontext.h>: two that hand over to each other and to main, more than 10^6 switches in all, and 97 that return to uc_link, on one stack.
 * Each keeps its own calls, in the middle of nested ones; the time in which one waits is suspended time and nobody's self time.
 *
 * calls: main=1 scheduler=1 ping=1 pong=1 serve=333334 step=333334 yield_to=666668 short_lived=97 short_leaf=1067 after=97 context_make=99
 * tree: only("ping").calls == 1 and only("pong").calls == 1
 * tree: only("ping/serve").calls == 166667 and only("pong/serve").calls == 166667
 * tree: only("ping/serve/step").calls == 166667
 * tree: [at("ping/serve/yield_to")] | map(.calls) | add == 333334
 * tree: only("short_lived").calls == 97
 * tree: only("short_lived/short_leaf").calls == 1067
 * tree: [at("main/scheduler/after")] | map(.calls) | add == 97
 * tree: [at("main/scheduler")] | .[0].children | map(.name) | unique == ["after", "context_make"]
 * info: .unmatched_exits == 0 and .repaired_calls == 0 and .open_calls == 0
 * info: .threads == 1 and .strands == 3
 * tree: only("ping").suspended_ns.total > 0 and only("ping").wall_ns.total > 0
 * tree: only("main/scheduler").suspended_ns.self > 0
 * tree: .root.wall_ns.total <= $info[0].duration_ns
 */
#include <stdlib.h>
#include <ucontext.h>

enum { ROUNDS = 166667, STACK = 64 << 10 };

static ucontext_t main_context, contexts[2];
static char stacks[3][STACK] __attribute__((aligned(16)));
static volatile int sink;
static volatile int turn;

__attribute__((noinline)) static void step(void)
{
	sink++;
}

/* Switches from within a call. */
__attribute__((noinline)) static void yield_to(ucontext_t *from, ucontext_t *to)
{
	swapcontext(from, to);
	sink++;
}

__attribute__((noinline)) static void serve(int me)
{
	step();
	turn = !me;
	yield_to(&contexts[me], &contexts[!me]);
	yield_to(&contexts[me], &main_context);
	sink++;
}

__attribute__((noinline)) static void ping(void)
{
	for (int i = 0; i < ROUNDS; i++)
		serve(0);
}

__attribute__((noinline)) static void pong(void)
{
	for (int i = 0; i < ROUNDS; i++)
		serve(1);
}

__attribute__((noinline)) static void short_leaf(void)
{
	sink++;
}

static void short_lived(int calls)
{
	for (int i = 0; i < calls; i++)
		short_leaf();
}

__attribute__((noinline)) static void after(void)
{
	sink++;
}

static void context_make(ucontext_t *context, int stack, void (*function)(void))
{
	getcontext(context);
	context->uc_stack.ss_sp = stacks[stack];
	context->uc_stack.ss_size = STACK;
	context->uc_link = &main_context;
	makecontext(context, function, stack == 2, 11);
}

__attribute__((noinline)) static void scheduler(void)
{
	ucontext_t short_context;

	context_make(&contexts[0], 0, ping);
	context_make(&contexts[1], 1, pong);
	for (int i = 0; i < 2 * ROUNDS; i++)
		swapcontext(&main_context, &contexts[i & 1]);
	for (int i = 0; i < 2; i++)
		swapcontext(&main_context, &contexts[i]);
	for (int i = 0; i < 97; i++) {
		context_make(&short_context, 2, (void (*)(void))short_lived);
		swapcontext(&main_context, &short_context);
		after();
	}
}

int main(void)
{
	scheduler();
	return 0;
}
