/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 20 kHz timer whose handler makes calls, under a main loop of STEPS calls (10^7; 10^8 in the long tier): none is lost, none is misplaced. The handler
 * counts itself; the program prints what the trace has to hold. -DNESTED: on an alternate stack, and a second timer strikes main and handlers alike.
 *
 * calls: main=1 loop=1
 * info: .unmatched_exits == 0 and .repaired_calls == 0
 * tree: [nodes | select(.name == "handler")] | all(by_name[0][1] == 3 * .calls)
 * tree: [nodes | select(.name == "handler_leaf") | .calls] | add > 0
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifndef STEPS
#define STEPS 10000019
#endif

static volatile int sink;
static volatile sig_atomic_t handled;

__attribute__((noinline)) static void handler_leaf(void)
{
	sink++;
}

#ifdef NESTED
static volatile sig_atomic_t nested;

__attribute__((noinline)) static void nested_leaf(void)
{
	sink++;
}

static void nested_handler(int signal)
{
	(void)signal;
	nested++;
	nested_leaf();
	nested_leaf();
}
#endif

static void handler(int signal)
{
	(void)signal;
	handled++;
	for (int i = 0; i < 3; i++)
		handler_leaf();
}

__attribute__((noinline)) static void step(void)
{
	sink++;
}

__attribute__((noinline)) static void loop(void)
{
	for (int i = 0; i < STEPS; i++)
		step();
}

/* Strikes every so many ns. */
__attribute__((no_instrument_function)) static int timer_start(int signal, void (*function)(int), int flags, long ns)
{
	struct sigaction action = { .sa_handler = function, .sa_flags = SA_RESTART | flags };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal };
	struct itimerspec interval = { { 0, ns }, { 0, ns } };
	timer_t timer;

	sigaction(signal, &action, NULL);
	return timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &interval, NULL);
}

int main(void)
{
	sigset_t blocked;

#ifdef NESTED
	static char alternate[1 << 16];

	sigaltstack(&(stack_t){ .ss_sp = alternate, .ss_size = sizeof alternate }, NULL);
	if (timer_start(SIGRTMIN, handler, SA_ONSTACK, 50000) || timer_start(SIGRTMIN + 1, nested_handler, SA_ONSTACK, 70000))
		return 1;
#else
	if (timer_start(SIGRTMIN, handler, 0, 50000))
		return 1;
#endif
	loop();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigaddset(&blocked, SIGRTMIN + 1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	printf("calls: handler=%d handler_leaf=%d\n", (int)handled, 3 * (int)handled);
#ifdef NESTED
	printf("calls: nested_handler=%d nested_leaf=%d\n", (int)nested, 2 * (int)nested);
	printf("tree: [nodes | select(.name == \"nested_handler\")] | all(. as $one | [child(\"nested_leaf\") | .calls] | add == 2 * $one.calls)\n");
	printf("tree: [nodes | select(.name | test(\"^(nested_)?handler$\")) | .children[] | recurse(.children[]) | "
	       "select(.name | test(\"^(nested_)?handler$\"))] | length > 0\n");
#endif
	printf("calls: step=%d\n", STEPS);
	printf("tree: [at(\"main/loop/step\")] | map(.calls) | add == %d\n", STEPS);
	fprintf(stderr, "%d signals\n", (int)handled);
	return handled > 20 ? 0 : 1;
}
