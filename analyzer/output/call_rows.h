/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of a view, all contexts of each together: the lines of the flat table. */
#ifndef CPROF_CALL_ROWS_H
#define CPROF_CALL_ROWS_H

#include "call_view.h"

struct call_row {
	const struct call_function *function;
	struct call_numbers numbers; /* total: the outermost calls of the function */
};

/* The functions in the view that were called, in the order asked for. Free with free(). */
struct cprof_error *call_rows_create(const struct call_view *view, enum call_sort sort, struct call_row **ret, size_t *count) CPROF_MUST_CHECK;

/* Keeps the rows of functions whose name matches filter and not exclude (regular expressions or NULL), and with so much of the view's time. */
struct cprof_error *call_rows_choose(const struct call_view *view, const char *filter, const char *exclude, double min_percent, struct call_row *rows,
				     size_t *count) CPROF_MUST_CHECK;

#endif
