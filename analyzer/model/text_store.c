/* SPDX-License-Identifier: BSD-2-Clause */
#include "text_store.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { BLOCK_BYTES = 256 << 10 };

struct text_store_block {
	struct text_store_block *next;
	max_align_t data[];
};

void text_store_deinit(struct text_store *store)
{
	while (store->blocks) {
		struct text_store_block *next = store->blocks->next;

		free(store->blocks);
		store->blocks = next;
	}
	number_map_deinit(&store->texts);
	free(store->text_of);
	*store = (struct text_store){ 0 };
}

void *text_store_alloc(struct text_store *store, size_t bytes)
{
	bytes = (bytes + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
	if (!store->blocks || store->block_bytes - store->used_bytes < bytes) {
		size_t block_bytes = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
		struct text_store_block *block = calloc(1, sizeof *block + block_bytes);

		if (!block)
			return NULL;
		block->next = store->blocks;
		store->blocks = block;
		store->block_bytes = block_bytes;
		store->used_bytes = 0;
	}
	void *memory = (char *)store->blocks->data + store->used_bytes;
	store->used_bytes += bytes;
	return memory;
}

static struct cprof_error *text_append(struct text_store *store, const char *text, size_t bytes)
{
	if (store->nr_texts == store->texts_capacity) {
		size_t capacity = store->texts_capacity ? store->texts_capacity * 2 : 64;
		const char **grown = realloc(store->text_of, capacity * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		store->text_of = grown;
		store->texts_capacity = capacity;
	}
	char *copy = text_store_alloc(store, bytes + 1);
	if (!copy)
		return &cprof_enomem;
	memcpy(copy, text, bytes);
	store->text_of[store->nr_texts++] = copy;
	return NULL;
}

struct cprof_error *text_store_add(struct text_store *store, const char *text, const char **ret)
{
	size_t bytes = strlen(text);
	XXH128_hash_t hash = XXH3_128bits(text, bytes);
	struct number_key key = { hash.low64, hash.high64, bytes };
	uint32_t number = number_map_find(&store->texts, key);

	if (number == NUMBER_MAP_NONE) {
		struct cprof_error *error = text_append(store, text, bytes);

		if (error)
			return error;
		number = (uint32_t)(store->nr_texts - 1);
		error = number_map_add(&store->texts, key, number);
		if (error)
			return error;
	}
	*ret = store->text_of[number];
	return NULL;
}
