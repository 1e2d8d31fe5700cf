/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that the program would call without us: libc's, or those of a library behind us.
 *
 * Each is found when the library is loaded, or by the first who needs it before that. Looking takes no lock of ours, so it may happen at
 * any moment.
 */
#ifndef CPROF_CALLS_NEXT_H
#define CPROF_CALLS_NEXT_H

#include "calls_functions.h"
#include "calls_lock_functions.h"

struct calls_next {
#define CALLS_X(kind, type, name, parameters, arguments, number) type(*name) parameters;
	CALLS_IO_FUNCTIONS(CALLS_X)
#undef CALLS_X
#define CALLS_X(type, name, parameters, arguments, number) type(*name) parameters;
	CALLS_OPEN_FUNCTIONS(CALLS_X)
#undef CALLS_X
	void (*sync)(void);
	int (*clock)(clockid_t clock, struct timespec *now); /* libc's own: the program's or a friend's may come back to us */
#define CALLS_X(name, parameters) int(*name) parameters;
	CALLS_LOCK_FUNCTIONS(CALLS_X)
#undef CALLS_X
};
extern struct calls_next calls_next;

void calls_next_find_all(void);

/* All of them are there, or are found now. */
#define CALLS_NEXT(name) (__builtin_expect(!!calls_next.name, 1) ? (void)0 : calls_next_find_all(), calls_next.name)

#endif
