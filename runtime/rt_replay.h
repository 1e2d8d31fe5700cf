/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns a block of events into the columns of an EVENTS chunk, following the thread's open calls with their start times.
 */
#ifndef CPROF_RT_REPLAY_H
#define CPROF_RT_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_format.h"

struct rt_open {        /* an open call as the drain sees it */
	uint64_t start_tsc;
	uint32_t id;
	uint32_t reserved;
};

struct rt_replay {      /* per thread; guarded by rt_thread.draining */
	_Atomic uint64_t next_sequence; /* others look at it */
	uint64_t last_tsc;
	uint64_t events;        /* enters and exits so far */
	uint64_t steps_back;
	uint64_t repaired;
	struct rt_open *open;   /* open[0 .. depth) */
	uint32_t depth;
	uint32_t capacity;
};

/* Payload of a chunk, in the caller's buffer. */
struct rt_columns {
	struct cprof_chunk_header header;
	uint8_t *payload;
	size_t payload_bytes;
};

/* Bytes of buffer that rt_replay_encode() may need for items events at depth depth. */
uint64_t rt_replay_buffer_bytes(uint32_t items, uint32_t depth);

/*
 * Encodes events[0 .. items). A 0 event (its writer was interrupted and has not come back) is settled by its neighbours and
 * depth_after, the calls open after them (negative: not known).
 * buffer must have rt_replay_buffer_bytes(). false when there is no memory for the open calls; then nothing has changed.
 */
bool rt_replay_encode(struct rt_replay *replay, const struct cprof_block_header *block, const uint64_t *events, uint32_t items, int64_t depth_after,
		      uint8_t *buffer, struct rt_columns *ret);

#endif
