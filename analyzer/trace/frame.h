/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One LZ4 frame of a trace: exactly the form of docs/trace-format.md section 2, parsed from untrusted bytes.
 *
 * Own code instead of LZ4F: the chunk header must be read without decompressing, a payload is one block and decompresses straight to where it is used.
 */
#ifndef CPROF_FRAME_H
#define CPROF_FRAME_H

#include "trace_file.h"
#include "trace_format.h"

enum frame_status {
	FRAME_OK,
	FRAME_SKIPPABLE, /* not a chunk: an index, or something of another program */
	FRAME_CUT,       /* a valid start that runs over the end of the file; "frame" is set if its header is complete */
	FRAME_BAD,
};

struct frame {
	uint64_t offset, frame_bytes;
	struct cprof_chunk_header header; /* as in the file; frame_bytes, payload_bytes and magic agree with each other */
	uint32_t block_bytes;             /* of the payload as it is in the file */
	bool stored;                      /* payload is not compressed */
};

struct frame_buffer {
	uint8_t *packed, *content; /* a frame; a chunk header and its payload */
	size_t packed_capacity, content_capacity;
};
void frame_buffer_deinit(struct frame_buffer *buffer);

/* Reads the start of the frame at offset and checks everything that is in it. Not the payload. *why is set for FRAME_BAD. */
struct cprof_error *frame_probe(const struct trace_file *file, uint64_t offset, enum frame_status *status, struct frame *ret, const char **why)
	CPROF_MUST_CHECK;

/*
 * Reads and verifies all of the frame and decompresses it. *why is NULL when it is sound; else it says what is wrong, and nothing else is set.
 * The content checksum is verified when "thorough": every byte that is used is covered by a block checksum already, and hashing what was decompressed
 * is a fifth of the container's cost (0.11 of 0.53 ns per event on fib).
 */
struct cprof_error *frame_load(const struct trace_file *file, uint64_t offset, uint64_t frame_bytes, bool thorough, struct frame_buffer *buffer,
			       struct frame *ret, const uint8_t **payload, const char **why) CPROF_MUST_CHECK;

/* XXH32 with seed 0, as LZ4 frames and the index use it. */
bool frame_hash_matches(const void *data, size_t nr_bytes, uint32_t expected);

#endif
