/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From trace paths to single calls with names: what replay and timeline share. The sums that other commands show come from analysis.h.
 */
#ifndef CPROF_SESSION_VIEW_H
#define CPROF_SESSION_VIEW_H

#include <stdio.h>

#include "common_options.h"
#include "session_choice.h"
#include "session_files.h"
#include "session_names.h"

struct session_view {
	struct session_files paths;
	struct session *session;
	struct symbolizer *symbolizer;
	struct session_names *names;
	struct session_choice choice; /* what --thread and --time say */
};

/* Without operands the trace is "trace.lz4". Of select, only --thread and --time. */
struct cprof_error *session_view_create(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
					struct session_view **ret) CPROF_MUST_CHECK;
void session_view_destroy(struct session_view *view);

/* From operands to the written result, as analysis_write. */
struct session_report {
	const char *path; /* of --output; NULL: standard output */
	struct cprof_error *(*print)(FILE *out, const void *args, const struct session_view *view);
	const void *args; /* the command's */
};
struct cprof_error *session_view_write(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
				       const struct session_report *report) CPROF_MUST_CHECK;

#endif
