/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram_store.h"

#include <stdbool.h>
#include <string.h>

#include "huge_alloc.h"

enum { FIRST_BLOCK = 64 << 10, LARGEST_BLOCK = 4 << 20 }; /* bytes */

struct histogram_block { /* its first line */
	struct histogram_block *next;
};

static bool block_add(struct histogram_store *store, size_t bytes)
{
	size_t block_bytes = !store->blocks ? FIRST_BLOCK : store->block_bytes < LARGEST_BLOCK ? store->block_bytes * 2 : LARGEST_BLOCK;
	struct histogram_block *block = huge_alloc(block_bytes);

	if (!block)
		return false;
	block->next = store->blocks;
	store->blocks = block;
	store->block_bytes = block_bytes;
	store->next = (char *)block + HISTOGRAM_STORE_LINE;
	store->end = (char *)block + block_bytes;
	return (size_t)(store->end - store->next) >= bytes;
}

void *histogram_store_alloc(struct histogram_store *store, size_t lines)
{
	size_t bytes = lines * HISTOGRAM_STORE_LINE;
	void *memory = store->released[lines];

	if (memory) {
		memcpy(&store->released[lines], memory, sizeof memory);
		return memory;
	}
	if ((size_t)(store->end - store->next) < bytes && !block_add(store, bytes))
		return NULL;
	memory = store->next;
	store->next += bytes;
	return memory;
}

void histogram_store_release(struct histogram_store *store, void *memory, size_t lines)
{
	memcpy(memory, &store->released[lines], sizeof(void *));
	store->released[lines] = memory;
}

void histogram_store_deinit(struct histogram_store *store)
{
	while (store->blocks) {
		struct histogram_block *next = store->blocks->next;

		free(store->blocks);
		store->blocks = next;
	}
	*store = (struct histogram_store){ 0 };
}
