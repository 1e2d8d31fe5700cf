/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a trace file chunk by chunk and closes it with an index: for `recover`. The runtime has its own (and shares no code with this one).
 *
 * The file appears under its name when it is complete, or not at all.
 */
#ifndef CPROF_CHUNK_WRITER_H
#define CPROF_CHUNK_WRITER_H

#include <stdio.h>

#include "bytes.h"
#include "error.h"
#include "trace_format.h"

struct chunk_writer {
	char *path, *temporary_path;
	FILE *file;                /* NULL: not open, or renamed */
	uint64_t offset;
	struct bytes entries;      /* struct cprof_index_entry */
	struct bytes content, packed;
};

struct cprof_error *chunk_writer_open(const char *path, struct chunk_writer *ret) CPROF_MUST_CHECK;
void chunk_writer_close(struct chunk_writer *writer); /* without chunk_writer_finish(): as if nothing had been written */

/* payload_bytes at most CPROF_CHUNK_MAX_PAYLOAD; magic, version and lengths of the header are filled in. */
struct cprof_error *chunk_writer_add(struct chunk_writer *writer, const struct cprof_chunk_header *header, const void *payload, size_t payload_bytes)
	CPROF_MUST_CHECK;
/* A frame as it is in another trace. */
struct cprof_error *chunk_writer_copy(struct chunk_writer *writer, const struct cprof_chunk_header *header, const void *frame, size_t frame_bytes)
	CPROF_MUST_CHECK;
/* The index; the data on the disk; the name. */
struct cprof_error *chunk_writer_finish(struct chunk_writer *writer) CPROF_MUST_CHECK;

#endif
