/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live file of a process that was killed or still runs: its blocks, then its tables.
 *
 * The order matters when the process runs: blocks first, then (the caller) the trace, then the tables. A block that is drained meanwhile is then
 * in the trace, and every context that the trace names is in the tables.
 */
#ifndef CPROF_LIVE_FILE_H
#define CPROF_LIVE_FILE_H

#include "problems.h"
#include "table_set.h"
#include "trace_file.h"
#include "trace_format.h"

struct live_block {
	struct cprof_block_header header;
	uint64_t *words;    /* up to the last one that is not 0 */
	size_t nr_words;
	uint64_t offset, item_bytes; /* in the live file */
	bool told;          /* a problem says what was dropped from it */
};

struct live_file {
	struct trace_file file;
	struct cprof_live_header *header; /* as last read */
	struct live_block *blocks;        /* copies; in no order */
	size_t nr_blocks, blocks_capacity;
	uint64_t bytes_read;
	uint64_t torn_blocks;             /* changed hands while they were copied */
};

/* *exists is false when there is no file of that name. A file that is no live file is an error. Copies the blocks. */
struct cprof_error *live_file_open(const char *path, struct problems *problems, struct live_file *ret, bool *exists) CPROF_MUST_CHECK;
/* The same without the blocks, for who wants the tables of a process that runs. */
struct cprof_error *live_file_open_tables(const char *path, struct live_file *ret, bool *exists) CPROF_MUST_CHECK;
void live_file_close(struct live_file *live);
/* Reads the header again and adds what it says to the tables. */
struct cprof_error *live_file_read_tables(struct live_file *live, struct table_set *set) CPROF_MUST_CHECK;

#endif
