/* SPDX-License-Identifier: BSD-2-Clause */
#include "function_match.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct cprof_error *function_match_pattern(const struct call_function *functions, size_t nr_functions, const char *option, const char *pattern,
					   bool **ret)
{
	regex_t regex;
	int code;

	*ret = NULL;
	if (!pattern)
		return NULL;
	code = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (code) {
		char reason[128];

		regerror(code, &regex, reason, sizeof reason);
		return cprof_error_create(CPROF_ERROR_USAGE, "--%s: '%s': %s", option, pattern, reason);
	}
	bool *matches = calloc(nr_functions + 1, sizeof *matches);
	for (size_t i = 0; matches && i < nr_functions; i++)
		matches[i] = regexec(&regex, functions[i].name, 0, NULL, 0) == 0;
	regfree(&regex);
	*ret = matches;
	return matches ? NULL : &cprof_enomem;
}

bool function_name_is_like(const char *full, const char *name)
{
	size_t length = strlen(name);
	const char *at;

	for (at = full; length && (at = strstr(at, name)); at++)
		if ((at == full || (at >= full + 2 && at[-1] == ':')) && (!at[length] || at[length] == '('))
			return true;
	return false;
}

static bool is_named(const struct call_function *function, const char *name)
{
	return strcmp(function->name, name) == 0 || (function->linkage && strcmp(function->linkage, name) == 0);
}

static bool is_like(const struct call_function *function, const char *name)
{
	return function_name_is_like(function->name, name);
}

struct cprof_error *function_match_name(const struct call_function *functions, size_t nr_functions, const char *name, bool **ret)
{
	bool (*const tests[])(const struct call_function *, const char *) = { is_named, is_like };
	bool *matches;
	size_t found = 0;

	*ret = NULL;
	if (!name)
		return NULL;
	matches = calloc(nr_functions + 1, sizeof *matches);
	if (!matches)
		return &cprof_enomem;
	for (size_t test = 0; test < 2 && !found; test++)
		for (size_t i = 0; i < nr_functions; i++)
			found += matches[i] = tests[test](&functions[i], name);
	if (!found) {
		free(matches);
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "no call of a function '%s' in what was read (see: cprof-analyze flat; --session reads all of the run)", name);
	}
	*ret = matches;
	return NULL;
}
