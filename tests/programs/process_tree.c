/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 200 processes in a tree, each with a trace of its own: number n makes n calls. A child has no file of its parent's open, before its first call or
 * after it, and all traces are of one session. -DBY__FORK: with _Fork(), which runs no fork handlers.
 *
 * calls: main=1 grow=200 call=19900
 * tree: [nodes | select(.name == "call") | .calls] | sort == [range(1; 200)]
 * info: .processes == 200 and .threads == 200 and .clean_exit
 * traces: 200
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESSES = 200, BRANCHES = 3 };

static volatile int sink;

#ifdef BY__FORK
#define FORK _Fork
#else
#define FORK fork
#endif

__attribute__((noinline)) static void call(void)
{
	sink++;
}

/* Files of cprof's that this process has open, those of other processes first. */
__attribute__((no_instrument_function)) static int count_open(int *ret_foreign)
{
	char path[300], target[300], own[32];
	struct dirent *entry;
	int count = 0;
	DIR *folder = opendir("/proc/self/fd");

	*ret_foreign = 0;
	snprintf(own, sizeof own, ".%d", (int)getpid());
	while (folder && (entry = readdir(folder))) {
		snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
		ssize_t length = readlink(path, target, sizeof target - 1);

		if (length <= 0)
			continue;
		target[length] = 0;
		const char *name = strstr(target, "/trace");
		if (!name || !strstr(name, ".lz4"))
			continue;
		count++;
		*ret_foreign += !strstr(name, own);
	}
	if (folder)
		closedir(folder);
	return count;
}

__attribute__((noinline)) static int grow(int number);

__attribute__((no_instrument_function)) static int branch(int number)
{
	pid_t child = FORK();
	int foreign, status = 1;

	if (child < 0)
		return 1;
	if (child) {
		waitpid(child, &status, 0);
		return status;
	}
	if (count_open(&foreign)) {
		fprintf(stderr, "process %d has a file of its parent's open\n", number);
		_exit(1);
	}
	exit(grow(number));
}

static int grow(int number)
{
	int foreign, status = 0;

	for (int i = 0; i < number; i++)
		call();
	if (number && (count_open(&foreign) != 2 || foreign)) {
		fprintf(stderr, "process %d has %d files of others open\n", number, foreign);
		return 1;
	}
	for (int i = 1; i <= BRANCHES; i++)
		if (BRANCHES * number + i < PROCESSES)
			status |= branch(BRANCHES * number + i);
	return status != 0;
}

int main(void)
{
	return grow(0);
}
