/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything about a trace that can be verified, verified: what `cprof-analyze check` prints.
 *
 * Reads every byte once: container (checksums, gaps, index), tables, sequence numbers, columns, nesting, times, END's totals.
 */
#ifndef CPROF_TRACE_CHECK_H
#define CPROF_TRACE_CHECK_H

#include "session.h"

enum trace_finding_severity {
	FINDING_NOTE,    /* worth knowing: read from the live file, unknown chunk kinds, exits that matched nothing */
	FINDING_LOSS,    /* something that happened is not in the trace, and the trace says so */
	FINDING_DAMAGE,  /* the file is not what its writer wrote, or the writer was wrong */
};

struct trace_finding {
	enum trace_finding_severity severity;
	uint64_t offset;     /* of the chunk in the file, or CPROF_NO_OFFSET */
	uint32_t thread;     /* or CPROF_NO_THREAD */
	const char *text;    /* one line */
};

struct trace_report {
	struct trace_finding *findings; /* in file order; at most 1,000 */
	size_t nr_findings;
	uint64_t nr_unlisted;           /* findings beyond that */
	uint64_t nr_damage, nr_loss;    /* of all findings, by severity */
	uint64_t chunks, events_chunks, events, enters, exits, escapes;
	uint64_t repaired_calls, unmatched_exits, mismatched_exits, lost_events; /* as the event stream says it */
	uint64_t open_calls;            /* at the end */
	uint64_t records;               /* of a kernel file; it has chunks and these, nothing else */
};

/* A file that cannot be read as a trace at all is an error; everything else is a finding. went_on: as session_trace_went_on() says of it. */
struct cprof_error *trace_check(const char *path, bool went_on, struct trace_report **ret) CPROF_MUST_CHECK;
/* The same of a kernel file: every chunk read, every loss that the recorder counted. */
struct cprof_error *kernel_check(const char *path, struct trace_report **ret) CPROF_MUST_CHECK;
void trace_report_destroy(struct trace_report *report);

#endif
