/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_thread.h"

#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "rt_clock.h"
#include "rt_commit.h"
#include "rt_config.h"
#include "rt_contexts.h"
#include "rt_drain.h"
#include "rt_live.h"
#include "rt_process.h"
#include "rt_stackframe.h"
#include "rt_status.h"
#include "rt_sys.h"

enum {
	STACK_FIRST = 1 << 17,        /* open calls; address space only */
	SLAB_THREADS = 256,
	DISCARD_EVENTS = 8192,
	REBASE_AT = 1u << 31,         /* next may not come near 2^32 */
	FAST_FILL_NS = 50000000,      /* a small block filled faster than this: large ones from then on */
	KEYS_WITHOUT_MALLOC = 32,     /* glibc keeps the values of the first keys in the thread itself */
};

#ifdef CPROF_TEST_TSAN /* ThreadSanitizer's own destructor takes the last round, and no sanitized code may run after it */
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS - 1 };
#else
enum { LAST_ROUND = PTHREAD_DESTRUCTOR_ITERATIONS };
#endif

__thread struct rt_tls rt_tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

static struct rt_thread *slabs[RT_THREADS_MAX / SLAB_THREADS]; /* of slots; made when their first is used */
static _Atomic uint32_t threads_used;   /* slots ever used */
static _Atomic uint32_t threads_making;
static _Atomic uint32_t next_index;     /* thread index of the trace */
static _Atomic uint64_t events_of_reused; /* drained events of threads whose slot has gone to another */
static uint64_t discarded[DISCARD_EVENTS]; /* where events go that found no block: counted, never read */
static pthread_key_t end_key;
static _Atomic uint32_t end_key_state;  /* 0 none, 1 made, 2 not usable */

struct rt_thread *rt_thread_at(uint32_t slot)
{
	return slot < atomic_load_explicit(&threads_used, memory_order_acquire) ? &slabs[slot / SLAB_THREADS][slot % SLAB_THREADS] : NULL;
}

uint64_t rt_threads_events(void)
{
	uint64_t events = atomic_load(&events_of_reused);
	struct rt_thread *thread;

	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++)
		events += thread->replay.events;
	return events;
}

