/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of lines; see problems.h. */
#include "problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vec.h"

static struct cprof_error *count_unlisted(struct problems *problems)
{
	char *text;

	if (asprintf(&text, "%llu more problems are not listed", (unsigned long long)problems->unlisted + 1) < 0)
		return &cprof_enomem;
	problems->unlisted++;
	free(problems->lines[PROBLEMS_LISTED]);
	problems->lines[PROBLEMS_LISTED] = text;
	problems->nr = PROBLEMS_LISTED + 1;
	return NULL;
}

struct cprof_error *problems_add(struct problems *problems, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	if (!vec_reserve(&problems->lines, &problems->capacity, problems->nr + 2, sizeof *problems->lines))
		return &cprof_enomem;
	if (problems->nr >= PROBLEMS_LISTED) {
		if (problems->nr == PROBLEMS_LISTED)
			problems->lines[PROBLEMS_LISTED] = NULL;
		return count_unlisted(problems);
	}
	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return &cprof_enomem;
	problems->lines[problems->nr++] = text;
	return NULL;
}

void problems_deinit(struct problems *problems)
{
	for (size_t i = 0; i < problems->nr; i++)
		free(problems->lines[i]);
	free(problems->lines);
	*problems = (struct problems){ 0 };
}
