/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions --filter, --exclude and --focus mean. */
#ifndef CPROF_FUNCTION_MATCH_H
#define CPROF_FUNCTION_MATCH_H

#include "profile.h"

/* matches[i]: the name of function i matches the regular expression. Free with free(); NULL without pattern. option names it in the error. */
struct cprof_error *function_match_pattern(const struct call_function *functions, size_t nr_functions, const char *option, const char *pattern,
					   bool **ret) CPROF_MUST_CHECK;
/* matches[i]: function i is the one called name; where nothing has exactly that name, those that are like it. None is an error. NULL without name. */
struct cprof_error *function_match_name(const struct call_function *functions, size_t nr_functions, const char *name, bool **ret) CPROF_MUST_CHECK;
/* "ns::f(int)" is like "ns::f" and "f". */
bool function_name_is_like(const char *full, const char *name);

#endif
