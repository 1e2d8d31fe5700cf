/* SPDX-License-Identifier: BSD-2-Clause */
/* The opened traces of one run; see session.h. Each trace does its own work (trace.c). */
#include "session.h"

#include <stdlib.h>

#include "trace_internal.h"

struct session {
	size_t nr_traces;
	struct trace *traces[];
};

struct cprof_error *session_open(const char *const *paths, size_t nr_paths, struct session **ret)
{
	if (nr_paths > SIZE_MAX / 2 / sizeof(struct trace *))
		return &cprof_enomem;
	struct session *session = calloc(1, sizeof *session + nr_paths * sizeof *session->traces);

	if (!session)
		return &cprof_enomem;
	for (size_t i = 0; i < nr_paths; i++) {
		struct cprof_error *error = trace_open(paths[i], &session->traces[i]);

		if (error) {
			session_destroy(session);
			return error;
		}
		session->nr_traces++;
	}
	*ret = session;
	return NULL;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->nr_traces; i++)
		trace_close(session->traces[i]);
	free(session);
}

size_t session_nr_traces(const struct session *session)
{
	return session->nr_traces;
}

struct trace *session_trace(const struct session *session, size_t index)
{
	return session->traces[index];
}

const char *trace_path(const struct trace *trace)
{
	return trace->file.path;
}

const struct trace_meta *trace_meta(const struct trace *trace)
{
	return &trace->meta;
}

const struct trace_tables *trace_tables(const struct trace *trace)
{
	return &trace->tables;
}

const struct trace_state *trace_state(const struct trace *trace)
{
	return &trace->state;
}

double trace_clock_hz(const struct trace *trace)
{
	const struct trace_tables *tables = &trace->tables;

	if (trace->meta.fixed.clock_source == CPROF_CLOCK_MONOTONIC_NS)
		return 1e9;
	if (tables->nr_clocks < 2)
		return 0;
	const struct cprof_clock *first = &tables->clocks[0], *last = &tables->clocks[tables->nr_clocks - 1];

	return (double)(last->tsc - first->tsc) * 1e9 / (double)(last->monotonic_ns - first->monotonic_ns);
}
