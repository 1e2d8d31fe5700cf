/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for what is large and used all over: the kernel is asked for pages of 2 MB, since hundreds of faults of 4 kB cost more than reading the events
 * they are for. Freed with free(). Not for what is small, or may stay empty.
 */
#ifndef CPROF_HUGE_ALLOC_H
#define CPROF_HUGE_ALLOC_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { HUGE_ALLOC_PAGE = 2 << 20, HUGE_ALLOC_LEAST = 2 << 20, HUGE_ALLOC_LINE = 64 };

/* Of memory from elsewhere, what is whole pages of 2 MB. A wish: nothing is lost where it is not granted. */
static inline void huge_advise(void *memory, size_t bytes)
{
	uintptr_t begin = ((uintptr_t)memory + HUGE_ALLOC_PAGE - 1) / HUGE_ALLOC_PAGE * HUGE_ALLOC_PAGE;
	uintptr_t end = ((uintptr_t)memory + bytes) / HUGE_ALLOC_PAGE * HUGE_ALLOC_PAGE;

	if (begin < end)
		(void)madvise((char *)memory + (begin - (uintptr_t)memory), end - begin, MADV_HUGEPAGE);
}

/* At the beginning of a cache line. NULL: no memory. */
static inline void *huge_alloc(size_t bytes)
{
	size_t align = bytes < HUGE_ALLOC_LEAST ? HUGE_ALLOC_LINE : HUGE_ALLOC_PAGE;
	void *memory;

	if (bytes > SIZE_MAX - HUGE_ALLOC_PAGE)
		return NULL;
	bytes = (bytes + align - 1) / align * align;
	memory = aligned_alloc(align, bytes);
	if (memory)
		huge_advise(memory, bytes);
	return memory;
}

#endif
