/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forked children that make no call, and end in their own ways while calls of their parent's are open: nothing of theirs comes into its trace, and they
 * leave none. -DBY__FORK: with _Fork().
 *
 * calls: main=1 outer=1 inner=101 step=10403
 * tree: [at("main/outer/inner/step")] | map(.calls) | add == 10403
 * info: .unmatched_exits == 0 and .repaired_calls == 0 and .open_calls == 0 and .clean_exit
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef BY__FORK
#define FORK _Fork
#else
#define FORK fork
#endif

static volatile int sink;

__attribute__((noinline)) static void step(void)
{
	sink++;
}

__attribute__((no_instrument_function)) static void *leave(void *unused)
{
	return unused;
}

__attribute__((no_instrument_function)) static void end_child(int number)
{
	pthread_t thread;

	switch (number % 4) {
	case 0:
		pthread_exit(NULL);
	case 1:
		pthread_create(&thread, NULL, leave, NULL);
		pthread_join(thread, NULL);
		exit(0);
	case 2:
		quick_exit(0);
	default:
		_exit(0);
	}
}

__attribute__((noinline)) static int inner(int number)
{
	int status = 1;
	pid_t child = FORK();

	if (!child)
		end_child(number);
	for (int i = 0; i < 103; i++)
		step();
	waitpid(child, &status, 0);
	return status != 0;
}

__attribute__((noinline)) static int outer(void)
{
	int failures = 0;

	for (int i = 0; i < 101; i++)
		failures += inner(i);
	return failures;
}

int main(void)
{
	return outer() ? 1 : 0;
}
