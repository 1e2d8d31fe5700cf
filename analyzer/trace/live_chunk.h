/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live block in the form of an EVENTS chunk: 8-byte words to columns, times to 64 bits, and the events that were never finished put back
 * where their neighbours prove what they were.
 */
#ifndef CPROF_LIVE_CHUNK_H
#define CPROF_LIVE_CHUNK_H

#include "bytes.h"
#include "call_stack.h"
#include "live_file.h"

struct live_chunk {
	struct bytes closed, ids, times;
	uint64_t restored;  /* unfinished events put back */
	uint64_t dropped;   /* unfinished events of which it is not known what they were */
};
void live_chunk_deinit(struct live_chunk *chunk);

/*
 * stack: what is open at the block's start, with the depth that its header says; afterwards what is open at its end. last_tsc: time of the
 * thread's last event before, or 0. *ret points into chunk.
 */
struct cprof_error *live_chunk_make(struct live_chunk *chunk, const struct live_block *block, const struct trace_tables *tables, uint64_t last_tsc,
				    struct call_stack *stack, struct events_chunk *ret) CPROF_MUST_CHECK;
/* The latest time that the block says, 0: none. */
uint64_t live_block_last_tsc(const struct live_block *block);

#endif
