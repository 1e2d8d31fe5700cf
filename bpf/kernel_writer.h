/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes trace.bpf.lz4: the container of docs/trace-format.md section 2, a frame per chunk and one write per frame.
 *
 * Records are collected by kind and go out as a chunk when there are many, or with kernel_writer_flush(): what was flushed is in the file even if
 * cprof-record is killed. After a failed write nothing more is written: the file stays readable up to there.
 */
#ifndef CPROF_KERNEL_WRITER_H
#define CPROF_KERNEL_WRITER_H

#include "bytes.h"
#include "error.h"
#include "trace_format.h"

enum { KERNEL_WRITER_KINDS = CPROF_CHUNK_KERNEL_FAULTS + 1 };

struct kernel_writer {
	char *path;
	int fd;                    /* -1: none */
	struct bytes pending[KERNEL_WRITER_KINDS];
	uint64_t window_start_ns;
	uint64_t offset, records;
	struct bytes entries;      /* struct cprof_index_entry */
	struct bytes frame;
	struct cprof_error *failed; /* the first write that failed */
};

/* An older trace at path is replaced, anything else is not. */
struct cprof_error *kernel_writer_open(const char *path, struct kernel_writer *ret) CPROF_MUST_CHECK;
void kernel_writer_deinit(struct kernel_writer *writer);

/* A record of a KERNEL_* kind; variable ones with their tail. */
void kernel_writer_add(struct kernel_writer *writer, uint32_t kind, const void *record, size_t bytes);
/* A chunk of its own, at most CPROF_CHUNK_MAX_PAYLOAD bytes; magic, version, lengths are filled in. */
void kernel_writer_chunk(struct kernel_writer *writer, const struct cprof_chunk_header *header, const void *payload, size_t bytes);
void kernel_writer_flush(struct kernel_writer *writer, uint64_t now_ns);
/* Flushes and adds the index. Returns the first failure of all. */
struct cprof_error *kernel_writer_finish(struct kernel_writer *writer, uint64_t now_ns) CPROF_MUST_CHECK;

/* "trace.lz4" -> "trace.bpf.lz4"; a new string, NULL: no memory. */
char *kernel_writer_path_of(const char *trace_path);

#endif
