/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_view.h"

#include <stdio.h>
#include <stdlib.h>

#include "analysis.h" /* trace_operands */
#include "session.h"
#include "symbolizer.h"
#include "thread_list.h"

static struct cprof_error *threads_select(struct session_view *view, const char *list)
{
	size_t nr_traces = session_nr_traces(view->session);

	if (list && !(view->threads = calloc(nr_traces + 1, sizeof *view->threads)))
		return &cprof_enomem;
	for (size_t i = 0; i < nr_traces; i++) {
		const struct trace_tables *tables = trace_tables(session_trace(view->session, i));

		if (list && !(view->threads[i] = calloc(tables->nr_threads + 1, sizeof(bool))))
			return &cprof_enomem;
		for (size_t k = 0; k < tables->nr_threads; k++) {
			const struct cprof_thread *thread = &tables->threads[k];
			char name[64];

			snprintf(name, sizeof name, "%.16s [%u]", thread->name[0] ? thread->name : "thread", thread->tid);
			if (list)
				view->threads[i][k] = thread_list_has(list, name);
			view->nr_threads += !list || view->threads[i][k];
		}
	}
	if (list && !view->nr_threads)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "no thread '%s' in this trace (see: cprof-analyze threads)", list);
	return NULL;
}

static void clock_find(struct session_view *view)
{
	view->start_ticks = UINT64_MAX;
	for (size_t i = 0; i < session_nr_traces(view->session); i++) {
		const struct trace *trace = session_trace(view->session, i);
		const struct trace_tables *tables = trace_tables(trace);

		if (tables->nr_clocks && tables->clocks[0].tsc < view->start_ticks)
			view->start_ticks = tables->clocks[0].tsc;
		if (trace_state(trace)->end_tsc > view->end_ticks)
			view->end_ticks = trace_state(trace)->end_tsc;
	}
	if (view->start_ticks == UINT64_MAX)
		view->start_ticks = 0;
	view->hz = session_nr_traces(view->session) ? trace_clock_hz(session_trace(view->session, 0)) : 0;
}

static struct cprof_error *symbols_open(struct session_view *view, const struct source_args *source)
{
	const char *const folders[] = { source->symbols, NULL };
	struct symbolizer_options options = { .search_paths = source->symbols ? folders : NULL, .perf_map = source->perf_map, .mangled = source->mangled };
	struct cprof_error *error = symbolizer_create(&options, &view->symbolizer);

	if (!error)
		error = session_add_modules(view->session, view->symbolizer);
	return error ? error : session_names_create(view->session, view->symbolizer, &view->names);
}

struct cprof_error *session_view_create(const struct cprof_operands *operands, const struct source_args *source, const char *threads, const char *time,
					struct session_view **ret)
{
	struct session_view *view = calloc(1, sizeof *view);
	struct cprof_operands traces = { NULL, 0 };
	struct time_range range;
	struct cprof_error *error = view ? time_range_parse("time", time, &range) : &cprof_enomem;

	if (!error)
		error = trace_operands(operands, &traces);
	if (!error)
		error = session_open((const char *const *)traces.items, traces.count, &view->session);
	if (!error)
		error = threads_select(view, threads);
	if (!error)
		error = symbols_open(view, source);
	if (error) {
		session_view_destroy(view);
		return error;
	}
	clock_find(view);
	time_range_ticks(&range, view->start_ticks, view->end_ticks, view->hz, &view->from_ticks, &view->to_ticks);
	*ret = view;
	return NULL;
}

void session_view_destroy(struct session_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; view->threads && i < session_nr_traces(view->session); i++)
		free(view->threads[i]);
	free(view->threads);
	session_names_destroy(view->names);
	symbolizer_destroy(view->symbolizer);
	session_destroy(view->session);
	free(view);
}
