/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc_pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "rt_sys.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

enum { REGION_BYTES = 1 << 20, PIECE_ALIGN = 64 };

static struct {
	_Atomic uint32_t taken; /* one thread takes a piece; it runs with signals blocked and waits for nothing */
	uint8_t *at;
	uint64_t left;
} pool;

static uint64_t budget_bytes, reserved_bytes;

void alloc_pool_open(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	rt_sys(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit);
	budget_bytes = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur / 8;
}

void *alloc_pool_reserve_kept(uint64_t bytes)
{
	uint8_t *memory = NULL;

	if (__atomic_add_fetch(&reserved_bytes, bytes, __ATOMIC_RELAXED) <= budget_bytes)
		memory = rt_memory_reserve(bytes);
	if (!memory) {
		__atomic_sub_fetch(&reserved_bytes, bytes, __ATOMIC_RELAXED);
		return NULL;
	}
	return memory;
}

void *alloc_pool_reserve(uint64_t bytes)
{
	uint8_t *memory = alloc_pool_reserve_kept(bytes);

	if (!memory)
		return NULL;
	rt_sys(SYS_madvise, memory, bytes, MADV_NOHUGEPAGE); /* touched here and there: a huge page for each would be a lot */
	if (rt_sys(SYS_madvise, memory, bytes, MADV_WIPEONFORK)) {
		alloc_pool_release(memory, bytes);
		return NULL;
	}
	return memory;
}

void alloc_pool_release(void *memory, uint64_t bytes)
{
	rt_memory_release(memory, bytes);
	__atomic_sub_fetch(&reserved_bytes, bytes, __ATOMIC_RELAXED);
}

void *alloc_pool_take(uint32_t bytes)
{
	uint32_t no = 0;
	void *piece = NULL;

	bytes = (bytes + PIECE_ALIGN - 1) & ~(uint32_t)(PIECE_ALIGN - 1);
	while (!atomic_compare_exchange_strong(&pool.taken, &no, 1)) {
		no = 0;
		rt_yield();
	}
	if (pool.left < bytes) {
		pool.at = alloc_pool_reserve(REGION_BYTES);
		pool.left = pool.at ? REGION_BYTES : 0;
	}
	if (pool.left >= bytes) {
		piece = pool.at;
		pool.at += bytes;
		pool.left -= bytes;
	}
	atomic_store(&pool.taken, 0);
	return piece;
}

void alloc_pool_reset(void)
{
	pool.left = 0; /* perhaps another thread of the parent's was just at it */
	atomic_store(&pool.taken, 0);
}
