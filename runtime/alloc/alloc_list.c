/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc_list TRACE: the allocations of a trace as lines of JSON, for tests: `alloc` for each context, `lost` for what could not be followed, and `trace` at the
 * end. Reads as the analyzer does and adds nothing to it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "session.h"

int main(int argc, char **argv)
{
	const char *path = argc == 2 ? argv[1] : "trace.lz4";
	struct session *session;
	struct cprof_error *error = session_open(&path, 1, &session);

	if (error) {
		fprintf(stderr, "%s\n", error->message);
		return 1;
	}
	const struct trace *trace = session_trace(session, 0);
	const struct trace_tables *tables = trace_tables(trace);

	for (size_t i = 0; i < tables->nr_allocs; i++) {
		const struct cprof_alloc *a = &tables->allocs[i];

		printf("{\"record\":\"alloc\",\"context\":%u,\"flags\":%u,\"calls\":%" PRIu64 ",\"bytes\":%" PRIu64
		       ",\"freed_calls\":%" PRIu64 ",\"freed_bytes\":%" PRIu64 ",\"peak_bytes\":%" PRIu64 ",\"bytes_at_peak\":%" PRIu64
		       ",\"temporary_calls\":%" PRIu64 ",\"failed_calls\":%" PRIu64 "}\n",
		       a->context, a->flags, a->calls, a->bytes, a->freed_calls, a->freed_bytes, a->peak_bytes, a->bytes_at_peak,
		       a->temporary_calls, a->failed_calls);
	}
	for (size_t i = 0; i < tables->nr_losses; i++)
		printf("{\"record\":\"lost\",\"reason\":%u,\"events\":%" PRIu64 "}\n", tables->losses[i].reason, tables->losses[i].events);
	printf("{\"record\":\"trace\",\"clean\":%s,\"live_used\":%s,\"problems\":%" PRIu64 "}\n",
	       trace_state(trace)->clean ? "true" : "false", trace_state(trace)->live_used ? "true" : "false",
	       trace_state(trace)->nr_problems);
	session_destroy(session);
	return 0;
}
