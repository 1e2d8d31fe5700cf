/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The C functions that the interposer stands before. Each does what the host's own does, returns what that returned, and counts it.
 *
 * A block is known from the moment the host's allocator has returned it until just before that gets it back. Where the host's function is made of
 * others that come through here again (reallocarray calls realloc), the inner one has counted; the outer one sees that by the thread's own count.
 * errno is the host allocator's.
 */
#include <errno.h>
#include <string.h>

#include "alloc_next.h"
#include "alloc_sums.h"

#ifdef ALLOC_STATIC
#define WRAP(name) __wrap_##name
#else
#define WRAP(name) name
#endif
#define EXPORT __attribute__((visibility("default")))
#define unlikely(x) __builtin_expect(!!(x), 0)

EXPORT void *WRAP(malloc)(size_t bytes);
EXPORT void *WRAP(calloc)(size_t count, size_t bytes);
EXPORT void *WRAP(realloc)(void *old, size_t bytes);
EXPORT void *WRAP(reallocarray)(void *old, size_t count, size_t bytes);
EXPORT void WRAP(free)(void *block);
EXPORT void *WRAP(memalign)(size_t alignment, size_t bytes);
EXPORT void *WRAP(aligned_alloc)(size_t alignment, size_t bytes);
EXPORT int WRAP(posix_memalign)(void **ret, size_t alignment, size_t bytes);
EXPORT void *WRAP(valloc)(size_t bytes);
EXPORT void *WRAP(pvalloc)(size_t bytes);

static inline uint64_t counted(void)
{
	return alloc_tls.allocations;
}

/* What a function of the host returned that was asked for bytes; before: counted() before the call. */
static inline void *given(void *block, uint64_t bytes, uint64_t before)
{
	if (unlikely(!block)) {
		if (bytes)
			alloc_sums_failed();
	} else if (counted() == before && !alloc_next_is_ours(block)) {
		alloc_sums_allocated(block, bytes);
	}
	return block;
}

void *WRAP(malloc)(size_t bytes)
{
	return given(alloc_next.malloc(bytes), bytes, counted());
}

void *WRAP(calloc)(size_t count, size_t bytes)
{
	uint64_t before = counted(), all;
	void *block = alloc_next.calloc(count, bytes);

	if (__builtin_mul_overflow(count, bytes, &all))
		all = UINT64_MAX; /* the host has refused */
	return given(block, all, before);
}

static void *realloc_arena(void *old, size_t bytes)
{
	size_t kept = alloc_next_arena_bytes(old);
	uint64_t before = counted();
	void *block = given(alloc_next.malloc(bytes), bytes, before);

	return block ? memcpy(block, old, kept < bytes ? kept : bytes) : NULL;
}

static void *reallocate(void *old, size_t bytes)
{
	if (unlikely(alloc_next_is_ours(old)))
		return realloc_arena(old, bytes);
	/* Unknown before the call: inside, another thread may get its address. */
	struct alloc_block block = old ? alloc_sums_block_take(old) : (struct alloc_block){ 0 };
	uint64_t before = counted();
	void *new = alloc_next.realloc(old, bytes);

	if (unlikely(!new && bytes)) { /* the old block is as it was */
		if (block.known && !alloc_blocks_put((uintptr_t)old, block.context, block.bytes))
			alloc_sums_untracked();
		alloc_sums_failed();
		return NULL;
	}
	if (block.known)
		alloc_sums_freed(&block, false);
	return given(new, bytes, before);
}

void *WRAP(realloc)(void *old, size_t bytes)
{
	return reallocate(old, bytes);
}

void *WRAP(reallocarray)(void *old, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		alloc_sums_failed();
		errno = ENOMEM;
		return NULL;
	}
	return reallocate(old, all);
}

void WRAP(free)(void *block)
{
	if (unlikely(alloc_next_is_ours(block)))
		return;
	if (block)
		alloc_sums_free(block);
	alloc_next.free(block);
}

void *WRAP(memalign)(size_t alignment, size_t bytes)
{
	uint64_t before = counted();

	return given(alloc_next.memalign(alignment, bytes), bytes, before);
}

void *WRAP(aligned_alloc)(size_t alignment, size_t bytes)
{
	uint64_t before = counted();

	return given(alloc_next.aligned_alloc(alignment, bytes), bytes, before);
}

int WRAP(posix_memalign)(void **ret, size_t alignment, size_t bytes)
{
	uint64_t before = counted();
	int error = alloc_next.posix_memalign(ret, alignment, bytes);

	if (!error)
		given(*ret, bytes, before);
	else if (error == ENOMEM)
		alloc_sums_failed();
	return error;
}

void *WRAP(valloc)(size_t bytes)
{
	uint64_t before = counted();

	return given(alloc_next.valloc(bytes), bytes, before);
}

void *WRAP(pvalloc)(size_t bytes)
{
	uint64_t before = counted();

	return given(alloc_next.pvalloc(bytes), bytes, before);
}
