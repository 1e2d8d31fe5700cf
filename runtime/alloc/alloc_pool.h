/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of the interposer: straight from the kernel, never given back, and empty again in a forked child.
 *
 * MADV_WIPEONFORK does the last: a child owns none of its parent's blocks and sums, and cannot reach a row of its parent's live file, not even
 * where fork handlers do not run (_Fork, clone).
 */
#ifndef CPROF_ALLOC_POOL_H
#define CPROF_ALLOC_POOL_H

#include <stdint.h>

/* Once, before all else. Where the address space is limited (RLIMIT_AS) we take an eighth of it at most: the rest is the host's. */
void alloc_pool_open(void);
/* Whole pages, zeroed, charged when touched. NULL: no memory. */
void *alloc_pool_reserve(uint64_t bytes);
void *alloc_pool_reserve_kept(uint64_t bytes); /* a forked child keeps its own copy of it */
void alloc_pool_release(void *memory, uint64_t bytes);
/* A piece of at most 64 KB, zeroed, aligned to 64 bytes. Signals are blocked. NULL: no memory. */
void *alloc_pool_take(uint32_t bytes);
void alloc_pool_reset(void); /* in a forked child */

#endif
