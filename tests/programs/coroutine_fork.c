/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fork in the middle of a coroutine: the child's calls of that coroutine, of another that was waiting, and of main, stand where they belong in its
 * trace, and none that was open is counted twice. Then a coroutine that is left for ever while calls are open in it, and its stack used again; and a signal
 * handler, on an alternate stack, that strikes coroutines.
 *
 * calls: main=1 forker=1 fork_here=1 waiter=1 wait_here=1 wait_leaf=4 fork_leaf=6 main_leaf=3 abandoned=3 left_here=3 handler=40 handler_leaf=40 struck=40
 * tree: [nodes | select(.name == "waiter") | child("wait_here") | child("wait_leaf") | .calls] | add == 4
 * tree: [nodes | select(.name == "forker") | child("fork_here") | child("fork_leaf") | .calls] | add == 6
 * tree: [nodes | select(.name == "abandoned") | .children[] | .name] | unique == ["left_here"]
 * tree: [nodes | select(.name == "struck") | child("handler") | child("handler_leaf") | .calls] | add == 40
 * tree: [nodes | select(.name == "waiter" and .calls == 0)] | .[0].suspended_ns.total >= 20000000
 * info: .unmatched_exits == 0 and .strands == 4 + 2
 * traces: 2
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { STACK = 64 << 10 };

static ucontext_t main_context, contexts[4];
static char stacks[4][STACK] __attribute__((aligned(16))), alternate[64 << 10];
static volatile int sink;
static volatile pid_t child = -1;

#define LEAF(name) __attribute__((noinline)) static void name(void) { sink++; }
LEAF(wait_leaf)
LEAF(fork_leaf)
LEAF(main_leaf)
LEAF(handler_leaf)

__attribute__((noinline)) static void wait_here(void)
{
	wait_leaf();
	wait_leaf();
	swapcontext(&contexts[0], &main_context);
	wait_leaf(); /* once in the parent, once in the child */
}

static void waiter(void)
{
	wait_here();
	sink++;
}

__attribute__((noinline)) static void fork_here(void)
{
	fork_leaf();
	fork_leaf();
	child = fork();
	if (!child)
		usleep(20000); /* in which the others wait */
	fork_leaf();
	swapcontext(&contexts[1], &main_context);
	fork_leaf();
}

static void forker(void)
{
	fork_here();
	sink++;
}

__attribute__((noinline)) static void left_here(void)
{
	swapcontext(&contexts[2], &main_context);
	abort();
}

static void abandoned(void)
{
	left_here();
	sink++;
}

static void handler(int signal)
{
	(void)signal;
	handler_leaf();
}

static void struck(void)
{
	for (;;) {
		raise(SIGUSR1);
		swapcontext(&contexts[3], &main_context);
	}
}

__attribute__((no_instrument_function)) static void start(int number, void (*function)(void))
{
	getcontext(&contexts[number]);
	contexts[number].uc_stack.ss_sp = stacks[number];
	contexts[number].uc_stack.ss_size = STACK;
	contexts[number].uc_link = &main_context;
	makecontext(&contexts[number], function, 0);
	swapcontext(&main_context, &contexts[number]);
}

int main(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	int status = 0;

	start(0, waiter);
	start(1, forker);
	main_leaf();
	swapcontext(&main_context, &contexts[0]);
	swapcontext(&main_context, &contexts[1]);
	if (!child) {
		main_leaf();
		return 0;
	}
	waitpid(child, &status, 0);
	for (int i = 0; i < 3; i++)
		start(2, abandoned);
	sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = sizeof alternate }, NULL);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < 40; i++)
		start(3, struck);
	return status;
}
