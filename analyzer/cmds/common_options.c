/* SPDX-License-Identifier: BSD-2-Clause */
#include "common_options.h"

const char *const format_names[] = { "text", "json", "csv", NULL };
const char *const format_names_json[] = { "text", "json", NULL };
const char *const color_names[] = { "auto", "always", "never", NULL };
const char *const recursion_names[] = { "fold", "unroll", NULL };
const char *const sampled_names[] = { "hide", "show", NULL };

const struct cprof_alias call_sort_aliases[] = {
	{ "cumulative", CALL_SORT_TOTAL }, { "cumtime", CALL_SORT_TOTAL }, { "time", CALL_SORT_SELF }, { "tottime", CALL_SORT_SELF },
	{ "ncalls", CALL_SORT_CALLS }, { "percall", CALL_SORT_AVERAGE }, { "stdname", CALL_SORT_NAME },
#define X(name, key, word, head, unit, what) { word, CALL_SORT_METRIC + METRIC_##name },
	CALL_METRICS(X)
#undef X
	{ NULL, 0 }
};

struct cprof_error *select_args_check(const struct select_args *select)
{
	if (select->skip_first && !select->focus)
		return cprof_error_create(CPROF_ERROR_USAGE, "--skip-first needs --focus: the function whose first calls are left out");
	return NULL;
}
