/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_blocks.h"

#include <stddef.h>

#include "rt_config.h"
#include "rt_live.h"
#include "rt_sys.h"

enum { MAX_BLOCKS = 1 << 15, SLAB_FIRST_BYTES = 128 << 10, SLAB_MOST_BYTES = 8 << 20 };

/* One pool per size. Descriptors are written by the one thread that grows the pool, then made visible by `count`. */
struct pool {
	uint32_t block_bytes;
	struct rt_block *blocks;   /* MAX_BLOCKS descriptors, reserved */
	_Atomic uint32_t count;
	_Atomic uint32_t growing;
	_Atomic uint32_t hint;     /* where to look next */
	uint64_t slab_bytes;
};

enum { POOLS = RT_BLOCK_LARGE + 1 };

static struct pool pools[POOLS] = { { .block_bytes = RT_BLOCK_TINY_BYTES }, { .block_bytes = RT_BLOCK_SMALL_BYTES }, { .block_bytes = RT_BLOCK_LARGE_BYTES } };
static _Atomic uint64_t bytes_in_use;

void rt_blocks_reset(void)
{
	for (int i = 0; i < POOLS; i++) {
		atomic_store(&pools[i].count, 0);
		atomic_store(&pools[i].growing, 0);
		atomic_store(&pools[i].hint, 0);
		pools[i].slab_bytes = 0;
	}
	atomic_store(&bytes_in_use, 0);
}

static bool block_claim(struct rt_block *block)
{
	uint32_t free_state = CPROF_BLOCK_FREE;

	return __atomic_compare_exchange_n(&block->header->state, &free_state, CPROF_BLOCK_OWNED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static struct rt_block *pool_find(struct pool *pool)
{
	uint32_t count = atomic_load_explicit(&pool->count, memory_order_acquire);
	uint32_t start = atomic_load_explicit(&pool->hint, memory_order_relaxed);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = start + i < count ? start + i : start + i - count;

		if (at < count && __atomic_load_n(&pool->blocks[at].header->state, __ATOMIC_RELAXED) == CPROF_BLOCK_FREE &&
		    block_claim(&pool->blocks[at])) {
			atomic_store_explicit(&pool->hint, at, memory_order_relaxed);
			return &pool->blocks[at];
		}
	}
	return NULL;
}

/* Adds a slab of blocks; slabs double. The caller holds `growing`. */
static bool pool_grow(struct pool *pool, bool beyond_limit)
{
	uint64_t bytes = pool->slab_bytes ? pool->slab_bytes * 2 : SLAB_FIRST_BYTES;
	uint32_t count = atomic_load(&pool->count);

	if (bytes < pool->block_bytes)
		bytes = pool->block_bytes;
	if (bytes > SLAB_MOST_BYTES)
		bytes = SLAB_MOST_BYTES;
	if (atomic_load(&bytes_in_use) + bytes > rt_config.buffer_bytes) {
		if (!beyond_limit && count)
			return false;
		bytes = pool->block_bytes;
	}
	if (count + bytes / pool->block_bytes > MAX_BLOCKS)
		return false;
	if (!pool->blocks)
		pool->blocks = rt_memory_reserve(MAX_BLOCKS * sizeof *pool->blocks);
	if (!pool->blocks)
		return false;
	uint8_t *memory = rt_live_extend_blocks(bytes, pool->block_bytes);
	if (!memory)
		return false;
	for (uint64_t at = 0; at < bytes; at += pool->block_bytes, count++) {
		struct cprof_block_header *header = (void *)(memory + at);

		pool->blocks[count] = (struct rt_block){ .header = header,
							 .events = (uint64_t *)(header + 1),
							 .capacity = (uint32_t)((pool->block_bytes - sizeof *header) / sizeof(uint64_t)) };
		header->capacity = pool->blocks[count].capacity;
		header->thread = CPROF_NO_THREAD;
	}
	pool->slab_bytes = bytes;
	atomic_fetch_add(&bytes_in_use, bytes);
	atomic_store_explicit(&pool->count, count, memory_order_release);
	return true;
}

struct rt_block *rt_blocks_take(enum rt_block_size size, bool beyond_limit)
{
	struct pool *pool = &pools[size];

	for (;;) {
		struct rt_block *block = pool_find(pool);
		uint32_t no = 0;

		if (block)
			return block;
		if (atomic_compare_exchange_strong(&pool->growing, &no, 1)) {
			bool grown = pool_grow(pool, beyond_limit);

			atomic_store(&pool->growing, 0);
			if (!grown)
				return NULL;
		} else {
			rt_yield(); /* who grows runs with signals blocked and takes no lock */
		}
	}
}

void rt_blocks_give(struct rt_block *block, uint32_t items)
{
	__builtin_memset(block->events, 0, (size_t)items * sizeof *block->events);
	block->header->thread = CPROF_NO_THREAD; /* until the next owner has filled the header in */
	__atomic_store_n(&block->header->state, CPROF_BLOCK_FREE, __ATOMIC_RELEASE);
}
