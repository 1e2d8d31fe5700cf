/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace file: chunks as LZ4 frames, one write each, and the index at the end (docs/trace-format.md section 2).
 *
 * Callers have blocked signals. Compression happens outside of the write lock; the lock is held for one write call by a thread that runs with
 * signals blocked and takes nothing else, so that waiting for it is what waiting for the file's own lock in the kernel would be.
 */
#ifndef CPROF_RT_WRITER_H
#define CPROF_RT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_format.h"

enum { RT_LZ4_STATE_BYTES = 16416 + 64 };

/* Scratch for one frame at a time; whoever writes owns one (rt_drain.c, rt_process.c). */
struct rt_frame_buffer {
	uint8_t *bytes;
	size_t capacity;
	uint64_t lz4_state[RT_LZ4_STATE_BYTES / 8];
};

/* Bytes of buffer that a frame with that payload may need. */
size_t rt_frame_buffer_bytes(size_t payload_bytes);

/*
 * Opens the trace for writing at rt_config.output, or beside it (".<pid>[.<n>]") where an active trace of the same run has that name. An older run's
 * trace is replaced; a file that is no trace is not. An exec takes session and generation from the trace of its earlier image. 0 or a negative errno after rt_fail() has said what.
 */
int rt_writer_open(bool beside, struct cprof_meta *meta);
const char *rt_writer_path(void);
/* Appends a chunk. header.payload_bytes, magic and version are filled in. false when recording has failed (said once). */
bool rt_writer_chunk(struct rt_frame_buffer *frame, const struct cprof_chunk_header *header, const void *payload, size_t payload_bytes);
bool rt_writer_index(void);
void rt_writer_close(void);
void rt_writer_remove(void); /* closes and unlinks: there is nothing worth keeping in it */
/* In a fork's child, at once: closes the descriptor, which shares the parent's lock. */
void rt_writer_drop_file(void);
/* In a fork's child: lets go of the parent's file without touching it. */
void rt_writer_forget(void);
uint64_t rt_writer_event_chunks(void);

#endif
