/* SPDX-License-Identifier: BSD-2-Clause */
/* A bounded list of lines; see problems.h. */
#include "problems.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "vec.h"

static char *CPROF_PRINTF(3, 0) make_line(struct problem_place place, size_t *ret_text_at, const char *format, va_list arguments)
{
	char prefix[64] = "", *text, *line;
	int length = 0;

	if (place.offset != CPROF_NO_OFFSET)
		length += snprintf(prefix, sizeof prefix, "offset 0x%" PRIx64 ": ", place.offset);
	if (place.thread != CPROF_NO_THREAD)
		length += snprintf(prefix + length, sizeof prefix - (size_t)length, "thread %" PRIu32 ": ", place.thread);
	if (vasprintf(&text, format, arguments) < 0)
		return NULL;
	if (asprintf(&line, "%s%s", prefix, text) < 0)
		line = NULL;
	free(text);
	*ret_text_at = (size_t)length;
	return line;
}

/* The line after the last listed one. */
static struct cprof_error *count_unlisted(struct problems *problems)
{
	char *line;

	if (asprintf(&line, "%" PRIu64 " more problems are not listed", problems->unlisted + 1) < 0)
		return &cprof_enomem;
	if (problems->nr > PROBLEMS_LISTED)
		free(problems->lines[PROBLEMS_LISTED]);
	problems->unlisted++;
	problems->lines[PROBLEMS_LISTED] = line;
	problems->details[PROBLEMS_LISTED] = (struct problem){ PROBLEM_OF_TRACE(FINDING_NOTE), 0 };
	problems->nr = PROBLEMS_LISTED + 1;
	return NULL;
}

struct cprof_error *problems_add_list(struct problems *problems, struct problem_place place, const char *format, va_list arguments)
{
	struct problem detail = { place, 0 };

	if (!vec_reserve(&problems->lines, &problems->capacity, problems->nr + 1, sizeof *problems->lines) ||
	    !vec_reserve(&problems->details, &problems->details_capacity, problems->nr + 1, sizeof *problems->details))
		return &cprof_enomem;
	problems->nr_by_severity[place.severity]++;
	if (problems->nr >= PROBLEMS_LISTED)
		return count_unlisted(problems);
	char *line = make_line(place, &detail.text_at, format, arguments);

	if (!line)
		return &cprof_enomem;
	problems->lines[problems->nr] = line;
	problems->details[problems->nr++] = detail;
	return NULL;
}

struct cprof_error *problems_add(struct problems *problems, struct problem_place place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	struct cprof_error *error = problems_add_list(problems, place, format, arguments);

	va_end(arguments);
	return error;
}

void problems_deinit(struct problems *problems)
{
	for (size_t i = 0; i < problems->nr; i++)
		free(problems->lines[i]);
	free(problems->lines);
	free(problems->details);
	*problems = (struct problems){ 0 };
}
