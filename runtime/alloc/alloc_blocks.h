/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which blocks are alive, and whose they are: size and context of each, found by its address alone.
 *
 * Not a hash table but a shadow of the address space: one word for every place at which a block can start. Finding it is two loads, no probing and no
 * collision; nothing is ever moved or locked; neighbours in memory are neighbours in the shadow. A block has one owner at a time - between malloc's
 * return and free's call - so a plain store suffices, provided that the word is emptied *before* the block is given back. The shadow exists where
 * there are blocks: 8 bytes for every 16 (for allocators that align to 8: for every 8) of heap that small blocks fill.
 */
#ifndef CPROF_ALLOC_BLOCKS_H
#define CPROF_ALLOC_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ALLOC_LEAF_BITS = 26, /* a leaf covers 64 MB */
	ALLOC_ADDRESS_BITS = 47,
	ALLOC_CONTEXT_BITS = 30,
	ALLOC_SIZE_BITS = 33,
};
#define ALLOC_LEAVES          (1ull << (ALLOC_ADDRESS_BITS - ALLOC_LEAF_BITS))
#define ALLOC_CONTEXT_MAX     ((1u << ALLOC_CONTEXT_BITS) - 2)
#define ALLOC_CONTEXT_PENDING ((1u << ALLOC_CONTEXT_BITS) - 1) /* of a forked child that has not begun to record */

/* A word: valid:1 | context:30 | size:33. A block of 8 GB and more has all ones there and its size in the word behind its own. */
#define ALLOC_BLOCK_VALID (1ull << 63)
#define ALLOC_SIZE_LARGE  ((1ull << ALLOC_SIZE_BITS) - 1)

struct alloc_blocks {
	uint64_t **leaves; /* ALLOC_LEAVES of them; kept in a forked child, where each is empty */
	uint32_t shift;    /* log2 of the alignment that every block has */
};

struct alloc_block {
	bool known;
	uint32_t context;
	uint64_t bytes;
};

extern struct alloc_blocks alloc_blocks __attribute__((visibility("hidden")));

/* alignment: what the host's allocator gives every block, 8 or 16. false: no memory. */
bool alloc_blocks_create(uint32_t alignment);
/* Nobody knows any block any more. */
void alloc_blocks_forget(void);
/* The word of an address, its leaf made if need be. NULL: no block that we can follow. */
uint64_t *alloc_blocks_word_make(uint64_t address);
bool alloc_blocks_put_large(uint64_t address, uint32_t context, uint64_t bytes);
uint64_t alloc_blocks_large_bytes(uint64_t address);

static inline uint64_t *alloc_blocks_word(uint64_t address)
{
	uint64_t index = address >> ALLOC_LEAF_BITS;

	if (__builtin_expect(index >= ALLOC_LEAVES, 0))
		return NULL;
	uint64_t *leaf = __atomic_load_n(&alloc_blocks.leaves[index], __ATOMIC_ACQUIRE);
	if (__builtin_expect(!leaf, 0))
		return NULL;
	return &leaf[(address & ((1ull << ALLOC_LEAF_BITS) - 1)) >> alloc_blocks.shift];
}

/* A block has been made. false: it cannot be followed. */
static inline bool alloc_blocks_put(uint64_t address, uint32_t context, uint64_t bytes)
{
	uint64_t *word = alloc_blocks_word(address);

	if (__builtin_expect(!word, 0) || __builtin_expect(address & ((1u << alloc_blocks.shift) - 1), 0)) {
		word = alloc_blocks_word_make(address);
		if (!word)
			return false;
	}
	if (__builtin_expect(bytes >= ALLOC_SIZE_LARGE, 0))
		return alloc_blocks_put_large(address, context, bytes);
	__atomic_store_n(word, ALLOC_BLOCK_VALID | (uint64_t)context << ALLOC_SIZE_BITS | bytes, __ATOMIC_RELAXED);
	return true;
}

/* A block is about to be given back: nobody knows it from here on. */
static inline struct alloc_block alloc_blocks_take(uint64_t address)
{
	uint64_t *word = alloc_blocks_word(address);
	uint64_t value = word && !(address & ((1u << alloc_blocks.shift) - 1)) ? __atomic_load_n(word, __ATOMIC_RELAXED) : 0;

	if (!(value & ALLOC_BLOCK_VALID)) /* never seen: made before us, in the parent, or no start of a block */
		return (struct alloc_block){ 0 };
	struct alloc_block block = { true, (uint32_t)(value >> ALLOC_SIZE_BITS) & ((1u << ALLOC_CONTEXT_BITS) - 1),
				     value & ALLOC_SIZE_LARGE };
	if (__builtin_expect(block.bytes == ALLOC_SIZE_LARGE, 0))
		block.bytes = alloc_blocks_large_bytes(address);
	__atomic_store_n(word, 0, __ATOMIC_RELAXED);
	return block;
}

#endif
