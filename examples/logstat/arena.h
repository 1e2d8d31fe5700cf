/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that is given back all at once: strings and records of one shard of the log.
 *
 *     chunk <- chunk <- chunk (newest)
 *                       [ used ........ | free ... ]
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *newest;
	size_t used_bytes, size_bytes; /* of the newest chunk */
};

void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_copy(struct arena *arena, const char *text, size_t bytes); /* NUL-terminated */
void arena_deinit(struct arena *arena);

/* For everything that lives longer than a shard. Both end the program when memory is out. */
void *must_alloc(size_t bytes);
void *must_grow(void *old, size_t bytes);

#endif
