/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A user namespace may only be made in a process with one thread: after calls enough for a thread of the runtime, unshare() works in the program as it
 * would without cprof, many times over; so it does in forked children, before their first call and after it.
 *
 * calls: main=1 step=10000019 again=61 child_step=1009
 * info: .unmatched_exits == 0 and .open_calls == 0 and .clean_exit
 * traces: 2
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 61, STEPS = 10000019, CHILD_STEPS = 1009 };

static volatile int sink;

__attribute__((noinline)) static void step(void)
{
	sink++;
}

__attribute__((noinline)) static void child_step(void)
{
	sink++;
}

/* What a machine forbids is not our doing: EINVAL is, there are threads. */
__attribute__((no_instrument_function)) static int new_namespace(const char *who, int flags)
{
	if (!unshare(flags) || errno != EINVAL)
		return 0;
	fprintf(stderr, "%s: unshare() finds other threads\n", who);
	return 1;
}

__attribute__((no_instrument_function)) static int in_child(int steps)
{
	int status;
	pid_t child = fork();

	if (child) {
		waitpid(child, &status, 0);
		return status != 0;
	}
	for (int i = 0; i < steps; i++)
		child_step();
	exit(new_namespace("child", CLONE_NEWUSER));
}

/* CLONE_THREAD asks for one thread only, and changes nothing: it can be had again and again. */
__attribute__((noinline)) static int again(int number)
{
	int steps = STEPS / ROUNDS + (number < STEPS % ROUNDS);

	for (int i = 0; i < steps; i++)
		step();
	return new_namespace("parent", CLONE_THREAD);
}

int main(void)
{
	int failures = 0;

	for (int i = 0; i < ROUNDS; i++)
		failures += again(i);
	failures += in_child(0) + in_child(CHILD_STEPS);
	return failures + new_namespace("parent", CLONE_NEWUSER) ? 1 : 0;
}
