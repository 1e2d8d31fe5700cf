/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children of a clone system call that nobody tells the runtime of, made by main's thread and by another: their parent's trace holds its own calls and
 * no others, theirs are in traces of their own. A child's first event is a call, or the exit from the function that cloned: of that, and of all else
 * that was open in the parent, the child knows nothing. -DIN_COROUTINE: main's thread is in one.
 *
 * calls: main=1 many=2 cloner=12 step=2626 child_step=442
 * tree: [nodes | select(.name == "many") | child("step") | .calls] == [1313, 1313]
 * tree: [.root.children[].children[] | select(.name == "child_step") | .calls] | length == 26 and all(. == 17)
 * info: .processes == 27 and .repaired_calls == 0 and .open_calls == 0 and .unmatched_exits == 12 and .clean_exit
 * traces: 27
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int sink;

__attribute__((noinline)) static void step(void)
{
	sink++;
}

__attribute__((noinline)) static void child_step(void)
{
	sink++;
}

__attribute__((no_instrument_function)) static pid_t raw_clone(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

__attribute__((noinline)) static pid_t cloner(void)
{
	pid_t child = raw_clone();

	sink++;
	return child;
}

__attribute__((noinline)) static void *many(void *unused)
{
	for (int number = 0; number < 13; number++) {
		pid_t child = number & 1 ? cloner() : raw_clone();
		int status = 1;

		if (!child) {
			for (int i = 0; i < 17; i++)
				child_step();
			exit(0);
		}
		for (int i = 0; i < 101; i++)
			step();
		waitpid(child, &status, 0);
		if (status)
			exit(1);
	}
	return unused;
}

#ifdef IN_COROUTINE
static ucontext_t outside, inside;

__attribute__((no_instrument_function)) static void coroutine(void)
{
	many(NULL);
}

__attribute__((no_instrument_function)) static void run_many(void)
{
	static char stack[1 << 18];

	getcontext(&inside);
	inside.uc_stack.ss_sp = stack;
	inside.uc_stack.ss_size = sizeof stack;
	inside.uc_link = &outside;
	makecontext(&inside, coroutine, 0);
	swapcontext(&outside, &inside);
}
#else
__attribute__((no_instrument_function)) static void run_many(void)
{
	many(NULL);
}
#endif

int main(void)
{
	pthread_t thread;

	run_many();
	if (pthread_create(&thread, NULL, many, NULL))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}
