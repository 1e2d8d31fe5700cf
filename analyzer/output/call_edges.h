/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who calls whom: functions as nodes, all contexts of a pair together.
 *
 * Counts are exact over all contexts and recursive calls. Time is the total of the callee's contexts directly below the caller's: a call that
 * recursion folded back has its time in the context it leads back to, so such an edge may have calls and no time of its own.
 */
#ifndef CPROF_CALL_EDGES_H
#define CPROF_CALL_EDGES_H

#include "json_writer.h"
#include "profile.h"
#include "text_style.h"

struct call_edge {
	uint32_t caller, callee; /* function indices; caller UINT32_MAX: from outside every recorded call */
	uint64_t calls;
	uint64_t total_ticks;
};

struct call_edges {
	const struct profile *profile;
	struct call_edge *by_caller; /* sorted by caller, then most time first */
	struct call_edge *by_callee; /* sorted by callee, then most time first */
	size_t count;
};

struct cprof_error *call_edges_create(const struct profile *profile, struct call_edges *ret) CPROF_MUST_CHECK;
void call_edges_destroy(struct call_edges *edges);

enum call_edges_side { CALL_EDGES_CALLERS = 1, CALL_EDGES_CALLEES = 2 };
/* A block for each of the functions, which are indices: callers above, callees below the function's own line. */
void call_edges_text(FILE *out, const struct text_style *style, const struct call_edges *edges, unsigned sides, const uint32_t *functions, size_t count);
/* wanted[function]: NULL or whether edges of that function (as callee for callers, as caller for callees) are written. */
void call_edges_json(struct json_writer *json, const char *key, const struct call_edges *edges, unsigned sides, const bool *wanted);
void call_edges_csv(FILE *out, const struct call_edges *edges, unsigned sides, const bool *wanted);

#endif
