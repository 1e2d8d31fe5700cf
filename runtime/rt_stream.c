/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_stream.h"

#include <sys/mman.h>
#include <time.h>

#include "rt_clock.h"
#include "rt_config.h"
#include "rt_drain.h"
#include "rt_live.h"
#include "rt_process.h"
#include "rt_status.h"
#include "rt_sys.h"

enum {
	STACK_FIRST = 1 << 17,        /* open calls; address space only */
	DISCARD_EVENTS = 8192,
	FAST_FILL_NS = 50000000,      /* a small block filled faster than this, or a tiny one so much faster: large ones from then on */
	WAIT_STEP_NS = 200000,
};

#ifndef MADV_KEEPONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif

#define WAIT_MOST_NS UINT64_C(10000000000)

static uint64_t discarded[DISCARD_EVENTS]; /* where events go that found no block: counted, never read */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void rt_stream_put(struct rt_tls *tls, uint64_t event)
{
	if (rt_state_next(tls) >= tls->thread->real_end)
		rt_stream_block_change(tls->thread);
	uint32_t next = rt_state_next(tls);

	rt_state_set(tls, rt_state_depth(tls), next + 1);
	__atomic_store_n(&tls->events[next], event, __ATOMIC_RELAXED);
	tls->thread->lost_escapes += tls->thread->discarding; /* of our own making, not an event of the program */
}

void rt_stream_escape(struct rt_tls *tls, enum cprof_escape kind, uint32_t payload)
{
	rt_stream_put(tls, (uint64_t)payload << 32 | (CPROF_ESCAPE_FIRST + kind));
}

static void block_install(struct rt_thread *thread, struct rt_block *block)
{
	struct rt_tls *tls = thread->tls;
	uint32_t next = rt_state_next(tls);

	if (next >= RT_STATE_REBASE_AT) {
		/* A hook that we interrupted has an older `next` and so fails to commit, as it must. */
		next = 1;
		rt_state_set(tls, rt_state_depth(tls), next);
	}
	thread->block = block;
	thread->first_next = next;
	if (block) {
		struct cprof_block_header *header = block->header;

		header->strand = 0;
		header->tsc_high = tls->clock_high;
		header->sequence = atomic_load(&thread->sequence);
		header->depth = thread->apart ? thread->told_depth : rt_state_depth(tls);
		header->context = thread->apart ? thread->told_context : tls->stack[rt_state_depth(tls)].context;
		__atomic_store_n(&header->thread, thread->index, __ATOMIC_RELEASE); /* last: without it a reader takes no notice of the block */
		atomic_store(&thread->sequence, header->sequence + 1);
		thread->record->blocks = header->sequence + 1;
		tls->events = block->events - next;
		thread->real_end = next + block->capacity;
	} else {
		tls->events = discarded - next;
		thread->real_end = next + DISCARD_EVENTS;
	}
	thread->discarding = !block;
	tls->end = thread->real_end;
}

void rt_stream_rebase(struct rt_thread *thread, struct rt_tls *tls, uint32_t used)
{
	uint32_t next = rt_state_next(tls);

	if (!thread->block) { /* none yet, or events are being discarded */
		thread->first_next = next;
		tls->events = discarded - next;
		thread->real_end = thread->discarding ? next + DISCARD_EVENTS : 0;
	} else {
		thread->first_next = next - used;
		tls->events = thread->block->events + used - next;
		thread->real_end = next + (thread->block->capacity - used);
	}
	tls->end = thread->real_end;
}

void rt_stream_stack_wipe(struct rt_thread *thread, bool wipe)
{
	if (wipe && !rt_process_knows_children()) /* one that could not tell what it is would wait for its stack for ever */
		return;
	/* A strand that was suspended may go on, and grow, meanwhile: the length of the old one fits into the new. */
	uint64_t capacity = __atomic_load_n(&thread->stack_capacity, __ATOMIC_ACQUIRE);
	struct rt_entry *stack = __atomic_load_n(&thread->stack, __ATOMIC_RELAXED);

	if (capacity && thread->stack_wiped != wipe && !rt_sys(SYS_madvise, stack, capacity * sizeof *stack, wipe ? MADV_WIPEONFORK : MADV_KEEPONFORK))
		thread->stack_wiped = wipe;
}

/* A stack entry is written before its event: after this, a whole block of enters fits. */
bool rt_stream_stack_reserve(struct rt_thread *thread, uint32_t events)
{
	struct rt_tls *tls = thread->tls;
	uint64_t wanted = (uint64_t)rt_state_depth(tls) + events + 64;
	uint64_t capacity = thread->stack_capacity ? thread->stack_capacity : STACK_FIRST;

	if (wanted <= thread->stack_capacity)
		return true;
	while (capacity < wanted)
		capacity *= 2;
	if (capacity > UINT32_MAX)
		return false;
	struct rt_entry *bigger = rt_memory_reserve(capacity * sizeof *bigger);
	if (!bigger)
		return false;
	if (thread->stack) {
		__builtin_memcpy(bigger, thread->stack, ((size_t)rt_state_depth(tls) + 1) * sizeof *bigger);
		/* Not released: a hook that we interrupted may still write its entry there; it then fails to commit (see block_change). */
	} else {
		bigger[0] = (struct rt_entry){ .frame = UINT64_MAX };
	}
	thread->stack_wiped = false;
	thread->stack = tls->stack = bigger;
	__atomic_store_n(&thread->stack_capacity, (uint32_t)capacity, __ATOMIC_RELEASE);
	rt_stream_stack_wipe(thread, !thread->fork_pending);
	return true;
}

