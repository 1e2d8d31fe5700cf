/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one error object of cprof's own programs. NULL is success.
 *
 * Owned by the receiver: pass it up or cprof_error_free() it (NULL is fine). &cprof_enomem is static: no memory is needed to
 * report that there is none, and freeing it does nothing. Outputs of a function that returns an error are untouched.
 * Only main prints errors and chooses the exit status. Never used in the runtime.
 */
#ifndef CPROF_ERROR_H
#define CPROF_ERROR_H

#include <stdint.h>

enum cprof_error_code {
	CPROF_ERROR_NO_MEMORY = 1,
	CPROF_ERROR_OS,          /* a system call failed; os_errno says how */
	CPROF_ERROR_FORMAT,      /* input is not what it should be; path and offset say where */
	CPROF_ERROR_UNSUPPORTED, /* input is of a kind or version this program does not know */
	CPROF_ERROR_NOT_FOUND,   /* an expected miss */
	CPROF_ERROR_USAGE,       /* the command line; exit status 2 */
};

#define CPROF_NO_OFFSET UINT64_MAX

struct cprof_error {
	enum cprof_error_code code;
	int os_errno;    /* 0 unless code is CPROF_ERROR_OS */
	uint64_t offset; /* bytes into path, or CPROF_NO_OFFSET */
	char *path;      /* or NULL */
	char *message;   /* one line, no final stop or newline; says what happened and, where possible, what to do */
};

#define CPROF_MUST_CHECK __attribute__((warn_unused_result))
#define CPROF_PRINTF(text, first) __attribute__((format(printf, text, first)))

extern struct cprof_error cprof_enomem;

struct cprof_error *cprof_error_create(enum cprof_error_code code, const char *format, ...) CPROF_MUST_CHECK CPROF_PRINTF(2, 3);
/* An error about a place in a file. offset may be CPROF_NO_OFFSET. path is copied. */
struct cprof_error *cprof_error_at(enum cprof_error_code code, const char *path, uint64_t offset, const char *format, ...)
	CPROF_MUST_CHECK CPROF_PRINTF(4, 5);
/* A failed system call on path (may be NULL); os_errno is the errno it left; "what" is a verb: "open", "read". */
struct cprof_error *cprof_error_os(int os_errno, const char *path, const char *what) CPROF_MUST_CHECK;
void cprof_error_free(struct cprof_error *error);

/* "path: offset 0x1f40: message: No such file" as a new string, or a static one when there is no memory for it (do not free: use
 * cprof_error_print() unless the text is needed). */
void cprof_error_print(const struct cprof_error *error, const char *program); /* one line on stderr */

#endif
