/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the chunks of a trace file are: from the index at its end, or by walking the frames and stepping over what is damaged.
 *
 * Reads headers only; a damaged payload shows when the chunk is loaded.
 */
#ifndef CPROF_CHUNK_LIST_H
#define CPROF_CHUNK_LIST_H

#include "frame.h"
#include "problems.h"

struct chunk_place {
	uint64_t offset, frame_bytes;
	uint64_t sequence, first_tsc, last_tsc;
	uint32_t thread;
	uint16_t kind;
	uint16_t version;        /* 0: not known, from the index */
};

struct chunk_list {
	struct chunk_place *places; /* in file order */
	size_t nr, capacity;
	uint64_t damaged_bytes;  /* in which no chunk was found */
	uint64_t cut_offset;     /* of a last frame that is not complete */
	uint64_t cut_bytes;      /* 0: there is none */
	bool from_index;
	bool index_seen;         /* an index frame is there, be it damaged */
};

/* What is wrong goes to problems, but for an incomplete last frame: whether that is one depends on who wrote it. */
struct cprof_error *chunk_list_make(const struct trace_file *file, struct problems *problems, struct chunk_list *ret) CPROF_MUST_CHECK;
void chunk_list_deinit(struct chunk_list *list);

/* Only what the index says: *valid is false when there is none or it is damaged. */
struct cprof_error *chunk_list_read_index(const struct trace_file *file, struct chunk_list *ret, bool *valid) CPROF_MUST_CHECK;

#endif
