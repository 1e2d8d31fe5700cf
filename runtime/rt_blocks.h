/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event blocks: fixed pieces of the live file that go round between the thread that fills and whoever drains.
 *
 * FREE -> OWNED (rt_blocks_take) -> FULL (handed over) -> DRAINING -> FREE (rt_blocks_give, zeroed). A block that an interrupted hook may still
 * write into is RETIRED and never reused.
 */
#ifndef CPROF_RT_BLOCKS_H
#define CPROF_RT_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace_format.h"

enum rt_block_size { RT_BLOCK_TINY, RT_BLOCK_SMALL, RT_BLOCK_LARGE }; /* a strand's first block is tiny: many never need another */
enum { RT_BLOCK_TINY_BYTES = 4 << 10, RT_BLOCK_SMALL_BYTES = 64 << 10, RT_BLOCK_LARGE_BYTES = 512 << 10 };

struct rt_block {
	struct cprof_block_header *header; /* in the live file; header->state is the state */
	uint64_t *events;
	uint32_t capacity;  /* events */
	uint32_t items;     /* written when handed over */
	uint32_t closes;    /* open calls at its start that it may close: bounds the closed column */
};

/* A zeroed block in state OWNED. beyond_limit: take it even if CPROF_BUFFER is used up. NULL: none. Async-signal-safe, signals blocked. */
struct rt_block *rt_blocks_take(enum rt_block_size size, bool beyond_limit);
/* Back to FREE. items: how much of it was written. */
void rt_blocks_give(struct rt_block *block, uint32_t items);
void rt_blocks_reset(void); /* in a fork's child */

#endif
