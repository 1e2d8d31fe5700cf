/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was found wrong with a trace while it was read or checked. Bounded, as a hostile file may hold a problem every hundred bytes.
 */
#ifndef CPROF_PROBLEMS_H
#define CPROF_PROBLEMS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "trace_check.h" /* enum trace_finding_severity */

#define PROBLEMS_LISTED 1000u

struct problem_place {
	enum trace_finding_severity severity;
	uint64_t offset;   /* or CPROF_NO_OFFSET */
	uint32_t thread;   /* or CPROF_NO_THREAD */
};

/* Of the whole trace. */
#define PROBLEM_OF_TRACE(severity) ((struct problem_place){ severity, CPROF_NO_OFFSET, CPROF_NO_THREAD })
#define PROBLEM_AT(severity, offset) ((struct problem_place){ severity, offset, CPROF_NO_THREAD })

struct problems {
	char **lines;      /* "offset 0x1f40: thread 3: text" */
	struct problem {
		struct problem_place place;
		size_t text_at; /* where the text starts in its line */
	} *details;
	size_t nr, capacity, details_capacity;
	uint64_t unlisted; /* those after PROBLEMS_LISTED; the last line says so */
	uint64_t nr_by_severity[3]; /* unlisted ones too */
};

struct cprof_error *problems_add(struct problems *problems, struct problem_place place, const char *format, ...)
	CPROF_MUST_CHECK CPROF_PRINTF(3, 4);
struct cprof_error *problems_add_list(struct problems *problems, struct problem_place place, const char *format, va_list arguments)
	CPROF_MUST_CHECK CPROF_PRINTF(3, 0);
void problems_deinit(struct problems *problems);

#endif
