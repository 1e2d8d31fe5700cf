/* SPDX-License-Identifier: BSD-2-Clause */
/* Open addressing over pointers into blocks that never move. Nothing is freed singly. */
#include "string_pool.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, FIRST_SLOTS = 1024 };

struct block {
	struct block *next;
	size_t used_bytes, capacity_bytes;
	char text[];
};

struct slot {
	const char *text; /* NULL: free */
	uint64_t hash;
};

struct string_pool {
	struct block *blocks; /* the one being filled first */
	struct slot *slots;
	size_t nr_slots; /* a power of two, at least twice nr_used */
	size_t nr_used;
};

struct cprof_error *string_pool_create(struct string_pool **ret)
{
	struct string_pool *pool = calloc(1, sizeof *pool);

	if (!pool)
		return &cprof_enomem;
	pool->nr_slots = FIRST_SLOTS;
	pool->slots = calloc(pool->nr_slots, sizeof *pool->slots);
	if (!pool->slots) {
		free(pool);
		return &cprof_enomem;
	}
	*ret = pool;
	return NULL;
}

void string_pool_destroy(struct string_pool *pool)
{
	if (!pool)
		return;
	for (struct block *block = pool->blocks, *next; block; block = next) {
		next = block->next;
		free(block);
	}
	free(pool->slots);
	free(pool);
}

static uint64_t text_hash(const char *text, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, folded once more at the end: its low bits are weak */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

static struct slot *slot_find(struct slot *slots, size_t nr_slots, uint64_t hash, const char *text, size_t length)
{
	for (size_t i = hash & (nr_slots - 1);; i = (i + 1) & (nr_slots - 1)) {
		struct slot *slot = &slots[i];

		if (!slot->text || (slot->hash == hash && strncmp(slot->text, text, length) == 0 && slot->text[length] == '\0'))
			return slot;
	}
}

static bool slots_grow(struct string_pool *pool)
{
	size_t nr_slots = pool->nr_slots * 2;
	struct slot *slots = calloc(nr_slots, sizeof *slots);

	if (!slots)
		return false;
	for (size_t i = 0; i < pool->nr_slots; i++) {
		const struct slot *old = &pool->slots[i];

		if (!old->text)
			continue;
		size_t at = old->hash & (nr_slots - 1);
		while (slots[at].text)
			at = (at + 1) & (nr_slots - 1);
		slots[at] = *old;
	}
	free(pool->slots);
	pool->slots = slots;
	pool->nr_slots = nr_slots;
	return true;
}

static char *text_store(struct string_pool *pool, const char *text, size_t length)
{
	struct block *block = pool->blocks;

	if (!block || block->capacity_bytes - block->used_bytes <= length) {
		size_t capacity_bytes = length + 1 > BLOCK_BYTES ? length + 1 : BLOCK_BYTES;

		block = malloc(sizeof *block + capacity_bytes);
		if (!block)
			return NULL;
		*block = (struct block) { .next = pool->blocks, .capacity_bytes = capacity_bytes };
		pool->blocks = block;
	}
	char *copy = block->text + block->used_bytes;
	memcpy(copy, text, length);
	copy[length] = '\0';
	block->used_bytes += length + 1;
	return copy;
}

struct cprof_error *string_pool_add(struct string_pool *pool, const char *text, const char **ret)
{
	size_t length = strnlen(text, STRING_POOL_TEXT_BYTES);
	uint64_t hash = text_hash(text, length);
	struct slot *slot = slot_find(pool->slots, pool->nr_slots, hash, text, length);

	if (!slot->text) {
		if ((pool->nr_used + 1) * 2 > pool->nr_slots) {
			if (!slots_grow(pool))
				return &cprof_enomem;
			slot = slot_find(pool->slots, pool->nr_slots, hash, text, length);
		}
		const char *copy = text_store(pool, text, length);
		if (!copy)
			return &cprof_enomem;
		*slot = (struct slot) { copy, hash };
		pool->nr_used++;
	}
	*ret = slot->text;
	return NULL;
}

struct cprof_error *string_pool_format(struct string_pool *pool, const char **ret, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return &cprof_enomem;
	struct cprof_error *error = string_pool_add(pool, text, ret);
	free(text);
	return error;
}
