/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which trace files make a session: what a command's operands, files or folders, stand for. Looks at the beginning of files only; session_open() reads them.
 *
 * Files are of one session when META says so. One whose META cannot be read, or that names no session, is taken as it is given and never found by itself.
 */
#ifndef CPROF_SESSION_FILES_H
#define CPROF_SESSION_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct session_files {
	char **paths;      /* to be read, each process image once */
	size_t nr_paths;
	char **others;     /* of the same session, beside them, but not to be read */
	size_t nr_others;
};

enum session_extent {
	SESSION_GIVEN, /* the operands; others are found, but not read */
	SESSION_ALL,   /* the operands and all others of their session that lie beside them */
	SESSION_ONLY,  /* the operands; others are not looked for */
};

/* Files of several sessions, or two of the same process image, are an error that names them: their times and calls would be added up wrongly. */
struct cprof_error *session_files_find(const char *const *operands, size_t nr_operands, enum session_extent extent, struct session_files *ret) CPROF_MUST_CHECK;
/* The same without the question which session they are of: folders are their traces. */
struct cprof_error *session_files_list(const char *const *operands, size_t nr_operands, struct session_files *ret) CPROF_MUST_CHECK;
void session_files_deinit(struct session_files *files);

#endif
