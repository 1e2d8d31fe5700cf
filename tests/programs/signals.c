/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 20 kHz timer whose handler makes calls, under a main loop of STEPS calls (10^7; 10^8 in the long tier): none is lost, none is misplaced. The handler
 * counts itself; the program prints what the trace has to hold.
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

int main(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	struct itimerspec interval = { { 0, 50000 }, { 0, 50000 } };
	sigset_t blocked;
	timer_t timer;

	sigaction(SIGRTMIN, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &interval, NULL))
		return 1;
	loop();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	printf("calls: handler=%d handler_leaf=%d\n", (int)handled, 3 * (int)handled);
	printf("calls: step=%d\n", STEPS);
	printf("tree: [at(\"main/loop/step\")] | map(.calls) | add == %d\n", STEPS);
	fprintf(stderr, "%d signals\n", (int)handled);
	return handled > 20 ? 0 : 1;
}
