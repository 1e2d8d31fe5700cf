/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fork from inside two calls: parent and child each write a trace of their own. Calls that were open at the fork are counted once,
 * in the parent; the child's time in them starts at the fork.
 *
 * calls: main=1 spawn=1 before=11 in_parent=13 in_child=17 grandchild=19
 * traces: 3
 */
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink;

#define FUNCTION(name) __attribute__((noinline)) static void name(void) { sink++; }
FUNCTION(before)
FUNCTION(in_parent)
FUNCTION(in_child)
FUNCTION(grandchild)

__attribute__((noinline)) static int spawn(void)
{
	int status = 0, inner_status = 0;
	pid_t child, inner;

	for (int i = 0; i < 11; i++)
		before();
	child = fork();
	if (child < 0)
		return 1;
	if (!child) {
		for (int i = 0; i < 17; i++)
			in_child();
		inner = fork();
		if (!inner) {
			for (int i = 0; i < 19; i++)
				grandchild();
			return 0;
		}
		waitpid(inner, &inner_status, 0);
		return inner_status;
	}
	for (int i = 0; i < 13; i++)
		in_parent();
	waitpid(child, &status, 0);
	return status;
}

int main(void)
{
	return spawn() ? 1 : 0;
}