void rt_threads_reset(void)
{
	atomic_store(&events_of_reused, 0);
	atomic_store(&threads_used, 0);
	atomic_store(&threads_making, 0);
	atomic_store(&next_index, 0);
	for (uint32_t i = 0; i < RT_THREADS_MAX / SLAB_THREADS; i++) {
		rt_memory_release(slabs[i], SLAB_THREADS * sizeof *slabs[i]);
		slabs[i] = NULL;
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t state_next(const struct rt_tls *tls)
{
	return (uint32_t)tls->state;
}

static uint32_t state_depth(const struct rt_tls *tls)
{
	return (uint32_t)(tls->state >> 32);
}

/* Signals are blocked and this is the owner: a plain store will do. */
static void state_set(struct rt_tls *tls, uint32_t depth, uint32_t next)
{
	tls->state = (uint64_t)depth << 32 | next;
}

static bool block_change(struct rt_thread *thread);

static void event_put(struct rt_tls *tls, uint64_t event)
{
	if (state_next(tls) >= tls->thread->real_end)
		block_change(tls->thread);
	uint32_t next = state_next(tls);

	state_set(tls, state_depth(tls), next + 1);
	__atomic_store_n(&tls->events[next], event, __ATOMIC_RELAXED);
	tls->thread->lost_escapes += tls->thread->discarding; /* of our own making, not an event of the program */
}

static void escape_put(struct rt_tls *tls, enum cprof_escape kind, uint32_t payload)
{
	event_put(tls, (uint64_t)payload << 32 | (CPROF_ESCAPE_FIRST + kind));
}

/* --- blocks ----------------------------------------------------------------------------------------------------------------- */

static void block_install(struct rt_thread *thread, struct rt_block *block)
{
	struct rt_tls *tls = thread->tls;
	uint32_t next = state_next(tls);

	if (next >= REBASE_AT) {
		/* A hook that we interrupted has an older `next` and so fails to commit, as it must. */
		next = 1;
		state_set(tls, state_depth(tls), next);
	}
	thread->block = block;
	thread->first_next = next;
	if (block) {
		struct cprof_block_header *header = block->header;

		header->strand = 0;
		header->tsc_high = tls->clock_high;
		header->sequence = atomic_load(&thread->sequence);
		header->depth = thread->apart ? thread->told_depth : state_depth(tls);
		header->context = thread->apart ? thread->told_context : tls->stack[state_depth(tls)].context;
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

/* A stack entry is written before its event: after this, a whole block of enters fits. */
static bool stack_reserve(struct rt_thread *thread, uint32_t events)
{
	struct rt_tls *tls = thread->tls;
	uint64_t wanted = (uint64_t)state_depth(tls) + events + 64;
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
		__builtin_memcpy(bigger, thread->stack, ((size_t)state_depth(tls) + 1) * sizeof *bigger);
		/* Not released: a hook that we interrupted may still write its entry there; it then fails to commit (see block_change). */
	} else {
		bigger[0] = (struct rt_entry){ .frame = UINT64_MAX };
	}
	thread->stack = tls->stack = bigger;
	thread->stack_capacity = (uint32_t)capacity;
	return true;
}

/* Of the calling thread; it may have been changed since its first call. */
static void thread_name_read(struct cprof_thread *record)
{
	char name[17] = "";

	rt_sys(SYS_prctl, PR_GET_NAME, name);
	__builtin_memcpy(record->name, name, sizeof record->name);
}

static void hand_over(struct rt_thread *thread, uint32_t items)
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
static void lost_count(struct rt_thread *thread)
{
	uint32_t next = state_next(thread->tls);

	thread->lost_events += next - thread->first_next - thread->lost_escapes;
	thread->record->lost_events = thread->lost_events;
	thread->first_next = next;
	thread->lost_escapes = 0;
}

/* Keeps a thread that somebody else looks at from going away. false: it is gone. Signals blocked, for a few instructions. */
static bool hold(struct rt_thread *thread)
{
	uint32_t alive = RT_ALIVE;

	return atomic_compare_exchange_strong(&thread->alive, &alive, RT_HELD);
}

static void release(struct rt_thread *thread)
{
	atomic_store(&thread->alive, RT_ALIVE);
}

static void lost_count_at_end(struct rt_thread *thread)
{
	if (!thread->discarding || !hold(thread))
		return;
	lost_count(thread);
	release(thread);
}

/* The thread may be running still, or its TLS be gone: the block alone tells how far it got. */
void rt_thread_hand_over_at_end(struct rt_thread *thread)
{
	struct rt_block *block = thread->block;
	uint32_t items = block ? block->capacity : 0;

	if (thread->tid == (uint32_t)rt_sys(SYS_gettid))
		thread_name_read(thread->record);
	lost_count_at_end(thread);
	while (items && !__atomic_load_n(&block->events[items - 1], __ATOMIC_ACQUIRE))
		items--;
	hand_over(thread, items);
}

/* A free block, drained by ourselves if need be. NULL: this thread must count what it loses. */
static struct rt_block *block_get(struct rt_thread *thread, bool large)
{
	bool ring_full = atomic_load(&thread->pending[atomic_load(&thread->sequence) % RT_PENDING]) != NULL;
	struct rt_block *block = ring_full ? NULL : rt_blocks_take(large, false);

	if (block || rt_config.drop_when_full)
		return block;
	if (rt_drain_thread_blocks(thread, false) || rt_drain_any(false)) {
		block = rt_blocks_take(large, false);
		if (block)
			return block;
	}
	/* Everything is being drained by others this moment: a little more than CPROF_BUFFER rather than a loss. */
	block = atomic_load(&thread->pending[atomic_load(&thread->sequence) % RT_PENDING]) ? NULL : rt_blocks_take(large, true);
	if (!block)
		rt_warn("get", "space for events", rt_live.error, "some are lost, and counted");
	return block;
}

/* Calls open now, as events of a new beginning: timed from here, not counted. */
static void inherit_put(struct rt_tls *tls, uint64_t ticks)
{
	struct rt_thread *thread = tls->thread;
	uint32_t depth = state_depth(tls);

	thread->apart = true;
	thread->told_depth = thread->told_context = 0;
	if ((uint32_t)(ticks >> 32) != tls->clock_high) {
		tls->clock_high = (uint32_t)(ticks >> 32);
		escape_put(tls, CPROF_ESCAPE_CLOCK, tls->clock_high);
	}
	escape_put(tls, CPROF_ESCAPE_INHERIT, depth);
	while (!thread->discarding && thread->told_depth < depth) { /* if no block is to be had here, the next one begins anew */
		const struct rt_entry *entry = &tls->stack[thread->told_depth + 1];

		event_put(tls, ticks << 32 | entry->id);
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
	escape_put(tls, CPROF_ESCAPE_LOST, lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX);
	inherit_put(tls, rt_clock_ticks());
}

/* false: recording is over; events go where nobody reads them. */
static bool block_change(struct rt_thread *thread)
{
	struct rt_tls *tls = thread->tls;
	bool was_full = thread->block, was_discarding = thread->discarding;
	uint64_t now = now_ns();
	bool large;
	struct rt_block *block;

	if (was_discarding)
		lost_count(thread);
	hand_over(thread, state_next(tls) - thread->first_next);
	if (was_full)
		rt_drain_wake();
	large = thread->blocks_filled > 1 || (thread->blocks_filled == 1 && now - thread->filled_at_ns < FAST_FILL_NS);
	thread->filled_at_ns = now;
	thread->blocks_filled++;
	block = block_get(thread, large);
	struct rt_entry *stack_before = tls->stack;

	if (rt_is_off() || !stack_reserve(thread, block ? block->capacity : DISCARD_EVENTS)) {
		if (!rt_is_off())
			rt_fail("get memory for the open calls of a thread", NULL, 12, "recording ends here");
		if (block)
			rt_blocks_give(block, 0);
		block_install(thread, NULL);
		return false;
	}
	if (stack_before && stack_before != tls->stack) /* an interrupted hook, whose entry is on the old stack, must fail to commit */
		state_set(tls, state_depth(tls), state_next(tls) + 1);
	if (!block && !thread->apart) {
		thread->apart = true;
		thread->told_depth = state_depth(tls);
		thread->told_context = tls->stack[state_depth(tls)].context;
	}
	block_install(thread, block);
	if (block && was_discarding)
		loss_put(tls);
	return !rt_is_off();
}

/* --- birth and death -------------------------------------------------------------------------------------------------------- */

static void end_of_thread(void *value);

static void end_key_make(void)
{
	if (pthread_key_create(&end_key, end_of_thread) == 0)
		atomic_store(&end_key_state, end_key < KEYS_WITHOUT_MALLOC ? 1 : 2);
	else
		atomic_store(&end_key_state, 2);
}

/* In a constructor, early: keys are few then, and nobody holds a lock. */
__attribute__((constructor(101))) static void thread_constructor(void)
{
	end_key_make();
}

static void set_end_value(uintptr_t rounds)
{
	if (atomic_load(&end_key_state) == 1)
		pthread_setspecific(end_key, (void *)rounds);
}

/* One thread makes it, with signals blocked; others wait for it. */
static bool slab_make(uint32_t index)
{
	uint32_t no = 0;

	while (!atomic_compare_exchange_strong(&threads_making, &no, 1)) {
		no = 0;
		rt_yield();
	}
	if (!slabs[index])
		__atomic_store_n(&slabs[index], rt_memory_reserve(SLAB_THREADS * sizeof *slabs[index]), __ATOMIC_RELEASE);
	atomic_store(&threads_making, 0);
	return slabs[index];
}

/* A slot whose thread is gone and drained, or a new one. */
static struct rt_thread *slot_take(void)
{
	for (uint32_t i = 0;; i++) {
		uint32_t used = atomic_load(&threads_used), gone = RT_GONE;

		if (i == used) {
			if (used == RT_THREADS_MAX)
				return NULL;
			if (!slab_make(used / SLAB_THREADS))
				return NULL;
			atomic_compare_exchange_strong(&threads_used, &used, used + 1);
		}
		struct rt_thread *thread = rt_thread_at(i);
		if (atomic_load(&thread->alive) || atomic_load(&thread->replay.next_sequence) != atomic_load(&thread->sequence))
			continue;
		if (atomic_compare_exchange_strong(&thread->alive, &gone, RT_ALIVE)) {
			/* Whoever drained its last block may not have let go yet. */
			while (atomic_load(&thread->draining))
				rt_yield();
			if (atomic_load(&thread->replay.next_sequence) == atomic_load(&thread->sequence))
				return thread;
			atomic_store(&thread->alive, RT_GONE);
		}
	}
}

static void cache_clear(struct rt_tls *tls)
{
	for (uint32_t i = 0; i < RT_CACHE_SLOTS; i++)
		tls->cache[i].parent = RT_CACHE_NO_PARENT;
}

/* Whoever drains looks at every slot. */
static void slot_reset(struct rt_thread *thread)
{
	struct rt_replay *replay = &thread->replay;
	uint32_t no = 0;

	while (!atomic_compare_exchange_strong(&thread->draining, &no, 1)) {
		no = 0;
		rt_yield();
	}
	atomic_fetch_add(&events_of_reused, replay->events);
	replay->last_tsc = replay->events = replay->steps_back = replay->repaired = 0;
	replay->depth = 0;
	atomic_store(&replay->next_sequence, 0);
	atomic_store(&thread->sequence, 0);
	atomic_store_explicit(&thread->draining, 0, memory_order_release);
}

static bool attach(struct rt_tls *tls)
{
	struct rt_thread *thread = slot_take();
	uint32_t index;

	if (!thread) {
		rt_fail("get memory for a thread", NULL, 12, "recording ends here");
		return false;
	}
	index = atomic_fetch_add(&next_index, 1);
	if (!rt_table_ensure(&rt_live.threads, index)) {
		rt_fail("enlarge", rt_live.path, rt_live.error, "recording ends here");
		return false;
	}
	thread->index = index;
	thread->tid = (uint32_t)rt_sys(SYS_gettid);
	thread->tls = tls;
	thread->record = rt_table_at(&rt_live.threads, index);
	thread->block = NULL;
	thread->blocks_filled = 0;
	thread->lost_events = thread->lost_told = 0;
	thread->lost_escapes = 0;
	thread->fork_pending = thread->discarding = thread->apart = false;
	thread->real_end = 0;
	atomic_store(&thread->requests, 0);
	slot_reset(thread);
	*thread->record = (struct cprof_thread){ .index = index, .tid = thread->tid, .start_tsc = rt_clock_ticks(), .parent = CPROF_NO_THREAD,
						 .flags = thread->tid == (uint32_t)rt_sys(SYS_getpid) ? CPROF_THREAD_MAIN : 0 };
	if (!tls->cache) {
		tls->cache = rt_memory_reserve(RT_CACHE_SLOTS * sizeof *tls->cache);
		if (!tls->cache) {
			rt_fail("get memory for a thread", NULL, 12, "recording ends here");
			return false;
		}
	}
	/* `next` goes on growing: a hook that this thread interrupted long ago must not find the state that it read. */
	state_set(tls, 0, state_next(tls) < REBASE_AT ? state_next(tls) + 1 : 1);
	tls->stack = thread->stack;
	tls->published = &tls->context;
	tls->clock_high = (uint32_t)(rt_clock_ticks() >> 32);
	tls->thread = thread;
	thread_name_read(thread->record);
	uint32_t count = __atomic_load_n(&rt_live.header->threads, __ATOMIC_RELAXED);
	while (count <= index && !__atomic_compare_exchange_n(&rt_live.header->threads, &count, index + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	set_end_value(1);
	return true;
}

/* From here on nobody looks at the thread's TLS. */
static void go(struct rt_thread *thread)
{
	uint32_t alive = RT_ALIVE;

	while (!atomic_compare_exchange_strong(&thread->alive, &alive, RT_GONE)) {
		alive = RT_ALIVE; /* held: for a few instructions, with signals blocked */
		rt_yield();
	}
}

/* The thread records no more, or begins again from nothing. */
static void detach(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;

	thread_name_read(thread->record);
	thread->record->end_tsc = rt_clock_ticks();
	if (thread->discarding)
		lost_count(thread);
	hand_over(thread, state_next(tls) - thread->first_next);
	tls->end = 0;
	tls->thread = NULL;
	rt_memory_release(tls->cache, RT_CACHE_SLOTS * sizeof *tls->cache);
	tls->cache = NULL;
	go(thread);
}

/*
 * Key destructors come in no useful order, so this one lets the others go first: it sets its value again until the last round that
 * POSIX promises. Calls made after that attach the thread anew; their block is handed over when the process ends.
 */
static void end_of_thread(void *value)
{
	uintptr_t round = (uintptr_t)value;

	if (round < LAST_ROUND) {
		set_end_value(round + 1);
		return;
	}
	if (!rt_tls.thread)
		return;
	uint64_t mask = rt_signals_block();
	if (rt_status_hold()) {
		detach(&rt_tls);
		rt_drain_wake();
		rt_status_release();
	} else { /* the end of the process is at work, perhaps on this thread's block */
		lost_count_at_end(rt_tls.thread);
		go(rt_tls.thread);
	}
	rt_signals_restore(mask);
}

void rt_threads_ask(uint32_t request)
{
	uint64_t mask = rt_signals_block();
	struct rt_thread *thread;

	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++) {
		if (!hold(thread))
			continue;
		atomic_fetch_or(&thread->requests, request);
		if (thread->tls)
			thread->tls->end = 0;
		release(thread);
	}
	rt_signals_restore(mask);
}

struct rt_inherited rt_thread_inherit(void)
{
	struct rt_tls *tls = &rt_tls;
	struct rt_inherited inherited = { tls->thread ? state_depth(tls) : 0, tls->stack }; /* none when this thread had not recorded yet */

	tls->thread = NULL;
	tls->end = 0;
	return inherited;
}

bool rt_thread_restart(const struct rt_inherited *inherited)
{
	struct rt_tls *tls = &rt_tls;

	if (!attach(tls))
		return false;
	cache_clear(tls);
	if (!stack_reserve(tls->thread, inherited->depth + 64)) {
		rt_fail("get memory for the open calls of a thread", NULL, 12, "recording ends here");
		return false;
	}
	for (uint32_t i = 1; i <= inherited->depth; i++) {
		const struct rt_entry *old = &inherited->stack[i];
		struct rt_call call = { old->function, old->call_site, old->hook_return, tls->stack[i - 1].context, false };
		struct rt_context context = rt_contexts_intern(&call);

		tls->stack[i] = (struct rt_entry){ old->frame, old->function, old->hook_return, old->call_site, context.target, context.id };
	}
	state_set(tls, inherited->depth, state_next(tls));
	tls->thread->apart = true; /* the child's stream begins with nothing open */
	tls->thread->told_depth = tls->thread->told_context = 0;
	if (!block_change(tls->thread))
		return false;
	if (inherited->depth)
		inherit_put(tls, rt_process_fork_ticks());
	tls->thread->apart = tls->thread->discarding;
	return true;
}

/* --- repairs ---------------------------------------------------------------------------------------------------------------- */

/* Commits an escape and a depth in one step. false: a handler was here. */
static bool commit_escape(struct rt_tls *tls, uint64_t state, uint32_t depth, enum cprof_escape kind, uint32_t payload)
{
	uint32_t next = (uint32_t)state;
	uint64_t *slot = &tls->events[next]; /* before the commit: a handler after it may change the block */

	if (!rt_commit(&tls->state, state, (uint64_t)depth << 32 | (next + 1)))
		return false;
	__atomic_store_n(slot, (uint64_t)payload << 32 | (CPROF_ESCAPE_FIRST + kind), __ATOMIC_RELAXED);
	tls->thread->lost_escapes += tls->thread->discarding;
	return true;
}

void rt_thread_clock_high(uint64_t ticks)
{
	struct rt_tls *tls = &rt_tls;
	uint64_t state = tls->state;

	if ((uint32_t)state >= tls->end) /* the caller starts again and polls first */
		return;
	/* A handler between the two says the same once more: harmless. */
	if (commit_escape(tls, state, (uint32_t)(state >> 32), CPROF_ESCAPE_CLOCK, (uint32_t)(ticks >> 32)))
		tls->clock_high = (uint32_t)(ticks >> 32);
}

/* Has the call of this entry ended, seen from a new call with that frame? Frames are compared only within one stack. */
static bool is_gone(const struct rt_entry *entry, uint64_t frame, const struct rt_signal_stack *alternate)
{
	bool on_alternate = entry->frame >= alternate->start && entry->frame < alternate->end;

	if (on_alternate != alternate->current)
		return on_alternate; /* we have left the handler; or this is the handler's first call, above calls that wait below */
	return entry->frame < frame;
}

uint64_t rt_thread_check_enter(uint64_t frame, uint64_t call_site, uint64_t hook_return)
{
	struct rt_tls *tls = &rt_tls;

	for (;;) {
		uint64_t state = tls->state;
		uint32_t depth = (uint32_t)(state >> 32), keep = depth;
		const struct rt_entry *stack = tls->stack;

		if ((uint32_t)state >= tls->end || frame < stack[depth].frame)
			return frame;
		if (!rt_frame_leads_to(frame, call_site, stack[depth].frame))
			return stack[depth].frame - 1; /* no frame pointer: a place below its caller, unlike any true one */
		struct rt_signal_stack alternate = rt_signal_stack();
		for (uint32_t k = depth; k; k--) {
			if (rt_contexts_no_frame(stack[k].id))
				continue;
			if (!is_gone(&stack[k], frame, &alternate))
				break;
			keep = k - 1;
		}
		/* Calls of the same frame: one inlined call being made again has ended; another call site means that the whole frame has gone. */
		for (uint32_t k = keep; k && (stack[k].frame == frame || rt_contexts_no_frame(stack[k].id)); k--) {
			if (stack[k].frame == frame && (stack[k].hook_return == hook_return || stack[k].call_site != call_site))
				keep = k - 1;
		}
		if (keep == depth)
			return frame;
		if (commit_escape(tls, state, keep, CPROF_ESCAPE_REPAIR, depth - keep))
			return frame;
	}
}

bool rt_thread_check_exit(uint64_t function, uint64_t frame, uint64_t tail_frame)
{
	struct rt_tls *tls = &rt_tls;

	for (;;) {
		uint64_t state = tls->state;
		uint32_t depth = (uint32_t)(state >> 32), match = depth;

		for (; match; match--) {
			const struct rt_entry *entry = &tls->stack[match];

			if (entry->function == function &&
			    (entry->frame == frame || entry->frame == tail_frame || rt_contexts_no_frame(entry->id)))
				break;
		}
		if (!match) {
			tls->thread->record->unmatched_exits++;
			return false;
		}
		if (match == depth || (uint32_t)state >= tls->end)
			return true;
		if (commit_escape(tls, state, match, CPROF_ESCAPE_REPAIR, depth - match))
			return true;
	}
}

/* --- the cold path ---------------------------------------------------------------------------------------------------------- */

static void requests_take(struct rt_thread *thread)
{
	uint32_t requests = atomic_exchange(&thread->requests, 0);

	if (requests & RT_REQUEST_FLUSH_CACHE)
		cache_clear(thread->tls);
}

static bool poll_blocked(struct rt_tls *tls)
{
	if (rt_process_is_forked_child()) { /* whether this thread had recorded before the fork or not */
		if (!rt_process_start_child())
			return false;
	}
	if (!tls->thread) {
		if (!rt_process_start())
			return false;
		if (!attach(tls))
			return false;
	}
	struct rt_thread *thread = tls->thread;
	if (state_next(tls) >= thread->real_end) {
		if (!block_change(thread))
			return false;
	}
	requests_take(thread);
	/* Between a fork's prepare handler and its end every event asks whether this is the child yet. */
	tls->end = thread->fork_pending ? state_next(tls) + 1 : thread->real_end;
	if (atomic_load(&thread->requests))
		tls->end = 0;
	return true;
}

bool rt_thread_poll(void)
{
	struct rt_tls *tls = &rt_tls;

	if (rt_is_off() || tls->busy)
		return false;
	uint64_t mask = rt_signals_block();
	bool record = rt_status_hold();
	if (record) {
		tls->busy = 1;
		record = poll_blocked(tls);
		tls->busy = 0;
		rt_status_release();
	}
	rt_signals_restore(mask);
	return record;
}
