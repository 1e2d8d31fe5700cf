/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The allocator that the program would have without us: libc's, or that of a library behind us (jemalloc, tcmalloc).
 *
 * Found at the first call, whoever makes it. What is allocated while we are looking - dlsym may do it - comes from a small arena of our own, and so does
 * what other threads ask for in that moment.
 */
#ifndef CPROF_ALLOC_NEXT_H
#define CPROF_ALLOC_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct alloc_next {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
};

extern struct alloc_next alloc_next __attribute__((visibility("hidden")));

/* Does nothing the second time. errno is kept. */
void alloc_next_resolve(void);

/* Is it from our own arena? Such blocks are never given back. */
extern char alloc_next_arena[] __attribute__((visibility("hidden")));
enum { ALLOC_ARENA_BYTES = 1 << 16 };
static inline bool alloc_next_is_ours(const void *pointer)
{
	return (uintptr_t)pointer - (uintptr_t)alloc_next_arena < ALLOC_ARENA_BYTES;
}
size_t alloc_next_arena_bytes(const void *pointer); /* of a block in it */

#endif
