/* SPDX-License-Identifier: BSD-2-Clause */
#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char no_memory_text[] = "out of memory";

struct cprof_error cprof_enomem = { CPROF_ERROR_NO_MEMORY, 0, CPROF_NO_OFFSET, NULL, no_memory_text };

/* Takes message. */
static struct cprof_error *error_make(enum cprof_error_code code, int os_errno, const char *path, uint64_t offset, char *message)
{
	struct cprof_error *error = malloc(sizeof *error);
	char *path_copy = path ? strdup(path) : NULL;

	if (!error || !message || (path && !path_copy)) {
		free(error);
		free(path_copy);
		free(message);
		return &cprof_enomem;
	}
	*error = (struct cprof_error){ code, os_errno, offset, path_copy, message };
	return error;
}

static char *CPROF_PRINTF(1, 0) format_text(const char *format, va_list arguments)
{
	char *text;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

struct cprof_error *cprof_error_create(enum cprof_error_code code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *message = format_text(format, arguments);
	va_end(arguments);
	return error_make(code, 0, NULL, CPROF_NO_OFFSET, message);
}

struct cprof_error *cprof_error_at(enum cprof_error_code code, const char *path, uint64_t offset, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	char *message = format_text(format, arguments);
	va_end(arguments);
	return error_make(code, 0, path, offset, message);
}

struct cprof_error *cprof_error_os(int os_errno, const char *path, const char *what)
{
	char *message;

	if (asprintf(&message, "cannot %s: %s", what, strerror(os_errno)) < 0)
		message = NULL;
	return error_make(CPROF_ERROR_OS, os_errno, path, CPROF_NO_OFFSET, message);
}

void cprof_error_free(struct cprof_error *error)
{
	if (!error || error == &cprof_enomem)
		return;
	free(error->path);
	free(error->message);
	free(error);
}

void cprof_error_print(const struct cprof_error *error, const char *program)
{
	fprintf(stderr, "%s: ", program);
	if (error->path)
		fprintf(stderr, "%s: ", error->path);
	if (error->path && error->offset != CPROF_NO_OFFSET)
		fprintf(stderr, "offset 0x%" PRIx64 ": ", error->offset);
	fprintf(stderr, "%s\n", error->message);
}
