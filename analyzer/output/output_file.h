/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where results go: standard output, or a file that appears whole or not at all.
 *
 * A write that fails, a closed pipe included, is an error of the command (main ignores SIGPIPE).
 */
#ifndef CPROF_OUTPUT_FILE_H
#define CPROF_OUTPUT_FILE_H

#include <stdio.h>

#include "error.h"

struct output_file {
	FILE *out;
	char *path;      /* NULL: standard output */
	char *temporary; /* renamed to path when all is written; NULL when path is written directly */
};

/* path NULL or "-": standard output. What is no regular file (/dev/null, a FIFO) is written directly. */
struct cprof_error *output_file_open(const char *path, struct output_file *ret) CPROF_MUST_CHECK;
/* Writes the rest, and puts the file in its place. */
struct cprof_error *output_file_close(struct output_file *file) CPROF_MUST_CHECK;
/* Gives up: nothing of it remains. Does nothing after a close. */
void output_file_abandon(struct output_file *file);
/* Closes after a success (error is NULL), abandons after a failure, and returns what failed first. */
struct cprof_error *output_file_end(struct output_file *file, struct cprof_error *error) CPROF_MUST_CHECK;

#endif
