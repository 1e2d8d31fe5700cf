/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that is over after some 2 ms on the CPU, all of it in burn(). With the name of a library (this file, built with -shared) it is that one's burn();
 * with "unlink" the program's own file has gone before. After a library, "late": it is loaded while the parent stands still, behind 3,000 programs that are of
 * no interest to anybody, and burns 200 times when it goes on.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

volatile unsigned long sink;
int burn(void);

__attribute__((noinline)) int burn(void)
{
	for (unsigned long i = 0; i < 800000; i++)
		sink += i;
	return 0;
}

int main(int argc, char **argv)
{
	bool late = argc > 2 && strcmp(argv[2], "late") == 0;
	int (*of_library)(void) = NULL;
	void *library;

	if (argc > 1 && strcmp(argv[1], "unlink") == 0)
		return unlink(argv[0]) || burn();
	if (argc < 2)
		return burn();
	if (late && (kill(getppid(), SIGSTOP) || system("i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i + 1)); done")))
		return 1;
	library = dlopen(argv[1], RTLD_NOW);
	if (late)
		kill(getppid(), SIGCONT);
	if (library)
		*(void **)&of_library = dlsym(library, "burn");
	for (int i = 0; of_library && late && i < 200; i++)
		of_library();
	return !of_library || of_library() || dlclose(library);
}
