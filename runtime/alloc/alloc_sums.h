/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each context allocated and freed, and the peaks.
 *
 * Every thread adds to rows of its own (struct cprof_alloc_row, one per context that it met), so that threads never write to the same line: a block that one
 * thread makes and another frees is a call in the first one's row and a freed call in the second one's, of the same context. Sums over rows are exact. A
 * thread's rows stay when it ends and the next thread goes on with them.
 *
 * Peaks need what is alive in all threads together. While the process has a single thread they are followed block by block: exact. Afterwards a thread
 * tells the others about a change when it has grown to ALLOC_PEAK_QUANTUM bytes, for each context and for the whole: peaks are then within that for
 * each thread, and marked so (CPROF_ALLOC_PEAK_ROUGH). "Alive when the process had most" needs no sweep at a new peak: the peak has a number,
 * and a row that changes for the first time since first notes what it held.
 */
#ifndef CPROF_ALLOC_SUMS_H
#define CPROF_ALLOC_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc_blocks.h"
#include "kernel_format.h"
#include "slots.h"

enum {
	ALLOC_CHUNK_BITS = 12,
	ALLOC_CHUNKS = 1 << (ALLOC_CONTEXT_BITS - ALLOC_CHUNK_BITS),
	ALLOC_SHARDS_MAX = 1 << 14,
	ALLOC_PEAK_QUANTUM = 4096
};

/* Of one context, for all threads. */
struct alloc_cell {
	int64_t live, peak;
	uint64_t failed;
	uint64_t reserved;
};

struct alloc_seat {
	struct cprof_alloc_row *row; /* of this shard; set last */
	struct alloc_cell *cell;
};

/* What one thread adds to. */
struct alloc_shard {
	uint32_t owner; /* tid; 0: free */
	int32_t delta;  /* change of live bytes that `alloc_peaks` does not know yet */
	uint32_t moved; /* generation in which its rows were put into the live file */
	uint32_t reserved;
	struct alloc_seat *seats[ALLOC_CHUNKS];
};

struct alloc_peaks {
	int64_t live, peak;
	uint32_t number;  /* of the peak */
	uint32_t several; /* there has been a second thread */
};

struct alloc_tls {
	uint32_t seen;             /* alloc_state.generation when shard was last right */
	uint32_t in_call;          /* its last fork was inside a recorded call */
	uint32_t forking;          /* that fork has begun; the child has not been put right */
	uint32_t forked;           /* that fork made this process, which has not begun to record */
	struct alloc_shard *shard; /* NULL: this thread counts nothing */
	uint64_t last;             /* the block it allocated last */
	uint64_t allocations;      /* counted ones */
};

struct alloc_state {
	uint32_t generation; /* moves when any thread must look at what follows again; 0: nobody has looked */
	uint32_t on;
	int64_t slot_offset; /* alloc_interface.h; 0: no context is known */
};

extern struct alloc_peaks alloc_peaks __attribute__((visibility("hidden"), aligned(64)));
extern struct alloc_state alloc_state __attribute__((visibility("hidden"), aligned(64)));
extern __thread struct alloc_tls alloc_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern char __libc_single_threaded __attribute__((weak)); /* glibc 2.32 */

void alloc_sums_watch_threads(void);
/* Recording has started, in a call of that context. Signals blocked, as in what follows. */
void alloc_sums_started(uint32_t context);
/* In a forked child: nothing has been allocated. */
void alloc_sums_forked(void);
bool alloc_sums_collect(bool (*put)(const struct cprof_alloc *records, uint32_t count), uint32_t most);
uint64_t alloc_sums_untracked_count(void);

/* Slow paths. */
struct alloc_shard *alloc_sums_attach(struct alloc_tls *tls);                         /* NULL: nothing is to be counted */
struct alloc_seat *alloc_sums_seat_make(struct alloc_shard *shard, uint32_t context); /* NULL: no memory */
uint32_t alloc_sums_context_unknown(const struct alloc_tls *tls);
void alloc_sums_change_shared(struct alloc_shard *shard, const struct alloc_seat *seat, int64_t bytes);
void alloc_sums_untracked(void);
void alloc_sums_failed(void);

static inline uint32_t alloc_sums_context(const struct alloc_tls *tls)
{
	int64_t offset = alloc_state.slot_offset;
	const volatile struct cprof_slot *slot;

	if (__builtin_expect(!offset, 0))
		return alloc_sums_context_unknown(tls);
#if defined(__x86_64__)
	__asm__ volatile("movq %%fs:(%1), %0" : "=r"(slot) : "r"(offset));
#else
	slot = *(const volatile struct cprof_slot *volatile *)((char *)__builtin_thread_pointer() + offset);
#endif
	return slot ? slot->context : 0;
}

