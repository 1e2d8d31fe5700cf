/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 7 coroutines that four threads run in turn, so that nearly every switch takes one to another thread, always in the middle of nested calls: its calls
 * end where they began, whichever thread saw which half. -DBY_HAND: the same with a switcher of our own, told by <cprof.h>.
 *
 * calls: main=1 thread_main=4 body=7 outer=7007 inner=7007 leaf=21021 pause_here=14014
 * tree: only("body").calls == 7
 * tree: [at("body/outer")] | map(.calls) | add == 7007
 * tree: [at("body/outer/inner")] | map(.calls) | add == 7007
 * tree: [at("body/outer/inner/pause_here")] | map(.calls) | add == 14014
 * tree: [at("body/outer/inner/leaf")] | map(.calls) | add == 21021
 * tree: [at("thread_main/worker/run_one")] | .[0].calls == $info[0].calls - 1 - 4 - 4 - 7 - 7007 - 7007 - 21021 - 14014
 * tree: [at("thread_main/worker/run_one")] | .[0].children == []
 * info: .unmatched_exits == 0 and .repaired_calls == 0 and .open_calls == 0 and .strands == 7 and .threads == 5
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#ifdef BY_HAND
#include "../../runtime/cprof.h"
#else
#include <ucontext.h>
#endif

enum { COROUTINES = 7, THREADS = 4, ROUNDS = 1001, STACK = 64 << 10 };

static char stacks[COROUTINES][STACK] __attribute__((aligned(16)));
static volatile int sink;

#ifdef BY_HAND
typedef void *context;
static cprof_strand *strands[COROUTINES];

/* Saves what the ABI says is the callee's, and the stack pointer in *from; goes on where to was saved. */
void switch_stacks(context *from, context to);
__asm__(".text\n.globl switch_stacks\n.type switch_stacks, @function\nswitch_stacks:\n"
#if defined(__x86_64__)
	"push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
#elif defined(__aarch64__)
	"stp x29, x30, [sp, #-96]!\nstp x19, x20, [sp, #16]\nstp x21, x22, [sp, #32]\nstp x23, x24, [sp, #48]\n"
	"stp x25, x26, [sp, #64]\nstp x27, x28, [sp, #80]\nmov x9, sp\nstr x9, [x0]\nmov sp, x1\n"
	"ldp x27, x28, [sp, #80]\nldp x25, x26, [sp, #64]\nldp x23, x24, [sp, #48]\nldp x21, x22, [sp, #32]\n"
	"ldp x19, x20, [sp, #16]\nldp x29, x30, [sp], #96\nret\n"
#endif
	".size switch_stacks, .-switch_stacks\n");
#else
typedef ucontext_t context;
#endif

static struct coroutine {
	context own, caller;
	_Atomic int taken;
	int done;
} coroutines[COROUTINES];

/* Not instrumented: they are the switch. */
#define SWITCHER __attribute__((noinline, no_instrument_function)) static
SWITCHER void leave(struct coroutine *c)
{
#ifdef BY_HAND
	cprof_strand_switch(NULL);
	switch_stacks(&c->own, c->caller);
#else
	swapcontext(&c->own, &c->caller);
#endif
}

SWITCHER void resume(struct coroutine *c)
{
#ifdef BY_HAND
	cprof_strand_switch(strands[c - coroutines]);
	switch_stacks(&c->caller, c->own);
#else
	swapcontext(&c->caller, &c->own);
#endif
}

__attribute__((noinline)) static void leaf(void)
{
	sink = 1;
}

__attribute__((noinline)) static void pause_here(struct coroutine *c)
{
	leave(c);
	sink = 2;
}

__attribute__((noinline)) static void inner(struct coroutine *c)
{
	leaf();
	pause_here(c);
	leaf();
	pause_here(c);
	leaf();
}

__attribute__((noinline)) static void outer(struct coroutine *c)
{
	inner(c);
	sink = 3;
}

__attribute__((noinline)) static void body(struct coroutine *c)
{
	for (int i = 0; i < ROUNDS; i++)
		outer(c);
	c->done = 1;
}

/* The bottom of a coroutine's stack. */
__attribute__((no_instrument_function)) static void start(int number)
{
	body(&coroutines[number]);
	leave(&coroutines[number]);
}

#ifdef BY_HAND
static _Atomic int next_start;

__attribute__((no_instrument_function, used)) static void start_next(void)
{
	start(next_start - 1);
}
#endif

__attribute__((no_instrument_function)) static void coroutine_make(int number)
{
	struct coroutine *c = &coroutines[number];

#ifdef BY_HAND
	uint64_t *top = (uint64_t *)(stacks[number] + STACK) - 14;

	strands[number] = cprof_strand_create(stacks[number], STACK);
	for (int i = 0; i < 14; i++)
		top[i] = 0;
#if defined(__x86_64__)
	top[6] = (uintptr_t)start_next; /* above six registers */
#else
	top[1] = (uintptr_t)start_next;
#endif
	c->own = top;
	/* Once up to its first pause, so that it knows its number. */
	next_start = number + 1;
#else
	getcontext(&c->own);
	c->own.uc_stack.ss_sp = stacks[number];
	c->own.uc_stack.ss_size = STACK;
	c->own.uc_link = NULL;
	makecontext(&c->own, (void (*)(void))start, 1, number);
#endif
}

__attribute__((noinline)) static int run_one(struct coroutine *c)
{
	resume(c);
	sink = 4;
	return c->done;
}

/* Takes any coroutine that waits, until all are done. */
__attribute__((noinline)) static void worker(void)
{
	for (int left = 1; left;) {
		left = 0;
		for (int i = 0; i < COROUTINES; i++) {
			struct coroutine *c = &coroutines[i];

			if (atomic_exchange(&c->taken, 1)) {
				left = 1;
				continue;
			}
			if (!c->done) {
				run_one(c);
				left = 1;
			}
			atomic_store(&c->taken, 0);
		}
	}
}

static void *thread_main(void *unused)
{
	worker();
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < COROUTINES; i++) {
		coroutine_make(i);
#ifdef BY_HAND
		resume(&coroutines[i]);
#endif
	}
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
