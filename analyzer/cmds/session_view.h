/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From trace paths to single calls with names: what replay and timeline share. The sums that other commands show come from analysis.h.
 */
#ifndef CPROF_SESSION_VIEW_H
#define CPROF_SESSION_VIEW_H

#include "common_options.h"
#include "session_choice.h"
#include "session_names.h"

struct session_view {
	struct session *session;
	struct symbolizer *symbolizer;
	struct session_names *names;
	struct session_choice choice; /* what --thread and --time say */
};

/* Without operands the trace is "trace.lz4". threads and time: values of --thread and --time, or NULL. */
struct cprof_error *session_view_create(const struct cprof_operands *operands, const struct source_args *source, const char *threads, const char *time,
					struct session_view **ret) CPROF_MUST_CHECK;
void session_view_destroy(struct session_view *view);

#endif