static inline struct alloc_seat *alloc_sums_seat(struct alloc_shard *shard, uint32_t context)
{
	struct alloc_seat *chunk;

	if (__builtin_expect(context > ALLOC_CONTEXT_PENDING, 0))
		return NULL;
	chunk = shard->seats[context >> ALLOC_CHUNK_BITS];
	if (__builtin_expect(!chunk, 0))
		return alloc_sums_seat_make(shard, context);
	struct alloc_seat *seat = &chunk[context & ((1u << ALLOC_CHUNK_BITS) - 1)];
	return __builtin_expect(seat->row != NULL, 1) ? seat : alloc_sums_seat_make(shard, context);
}

static inline int64_t alloc_row_live(const struct cprof_alloc_row *row)
{
	return (int64_t)(row->bytes - row->freed_bytes);
}

/* Before row changes. */
static inline void alloc_row_note_peak(struct cprof_alloc_row *row, int64_t live)
{
	uint32_t number = alloc_peaks.number;

	if (row->peak_number != number) {
		row->at_peak = live;
		row->peak_number = number;
	}
}

static inline bool alloc_is_single(void)
{
	return &__libc_single_threaded && __libc_single_threaded && !alloc_peaks.several;
}

static inline struct alloc_shard *alloc_sums_shard(struct alloc_tls *tls)
{
	if (__builtin_expect(tls->seen != alloc_state.generation || !tls->seen, 0))
		return alloc_sums_attach(tls);
	return tls->shard;
}

/* The host's allocator has given out a block. */
static inline void alloc_sums_allocated(void *pointer, uint64_t bytes)
{
	struct alloc_tls *tls = &alloc_tls;
	struct alloc_shard *shard = alloc_sums_shard(tls);

	if (__builtin_expect(!shard, 0))
		return;
	uint32_t context = alloc_sums_context(tls);
	struct alloc_seat *seat = alloc_sums_seat(shard, context);
	if (__builtin_expect(!seat || !alloc_blocks_put((uintptr_t)pointer, context, bytes), 0)) {
		alloc_sums_untracked();
		return;
	}
	struct cprof_alloc_row *row = seat->row;
	tls->last = (uintptr_t)pointer;
	tls->allocations++;
	alloc_row_note_peak(row, alloc_row_live(row));
	row->calls++;
	row->bytes += bytes;
	if (__builtin_expect(!alloc_is_single(), 0)) {
		alloc_sums_change_shared(shard, seat, (int64_t)bytes);
		return;
	}
	struct alloc_cell *cell = seat->cell;
	cell->live += (int64_t)bytes;
	if (cell->live > cell->peak)
		cell->peak = cell->live;
	alloc_peaks.live += (int64_t)bytes;
	if (alloc_peaks.live > alloc_peaks.peak) {
		alloc_peaks.peak = alloc_peaks.live;
		row->peak_number = ++alloc_peaks.number;
		row->at_peak = alloc_row_live(row);
	}
}

/* A block of that context has been given back, or is just about to be. at_once: nothing was allocated by this thread since. */
static inline void alloc_sums_freed(const struct alloc_block *block, bool at_once)
{
	struct alloc_shard *shard = alloc_sums_shard(&alloc_tls);
	struct alloc_seat *seat = shard ? alloc_sums_seat(shard, block->context) : NULL;

	if (__builtin_expect(!seat, 0)) {
		if (shard)
			alloc_sums_untracked();
		return;
	}
	struct cprof_alloc_row *row = seat->row;
	alloc_row_note_peak(row, alloc_row_live(row));
	row->freed_calls++;
	row->freed_bytes += block->bytes;
	row->temporary_calls += at_once;
	if (__builtin_expect(!alloc_is_single(), 0)) {
		alloc_sums_change_shared(shard, seat, -(int64_t)block->bytes);
		return;
	}
	seat->cell->live -= (int64_t)block->bytes;
	alloc_peaks.live -= (int64_t)block->bytes;
}

/* Nobody knows the block from here on; sums are as before. Empty when nothing is counted. */
static inline struct alloc_block alloc_sums_block_take(void *pointer)
{
	if (__builtin_expect(!alloc_sums_shard(&alloc_tls), 0))
		return (struct alloc_block){ 0 };
	return alloc_blocks_take((uintptr_t)pointer);
}

/* free(): the whole of it. Before the host's allocator gets the block. */
static inline void alloc_sums_free(void *pointer)
{
	struct alloc_block block = alloc_sums_block_take(pointer);

	if (!block.known)
		return;
	bool at_once = alloc_tls.last == (uintptr_t)pointer;
	if (at_once)
		alloc_tls.last = 0;
	alloc_sums_freed(&block, at_once);
}

#endif
