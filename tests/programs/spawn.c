/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that are started: by posix_spawn(), system(), and vfork() with a call of the child's before exec. Each leaves a whole trace of its own,
 * /bin/true and the shell none, and that of the program that started them goes on. What a vfork's child calls stands in its parent's trace.
 *
 * calls: main=1 by_spawn=5 by_system=3 by_vfork=5 before_exec=6 ended_early=1 started=0 after=1
 * tree: only("main/by_vfork/before_exec").calls == 5
 * info: .unmatched_exits == 0 and .repaired_calls == 0 and .open_calls == 0
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static volatile int sink;
static char *program;

__attribute__((noinline)) static void started_leaf(void)
{
	sink++;
}

__attribute__((noinline)) static int started(void)
{
	for (int i = 0; i < 5; i++)
		started_leaf();
	return 0;
}

__attribute__((noinline)) static void after(void)
{
	sink++;
}

/* The child's trace, and nothing of a live file, is there. It goes, for the next one. */
__attribute__((no_instrument_function)) static int trace_is_there(void)
{
	return access("started.lz4.live", F_OK) && !unlink("started.lz4");
}

__attribute__((noinline)) static int by_spawn(void)
{
	char *arguments[] = { program, (char *)"started", NULL }, *plain[] = { (char *)"true", NULL };
	int status = 1;
	pid_t child;

	if (posix_spawn(&child, program, NULL, NULL, arguments, environ) || waitpid(child, &status, 0) != child)
		return 1;
	if (posix_spawn(&child, "/bin/true", NULL, NULL, plain, environ))
		return 1;
	waitpid(child, NULL, 0);
	return status || !trace_is_there();
}

__attribute__((noinline)) static int by_system(void)
{
	char command[4200];

	snprintf(command, sizeof command, "'%s' started && /bin/true", program);
	return system(command) || !trace_is_there();
}

__attribute__((noinline)) static void before_exec(void)
{
	sink++;
}

__attribute__((noinline)) static int by_vfork(void)
{
	int status = 1;
	pid_t child = vfork();

	if (!child) {
		before_exec();
		execl(program, program, "started", (char *)NULL);
		_exit(1);
	}
	waitpid(child, &status, 0);
	return status || !trace_is_there();
}

/* The child leaves from a call that does not return. */
__attribute__((noinline)) static int ended_early(void)
{
	int status = 1;
	pid_t child = vfork();

	if (!child) {
		before_exec();
		_exit(0);
	}
	waitpid(child, &status, 0);
	return status;
}

int main(int argc, char **argv)
{
	static char path[4096];
	int failed = 0;

	if (argc > 1) {
		started();
		after();
		return 0;
	}
	program = argv[0][0] == '/' ? argv[0] : realpath(argv[0], path);
	setenv("CPROF_OUTPUT", "started.lz4", 1);
	for (int i = 0; i < 5; i++)
		failed |= by_spawn();
	for (int i = 0; i < 3; i++)
		failed |= by_system();
	for (int i = 0; i < 5; i++)
		failed |= by_vfork();
	failed |= ended_early();
	after();
	return failed;
}
