/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_view.h"

#include <stdlib.h>

#include "analysis.h" /* trace_operands */
#include "session.h"
#include "symbolizer.h"

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
	struct cprof_error *error = view ? trace_operands(operands, &traces) : &cprof_enomem;

	if (!error)
		error = session_open((const char *const *)traces.items, traces.count, &view->session);
	if (!error)
		error = session_choice_init(&view->choice, view->session, threads, time);
	if (!error)
		error = symbols_open(view, source);
	if (error) {
		session_view_destroy(view);
		return error;
	}
	*ret = view;
	return NULL;
}

void session_view_destroy(struct session_view *view)
{
	if (!view)
		return;
	if (view->session)
		session_choice_deinit(&view->choice, view->session);
	session_names_destroy(view->names);
	symbolizer_destroy(view->symbolizer);
	session_destroy(view->session);
	free(view);
}
