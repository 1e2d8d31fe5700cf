/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_view.h"

#include <stdlib.h>

#include "analysis.h" /* trace_operands_open, analysis_open_symbols */
#include "output_file.h"
#include "session.h"
#include "symbolizer.h"

struct cprof_error *session_view_create(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
					struct session_view **ret)
{
	struct session_view *view = calloc(1, sizeof *view);
	struct cprof_error *error = view ? select_args_check(select) : &cprof_enomem;

	if (!error)
		error = trace_operands_open(operands, source, &view->paths, &view->session);
	if (!error)
		error = session_choice_init(&view->choice, view->session, select->threads, select->time);
	if (!error)
		error = analysis_open_symbols(view->session, source, &view->symbolizer);
	if (!error)
		error = session_names_create(view->session, view->symbolizer, &view->names);
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
	session_files_deinit(&view->paths);
	free(view);
}

struct cprof_error *session_view_write(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
				       const struct session_report *report)
{
	struct session_view *view;
	struct output_file file;
	struct cprof_error *error = session_view_create(operands, source, select, &view);

	if (error)
		return error;
	error = output_file_open(report->path, &file);
	if (!error)
		error = output_file_end(&file, report->print(file.out, report->args, view));
	session_view_destroy(view);
	return error;
}
