/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was found wrong with a trace while it was read: lines for people. Bounded, as a hostile file may hold a problem every hundred bytes.
 */
#ifndef CPROF_PROBLEMS_H
#define CPROF_PROBLEMS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define PROBLEMS_LISTED 1000u

struct problems {
	char **lines;
	size_t nr, capacity;
	uint64_t unlisted; /* those after PROBLEMS_LISTED; the last line says so */
};

struct cprof_error *problems_add(struct problems *problems, const char *format, ...) CPROF_MUST_CHECK CPROF_PRINTF(2, 3);
void problems_deinit(struct problems *problems);

#endif
