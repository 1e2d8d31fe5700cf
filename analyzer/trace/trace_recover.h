/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A complete, clean trace from what a killed process or a damaged disk left.
 *
 * Sound chunks are copied as they are, live blocks become EVENTS chunks, the tables are written anew, END says CPROF_END_RECOVERED. Holes stay
 * visible (sequence numbers and LOSS are kept). Nothing is invented.
 */
#ifndef CPROF_TRACE_RECOVER_H
#define CPROF_TRACE_RECOVER_H

#include "session.h"

struct trace_recover_result {
	uint64_t bytes;          /* of the file written */
	uint64_t events;         /* enters and exits in it */
	uint64_t chunks;         /* EVENTS chunks in it ... */
	uint64_t live_chunks;    /* ... of which from the live file */
	uint64_t damaged_chunks; /* EVENTS chunks that could not be kept */
};

/*
 * Writes output (mode 0600; to a temporary file beside it that is renamed at the end, so it is there complete or not at all). output may be the trace
 * itself unless that is still being written. The live file is left alone: a trace with END no longer needs it, and the caller may remove it.
 */
struct cprof_error *trace_recover(struct trace *trace, const char *output, struct trace_recover_result *ret) CPROF_MUST_CHECK;

#endif