void rt_stream_hand_over(struct rt_thread *thread, uint32_t items)
{
	struct rt_block *block = thread->block;

	if (!block)
		return;
	block->items = items;
	thread->block = NULL;
	__atomic_store_n(&block->header->state, CPROF_BLOCK_FULL, __ATOMIC_RELEASE);
	atomic_store_explicit(&thread->pending[block->header->sequence % RT_PENDING], block, memory_order_release);
}

/* Counts what the thread has discarded up to now. */
void rt_stream_lost_count(struct rt_thread *thread)
{
	uint32_t next = rt_state_next(thread->tls);

	thread->lost_events += next - thread->first_next - thread->lost_escapes;
	thread->record->lost_events = thread->lost_events;
	thread->first_next = next;
	thread->lost_escapes = 0;
}

/* All blocks that can wait to be drained do. */
static bool ring_is_full(struct rt_thread *thread)
{
	return atomic_load(&thread->pending[atomic_load(&thread->sequence) % RT_PENDING]);
}

/*
 * Only who began to drain our blocks can go on with them, and a busy machine may leave it without a processor for long: we make events faster than
 * it gets its turn. Signals are blocked and it needs nothing of ours, so it comes to its end; the bound is for what nobody thought of.
 */
static void ring_wait(struct rt_thread *thread)
{
	uint64_t started_ns = now_ns();

	while (ring_is_full(thread) && !rt_is_off() && now_ns() - started_ns < WAIT_MOST_NS) {
		struct timespec pause = { 0, WAIT_STEP_NS };

		if (!rt_drain_thread_blocks(thread, false))
			rt_sys(SYS_nanosleep, &pause, NULL);
	}
}

/* A free block, drained by ourselves if need be. NULL: this thread must count what it loses. */
static struct rt_block *block_get(struct rt_thread *thread, enum rt_block_size size)
{
	struct rt_block *block = ring_is_full(thread) ? NULL : rt_blocks_take(size, false);

	if (block || rt_config.drop_when_full)
		return block;
	if (rt_drain_thread_blocks(thread, false) || rt_drain_any(false)) {
		block = rt_blocks_take(size, false);
		if (block)
			return block;
	}
	/* Everything is being drained by others this moment: a little more than CPROF_BUFFER rather than a loss. */
	ring_wait(thread);
	block = ring_is_full(thread) ? NULL : rt_blocks_take(size, true);
	if (!block)
		rt_warn("get", "space for events", rt_live.error, "some are lost, and counted");
	return block;
}

/* Calls open now, as events of a new beginning: timed from here, not counted. */
void rt_stream_inherit(struct rt_tls *tls, uint64_t ticks)
{
	struct rt_thread *thread = tls->thread;
	uint32_t depth = rt_state_depth(tls);

	thread->apart = true;
	thread->told_depth = thread->told_context = 0;
	if ((uint32_t)(ticks >> 32) != tls->clock_high) {
		tls->clock_high = (uint32_t)(ticks >> 32);
		rt_stream_escape(tls, CPROF_ESCAPE_CLOCK, tls->clock_high);
	}
	rt_stream_escape(tls, CPROF_ESCAPE_INHERIT, depth);
	while (!thread->discarding && thread->told_depth < depth) { /* if no block is to be had here, the next one begins anew */
		const struct rt_entry *entry = &tls->stack[thread->told_depth + 1];

		rt_stream_put(tls, ticks << 32 | entry->id);
		thread->told_depth++;
		thread->told_context = entry->context;
	}
	thread->apart = thread->discarding;
}

/* What went by while there was no block, at the start of one. */
static void loss_put(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;
	uint64_t lost = thread->lost_events - thread->lost_told;

	thread->lost_told = thread->lost_events;
	rt_stream_escape(tls, CPROF_ESCAPE_LOST, lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX);
	rt_stream_inherit(tls, rt_clock_ticks());
}

/* false: recording is over; events go where nobody reads them. */
bool rt_stream_block_change(struct rt_thread *thread)
{
	struct rt_tls *tls = thread->tls;
	bool was_full = thread->block, was_discarding = thread->discarding;
	uint64_t now = now_ns();
	enum rt_block_size size = RT_BLOCK_LARGE;
	struct rt_block *block;

	if (was_discarding)
		rt_stream_lost_count(thread);
	rt_stream_hand_over(thread, rt_state_next(tls) - thread->first_next);
	if (was_full)
		rt_drain_wake();
	if (!thread->blocks_filled)
		size = RT_BLOCK_TINY;
	else if (thread->blocks_filled == 1 && now - thread->filled_at_ns >= FAST_FILL_NS / (RT_BLOCK_SMALL_BYTES / RT_BLOCK_TINY_BYTES))
		size = RT_BLOCK_SMALL;
	thread->filled_at_ns = now;
	thread->blocks_filled++;
	block = block_get(thread, size);
	struct rt_entry *stack_before = tls->stack;

	if (rt_is_off() || !rt_stream_stack_reserve(thread, block ? block->capacity : DISCARD_EVENTS)) {
		if (!rt_is_off())
			rt_fail("get memory for the open calls of a thread", NULL, 12, "recording ends here");
		if (block)
			rt_blocks_give(block, 0);
		block_install(thread, NULL);
		return false;
	}
	if (stack_before && stack_before != tls->stack) /* an interrupted hook, whose entry is on the old stack, must fail to commit */
		rt_state_set(tls, rt_state_depth(tls), rt_state_next(tls) + 1);
	if (!block && !thread->apart) {
		thread->apart = true;
		thread->told_depth = rt_state_depth(tls);
		thread->told_context = tls->stack[rt_state_depth(tls)].context;
	}
	block_install(thread, block);
	if (block && was_discarding)
		loss_put(tls);
	return !rt_is_off();
}
