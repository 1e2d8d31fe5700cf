/* SPDX-License-Identifier: BSD-2-Clause */
/* Chunks of 64 KB or of the wanted size when that is larger; nothing is freed before arena_deinit(). */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
	struct arena_chunk *older;
	char data[];
};

void *must_grow(void *old, size_t bytes)
{
	void *new = realloc(old, bytes);

	if (!new) {
		fprintf(stderr, "logstat: out of memory\n");
		exit(1);
	}
	return new;
}

void *must_alloc(size_t bytes)
{
	return memset(must_grow(NULL, bytes), 0, bytes);
}

static void arena_add_chunk(struct arena *arena, size_t bytes)
{
	size_t size = bytes > 65536 ? bytes : 65536;
	struct arena_chunk *chunk = must_grow(NULL, sizeof(*chunk) + size);

	chunk->older = arena->newest;
	arena->newest = chunk;
	arena->used_bytes = 0;
	arena->size_bytes = size;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	void *result;

	bytes = (bytes + 15) & ~(size_t)15;
	if (!arena->newest || arena->size_bytes - arena->used_bytes < bytes)
		arena_add_chunk(arena, bytes);
	result = arena->newest->data + arena->used_bytes;
	arena->used_bytes += bytes;
	return memset(result, 0, bytes);
}

char *arena_copy(struct arena *arena, const char *text, size_t bytes)
{
	char *copy = arena_alloc(arena, bytes + 1);

	memcpy(copy, text, bytes);
	return copy;
}

void arena_deinit(struct arena *arena)
{
	while (arena->newest) {
		struct arena_chunk *older = arena->newest->older;

		free(arena->newest);
		arena->newest = older;
	}
}
