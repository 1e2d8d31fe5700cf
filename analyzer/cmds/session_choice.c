/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_choice.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel_file.h"
#include "thread_list.h"
#include "time_range.h"

static struct cprof_error *threads_select(struct session_choice *choice, const struct session *session, const char *list)
{
	size_t nr_traces = session_nr_traces(session);

	if (list && !(choice->threads = calloc(nr_traces + 1, sizeof *choice->threads)))
		return &cprof_enomem;
	for (size_t i = 0; i < nr_traces; i++) {
		const struct trace_tables *tables = trace_tables(session_trace(session, i));

		if (list && !(choice->threads[i] = calloc(tables->nr_threads + 1, sizeof(bool))))
			return &cprof_enomem;
		for (size_t k = 0; k < tables->nr_threads; k++) {
			const struct cprof_thread *thread = &tables->threads[k];
			char name[64];

			snprintf(name, sizeof name, "%.16s [%u]", thread->name[0] ? thread->name : "thread", thread->tid);
			if (list)
				choice->threads[i][k] = thread_list_has(list, name);
			choice->nr_threads += !list || choice->threads[i][k];
		}
	}
	if (list && !choice->nr_threads)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "no thread '%s' in this trace (see: cprof-analyze threads)", list);
	return NULL;
}

static void clock_find(struct session_choice *choice, const struct session *session)
{
	choice->start_ticks = UINT64_MAX;
	for (size_t i = 0; i < session_nr_traces(session); i++) {
		const struct trace *trace = session_trace(session, i);
		const struct trace_tables *tables = trace_tables(trace);

		if (tables->nr_clocks && tables->clocks[0].tsc < choice->start_ticks)
			choice->start_ticks = tables->clocks[0].tsc;
		if (trace_state(trace)->end_tsc > choice->end_ticks)
			choice->end_ticks = trace_state(trace)->end_tsc;
	}
	if (choice->start_ticks == UINT64_MAX) /* a kernel half alone: its ticks are ns */
		choice->start_ticks = session_nr_kernels(session) ? kernel_file_start_ns(session_kernel(session, 0)) : 0;
	choice->hz = session_nr_traces(session) ? trace_clock_hz(session_trace(session, 0)) : 0;
}

struct cprof_error *session_choice_init(struct session_choice *choice, const struct session *session, const char *threads, const char *time)
{
	struct session_choice made = { 0 };
	struct time_range range;
	struct cprof_error *error = time_range_parse("time", time, &range);

	if (!error)
		error = threads_select(&made, session, threads);
	if (error) {
		session_choice_deinit(&made, session);
		return error;
	}
	clock_find(&made, session);
	time_range_ticks(&range, made.start_ticks, made.end_ticks, made.hz, &made.from_ticks, &made.to_ticks);
	*choice = made;
	return NULL;
}

void session_choice_deinit(struct session_choice *choice, const struct session *session)
{
	for (size_t i = 0; choice->threads && i < session_nr_traces(session); i++)
		free(choice->threads[i]);
	free(choice->threads);
	*choice = (struct session_choice){ 0 };
}
