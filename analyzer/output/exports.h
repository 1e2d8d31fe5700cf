/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree in the formats of other tools. Each states exact self time in ns per call path (callgrind: per function and pair).
 *
 * Where a format names a whole path per context, paths are cut at `depth` levels: time below counts for the last one shown.
 */
#ifndef CPROF_EXPORTS_H
#define CPROF_EXPORTS_H

#include "call_edges.h"
#include "call_view.h"

enum { EXPORT_DEPTH = 1000 };

/* flamegraph.pl, inferno, speedscope: "main;parse;lex 1234" */
struct cprof_error *export_folded(FILE *out, const struct call_view *view, uint64_t depth) CPROF_MUST_CHECK;
/*
 * https://www.speedscope.app: one evented profile; the calls of a context are drawn as one, so its time axis is not that of the run.
 * A file of more than max_bytes is an error; 0: none is.
 */
struct cprof_error *export_speedscope(FILE *out, const struct call_view *view, uint64_t depth, uint64_t max_bytes, const char *title)
	CPROF_MUST_CHECK;
/* kcachegrind, callgrind_annotate */
struct cprof_error *export_callgrind(FILE *out, const struct call_edges *edges, const char *command) CPROF_MUST_CHECK;
/* pprof and all that reads it: gzip of a protobuf; sample types calls and wall */
struct cprof_error *export_pprof(FILE *out, const struct call_view *view, uint64_t depth, uint64_t start_realtime_ns) CPROF_MUST_CHECK;

#endif
