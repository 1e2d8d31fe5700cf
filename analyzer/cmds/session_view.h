/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From trace paths to single calls with names: what replay and timeline share. The sums that other commands show come from analysis.h.
 */
#ifndef CPROF_SESSION_VIEW_H
#define CPROF_SESSION_VIEW_H

#include "common_options.h"
#include "session_names.h"
#include "time_range.h"

struct session_view {
	struct session *session;
	struct symbolizer *symbolizer;
	struct session_names *names;
	uint64_t start_ticks, end_ticks; /* the first clock pair of the run, and its end */
	double hz;                       /* 0: unknown */
	uint64_t from_ticks, to_ticks;   /* what --time says */
	bool **threads;                  /* [trace][thread]: what --thread says; NULL: all */
	size_t nr_threads;               /* that are shown */
};

/* Without operands the trace is "trace.lz4". threads and time: values of --thread and --time, or NULL. */
struct cprof_error *session_view_create(const struct cprof_operands *operands, const struct source_args *source, const char *threads, const char *time,
					struct session_view **ret) CPROF_MUST_CHECK;
void session_view_destroy(struct session_view *view);

#endif
