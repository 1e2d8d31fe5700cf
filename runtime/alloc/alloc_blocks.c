/* SPDX-License-Identifier: BSD-2-Clause */
#include "alloc_blocks.h"

#include <stddef.h>
#include <sys/mman.h>

#include "alloc_pool.h"
#include "rt_sys.h"

struct alloc_blocks alloc_blocks;

bool alloc_blocks_create(uint32_t alignment)
{
	uint64_t **leaves = alloc_pool_reserve_kept(ALLOC_LEAVES * sizeof *leaves);

	if (!leaves)
		return false;
	alloc_blocks.shift = alignment >= 16 ? 4 : 3;
	alloc_blocks.leaves = leaves;
	return true;
}

static uint64_t leaf_bytes(void)
{
	return (sizeof(uint64_t) << ALLOC_LEAF_BITS) >> alloc_blocks.shift;
}

void alloc_blocks_forget(void)
{
	for (uint64_t i = 0; i < ALLOC_LEAVES; i++)
		if (alloc_blocks.leaves[i])
			rt_sys(SYS_madvise, alloc_blocks.leaves[i], leaf_bytes(), MADV_DONTNEED);
}

uint64_t *alloc_blocks_word_make(uint64_t address)
{
	uint64_t bytes = leaf_bytes();
	uint64_t index = address >> ALLOC_LEAF_BITS, *none = NULL;

	if (index >= ALLOC_LEAVES || address & ((1u << alloc_blocks.shift) - 1))
		return NULL;
	if (!__atomic_load_n(&alloc_blocks.leaves[index], __ATOMIC_ACQUIRE)) {
		uint64_t *leaf = alloc_pool_reserve(bytes);

		if (!leaf)
			return NULL;
		if (!__atomic_compare_exchange_n(&alloc_blocks.leaves[index], &none, leaf, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE))
			alloc_pool_release(leaf, bytes);
	}
	return alloc_blocks_word(address);
}

/* The word behind a block's own is the block's, too: it is far longer than 16 bytes. */
static uint64_t second_address(uint64_t address)
{
	return address + (1u << alloc_blocks.shift);
}

bool alloc_blocks_put_large(uint64_t address, uint32_t context, uint64_t bytes)
{
	uint64_t *second = alloc_blocks_word_make(second_address(address));
	uint64_t *word = alloc_blocks_word(address);

	if (!second || !word)
		return false;
	__atomic_store_n(second, bytes & ~ALLOC_BLOCK_VALID, __ATOMIC_RELAXED);
	__atomic_store_n(word, ALLOC_BLOCK_VALID | (uint64_t)context << ALLOC_SIZE_BITS | ALLOC_SIZE_LARGE, __ATOMIC_RELAXED);
	return true;
}

uint64_t alloc_blocks_large_bytes(uint64_t address)
{
	uint64_t *second = alloc_blocks_word(second_address(address)), bytes;

	if (!second)
		return ALLOC_SIZE_LARGE;
	bytes = __atomic_load_n(second, __ATOMIC_RELAXED);
	__atomic_store_n(second, 0, __ATOMIC_RELAXED);
	return bytes;
}
