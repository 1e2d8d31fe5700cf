/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cases of calls_program share: how they count what they do, and say what they expect. Not for the library.
 */
#ifndef CALLS_PROGRAM_H
#define CALLS_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define NO_HOOKS __attribute__((noinline, no_instrument_function))
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			wrong(#condition, __FILE__, __LINE__); \
	} while (0)

/* What was done, by number; the functions that count are called by one thread each. */
struct tally {
	const char *function;
	struct {
		uint64_t count, bytes;
	} of[512];
};
#define MOVED(number, call) did(tally, number, call, true)
#define DID(number, call)   did(tally, number, call, false)

enum { READS = 5000 };
extern int shared_fd;
extern struct tally tallies[8];

void wrong(const char *what, const char *file, int line);
long did(struct tally *tally, int number, long result, bool moves);
void say(const char *what, const struct tally *tally);
struct tally *tally_of(int i, const char *function); /* tallies[i] */

void open_shared(void);
void reads(struct tally *tally, int times); /* a byte of the shared file each time */
void *asleep(void *argument);               /* a thread: ends after 0.3 s */

/* The cases. */
void every(void);
void threads(void);
void signals(void);
void forks(void);
void early(void);
void vforks(void);
void execs(char **argv);
void killed(void);
void closes(char **argv);
void cancels(void);
void odd(void);
void locks(void);

#endif
