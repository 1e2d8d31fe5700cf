/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An opened file of which positions are read, never mapped: a file that shrinks under us must be an error, not a SIGBUS.
 */
#ifndef CPROF_TRACE_FILE_H
#define CPROF_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct trace_file {
	int fd;         /* -1: not open */
	char *path;     /* owned */
	uint64_t bytes; /* size when it was opened or last refreshed; nothing behind it is read */
};

#define TRACE_FILE_CLOSED { -1, NULL, 0 }

/* Regular files only. A file that does not exist is CPROF_ERROR_NOT_FOUND. */
struct cprof_error *trace_file_open(const char *path, struct trace_file *ret) CPROF_MUST_CHECK;
void trace_file_close(struct trace_file *file);
struct cprof_error *trace_file_refresh(struct trace_file *file) CPROF_MUST_CHECK;
/* Exactly so many bytes, which must be within file->bytes. */
struct cprof_error *trace_file_read(const struct trace_file *file, uint64_t offset, void *ret, size_t nr_bytes) CPROF_MUST_CHECK;
/* Somebody holds an open-file-description lock on it: its writer runs. */
bool trace_file_is_locked(const struct trace_file *file);

#endif
