/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every single call of a session, on the time axis of the run, into a file of another tool's format.
 *
 * What is left out is decided as calls begin, when nothing is known of what they will call. Times in a thread are made strictly increasing by
 * 1 ns where they are equal.
 */
#ifndef CPROF_TIMED_EXPORT_H
#define CPROF_TIMED_EXPORT_H

#include <stdio.h>

#include "session_view.h"

enum timed_format { TIMED_CHROME, TIMED_PERFETTO };

struct timed_export_options { /* threads and range are the view's. Calls that began before the range are left out; none ends after it */
	enum timed_format format;
	const char *filter, *exclude; /* regular expressions: only matching functions and what they call; not these and what they call */
	const char *focus;            /* as filter, but a name */
	uint64_t skip_first;          /* of the outermost calls of focus, in each thread */
	uint64_t depth;               /* levels of calls */
	uint64_t max_bytes;           /* a larger file is an error; 0: none is */
};

struct cprof_error *timed_export(FILE *out, const struct session_view *view, const struct timed_export_options *options) CPROF_MUST_CHECK;

#endif
