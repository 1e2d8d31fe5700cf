/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_program CASE: calls of libc's functions, counted by itself, for calls_test.sh. It works in the folder it is started in, and uses no
 * stdio while it counts.
 *
 * Prints, for each system call and function that it was made in, "expect FUNCTION NUMBER count=N bytes=N", for a child "expect-child ...",
 * and "wrong ..." where a function of libc does not do what it does without us.
 */
#include "calls_program.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>

int shared_fd;
struct tally tallies[8];

NO_HOOKS void wrong(const char *what, const char *file, int line)
{
	printf("wrong: %s:%d: %s (errno %d)\n", file, line, what, errno);
	fflush(stdout);
}

NO_HOOKS long did(struct tally *tally, int number, long result, bool moves)
{
	tally->of[number].count++;
	if (moves && result > 0)
		tally->of[number].bytes += (uint64_t)result;
	return result;
}

NO_HOOKS void say(const char *what, const struct tally *tally)
{
	for (int i = 0; i < 512; i++)
		if (tally->of[i].count)
			printf("%s %s %d count=%llu bytes=%llu\n", what, tally->function, i, (unsigned long long)tally->of[i].count,
			       (unsigned long long)tally->of[i].bytes);
	fflush(stdout);
}

struct tally *tally_of(int i, const char *function)
{
	tallies[i].function = function;
	return &tallies[i];
}

void open_shared(void)
{
	shared_fd = open("data", O_RDWR | O_CREAT, 0600);
	CHECK(write(shared_fd, "shared", 6) == 6);
}

NOINLINE void reads(struct tally *tally, int times)
{
	char byte;

	for (int i = 0; i < times; i++)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
}

void *asleep(void *argument)
{
	usleep(300000);
	return argument;
}

static void rows(void) /* many files: no table is large enough */
{
	open_shared();
	for (int i = 0; i < 200; i++) {
		char path[32];

		sprintf(path, "file%d", i);
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		CHECK(write(fd, path, 4) == 4);
		close(fd);
	}
	printf("calls 602\n");
	fflush(stdout); /* and one more */
}

static void stops(void) /* the recorder says that it has ended when we ask it to */
{
	sigset_t answer;
	int number;

	open_shared();
	sigemptyset(&answer);
	sigaddset(&answer, SIGUSR2);
	sigprocmask(SIG_BLOCK, &answer, NULL);
	reads(tally_of(0, "reads"), 10);
	kill(getppid(), SIGUSR1);
	sigwait(&answer, &number);
	say("expect", &tallies[0]);
	reads(tally_of(1, "reads"), 10);
}

/* The program is the one without cprof, its plug-in the one with it. */
static void late(char **argv)
{
	char path[4096];
	void (*plugin)(int);

	open_shared();
	snprintf(path, sizeof path, "%s.so", argv[0]);
	void *loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CHECK(loaded);
	*(void **)&plugin = dlsym(loaded, "plugin_reads");
	plugin(shared_fd);
	printf("expect plugin_reads %d count=5 bytes=5\n", SYS_pread64);
}

static void renames(void)
{
	open_shared();
	close(shared_fd);
	rename("data", "other");
	close(open("other", O_RDONLY));
	unlink("other");
	int fd = memfd_create("nameless", 0);
	CHECK(write(fd, "x", 1) == 1);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "every", every },   { "threads", threads }, { "signals", signals }, { "forks", forks },     { "early", early },
		      { "vforks", vforks }, { "killed", killed },   { "rows", rows },       { "cancels", cancels }, { "odd", odd },
		      { "locks", locks },   { "stops", stops },     { "renames", renames } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (!strcmp(cases[i].name, name)) {
			cases[i].run();
			return 0;
		}
	}
	if (!strcmp(name, "execs")) {
		execs(argv);
	} else if (!strcmp(name, "late")) {
		late(argv);
	} else if (!strcmp(name, "closes")) {
		closes(argv);
	} else if (!strcmp(name, "exec2")) {
		open_shared();
		reads(tally_of(0, "reads"), 23);
		printf("expect-child exec %d count=23 bytes=23\n", (int)getpid());
		return 0;
	} else {
		return 2;
	}
	return 0;
}
