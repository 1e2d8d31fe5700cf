/* SPDX-License-Identifier: BSD-2-Clause */
/* In which order calls are shown. */
#ifndef CPROF_CALL_SORT_H
#define CPROF_CALL_SORT_H

#include "profile.h"

#define CALL_TICKS_UNKNOWN UINT64_MAX

enum call_sort {
	CALL_SORT_TOTAL, CALL_SORT_SELF, CALL_SORT_CALLS, CALL_SORT_AVERAGE, CALL_SORT_MIN, CALL_SORT_P50, CALL_SORT_P90, CALL_SORT_P99, CALL_SORT_MAX,
	CALL_SORT_NAME,
	CALL_SORT_METRIC /* + enum call_metric; their words are aliases of --sort (common_options.c) */
};
extern const char *const call_sort_names[]; /* NULL-terminated, in the order of enum call_sort */

/* Average of all calls, in ticks. Open calls count with the time they have had. */
uint64_t call_average_ticks(const struct call_numbers *numbers);

/* As for qsort(): descending for numbers, ascending for names, which decide where numbers are equal. */
int call_numbers_compare(const struct call_numbers *a, const char *a_name, const struct call_numbers *b, const char *b_name, enum call_sort sort);
/* Puts the children of node in order. */
struct cprof_error *call_node_sort_children(struct call_node *node, enum call_sort sort) CPROF_MUST_CHECK;

#endif
