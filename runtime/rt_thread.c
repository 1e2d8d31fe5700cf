/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_thread.h"

#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>

#include "rt_clock.h"
#include "rt_drain.h"
#include "rt_live.h"
#include "rt_process.h"
#include "rt_sched.h"
#include "rt_slots.h"
#include "rt_status.h"
#include "rt_strand.h"
#include "rt_stream.h"
#include "rt_sys.h"

enum {
	SLAB_THREADS = 256,
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
static _Atomic uint32_t addresses_epoch; /* how often addresses have gone away */
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
	struct rt_thread *thread;

	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++) /* but not what a hook that we have interrupted may be looking at */
		if (thread->cache != rt_tls.cache)
			rt_memory_release(thread->cache, RT_CACHE_SLOTS * sizeof *thread->cache);
	atomic_store(&events_of_reused, 0);
	atomic_store(&threads_used, 0);
	atomic_store(&threads_making, 0);
	atomic_store(&next_index, 0);
	for (uint32_t i = 0; i < RT_THREADS_MAX / SLAB_THREADS; i++) {
		rt_memory_release(slabs[i], SLAB_THREADS * sizeof *slabs[i]);
		slabs[i] = NULL;
	}
}

/* Of the calling thread; it may have been changed since its first call. */
static void thread_name_read(struct cprof_thread *record)
{
	char name[17] = "";

	rt_sys(SYS_prctl, PR_GET_NAME, name);
	__builtin_memcpy(record->name, name, sizeof record->name);
}

bool rt_thread_hold(struct rt_thread *thread)
{
	uint32_t alive = RT_ALIVE;

	while (!atomic_compare_exchange_strong(&thread->alive, &alive, RT_HELD)) {
		if (alive == RT_GONE)
			return false;
		alive = RT_ALIVE; /* held by another: for a few instructions, with signals blocked */
		rt_yield();
	}
	return true;
}

void rt_thread_release(struct rt_thread *thread)
{
	atomic_store(&thread->alive, RT_ALIVE);
}

/*
 * May others touch its TLS? Held. A thread whose first call came when its key destructors were over already ends without a word, but not before the
 * kernel has forgotten its number is its memory anybody else's.
 */
static bool is_reachable(const struct rt_thread *thread)
{
	uint32_t tid = thread->own ? thread->own->tid : thread->tid;

	return thread->tls && !thread->unseen && !rt_sys(SYS_tgkill, rt_sys(SYS_getpid), tid, 0);
}

static void lost_count_at_end(struct rt_thread *thread)
{
	if (!thread->discarding || !rt_thread_hold(thread))
		return;
	if (is_reachable(thread)) /* suspended: it has been counted */
		rt_stream_lost_count(thread);
	rt_thread_release(thread);
}

/* The thread may be running still, or its TLS be gone: the block alone tells how far it got. */
void rt_thread_hand_over_at_end(struct rt_thread *thread)
{
	struct rt_block *block = thread->block;
	uint32_t items = block ? block->capacity : 0;

	if (thread->tid == (uint32_t)rt_sys(SYS_gettid) && !(thread->record->flags & CPROF_THREAD_STRAND))
		thread_name_read(thread->record);
	lost_count_at_end(thread);
	while (items && !__atomic_load_n(&block->events[items - 1], __ATOMIC_ACQUIRE))
		items--;
	rt_stream_hand_over(thread, items);
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

struct rt_thread *rt_thread_begin(uint32_t flags)
{
	struct rt_thread *thread = slot_take();
	uint32_t index;

	if (!thread) {
		rt_fail("get memory for a thread", NULL, 12, "recording ends here");
		return NULL;
	}
	index = atomic_fetch_add(&next_index, 1);
	if (!rt_table_ensure(&rt_live.threads, index)) {
		rt_fail("enlarge", rt_live.path, rt_live.error, "recording ends here");
		return NULL;
	}
	thread->index = index;
	thread->tid = (uint32_t)rt_sys(SYS_gettid);
	thread->tls = NULL;
	thread->unseen = false;
	thread->record = rt_table_at(&rt_live.threads, index);
	thread->block = NULL;
	thread->blocks_filled = 0;
	thread->lost_events = thread->lost_told = 0;
	thread->lost_escapes = 0;
	thread->fork_pending = thread->discarding = thread->apart = false;
	thread->real_end = 0;
	thread->own = NULL;
	thread->saved_depth = thread->saved_used = 0;
	thread->told_suspended = false;
	thread->inherited = (struct rt_inherited){ 0 };
	thread->sched_base = thread->sched_told = (struct rt_sched_figures){ 0 };
	atomic_store(&thread->requests, 0);
	slot_reset(thread);
	*thread->record = (struct cprof_thread){ .index = index, .tid = thread->tid, .start_tsc = rt_clock_ticks(), .parent = CPROF_NO_THREAD, .flags = flags };
	thread_name_read(thread->record);
	rt_stream_stack_wipe(thread, true); /* a fork may have been at it just when its strand ended */
	uint32_t count = __atomic_load_n(&rt_live.header->threads, __ATOMIC_RELAXED);
	while (count <= index && !__atomic_compare_exchange_n(&rt_live.header->threads, &count, index + 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
	return thread;
}

bool rt_thread_attach(struct rt_tls *tls)
{
	struct rt_thread *thread = rt_thread_begin((uint32_t)rt_sys(SYS_gettid) == (uint32_t)rt_sys(SYS_getpid) ? CPROF_THREAD_MAIN : 0);

	if (!thread)
		return false;
	bool stale = tls->cache; /* a forked child's, filled with its parent's contexts */

	if (!thread->cache)
		thread->cache = stale ? tls->cache : rt_memory_reserve(RT_CACHE_SLOTS * sizeof *thread->cache);
	if (!thread->cache) {
		rt_fail("get memory for a thread", NULL, 12, "recording ends here");
		return false;
	}
	tls->cache = thread->cache;
	uint32_t epoch = atomic_load(&addresses_epoch); /* after the slot was ours: from then on we are asked */
	if (thread->cache_epoch != epoch || stale)
		cache_clear(tls);
	thread->cache_epoch = epoch;
	/* `next` goes on growing: a hook that this thread interrupted long ago must not find the state that it read. */
	rt_state_set(tls, 0, rt_state_next(tls) < RT_STATE_REBASE_AT ? rt_state_next(tls) + 1 : 1);
	tls->stack = thread->stack;
	rt_slots_take(tls, thread->tid, rt_process_generation());
	thread->record->kernel_tgid = tls->slot->kernel_tgid;
	thread->record->kernel_tid = tls->slot->kernel_tid;
	tls->clock_high = (uint32_t)(rt_clock_ticks() >> 32);
	thread->unseen = tls->ending || (atomic_load(&end_key_state) != 1 && !(thread->record->flags & CPROF_THREAD_MAIN));
	thread->tls = tls;
	tls->thread = thread;
	rt_sched_begin(tls);
	set_end_value(1);
	return true;
}

/* From here on nobody looks at the thread's TLS, whoever takes the slot next. */
static void go(struct rt_thread *thread)
{
	if (!rt_thread_hold(thread))
		return;
	thread->tls = NULL;
	atomic_store(&thread->alive, RT_GONE);
}

void rt_thread_end(struct rt_thread *thread, uint32_t items)
{
	thread->record->end_tsc = rt_clock_ticks();
	rt_stream_hand_over(thread, items);
	go(thread);
}

/* The thread records no more, or begins again from nothing. */
static void detach(struct rt_tls *tls)
{
	rt_strand_go_home(tls);

	struct rt_thread *thread = tls->thread;

	thread_name_read(thread->record);
	if (rt_state_depth(tls) && thread->block) { /* pthread_exit, cancelled: what is open has ended with the thread */
		rt_stream_escape(tls, CPROF_ESCAPE_REPAIR, rt_state_depth(tls));
		rt_state_set(tls, 0, rt_state_next(tls));
	}
	if (thread->discarding)
		rt_stream_lost_count(thread);
	tls->end = 0;
	tls->thread = NULL;
	tls->cache = NULL;
	rt_slots_release(tls);
	rt_thread_end(thread, rt_state_next(tls) - thread->first_next);
}

/*
 * Key destructors come in no useful order, so this one lets the others go first: it sets its value again until the last round that
 * POSIX promises. Calls made after that, by another destructor, attach the thread anew; their block is handed over when the process ends. Signals stay
 * blocked: libc blocks them, too, before it goes on, and a handler in between would call from a thread whose end nobody tells us of.
 */
static void end_of_thread(void *value)
{
	uintptr_t round = (uintptr_t)value;

	if (round < LAST_ROUND) {
		set_end_value(round + 1);
		return;
	}
	rt_signals_block();
	rt_tls.ending = true;
	if (!rt_tls.thread || rt_process_is_forked_child()) /* what it holds is the parent's */
		return;
	if (rt_status_hold()) {
		detach(&rt_tls);
		rt_drain_wake();
		rt_status_release();
	} else { /* the end of the process is at work, perhaps on this thread's block */
		lost_count_at_end(rt_tls.thread);
		rt_slots_release(&rt_tls);
		go(rt_tls.thread);
	}
}

void rt_threads_ask(uint32_t request)
{
	uint64_t mask = rt_signals_block();
	struct rt_thread *thread;

	if (request & RT_REQUEST_FLUSH_CACHE)
		atomic_fetch_add(&addresses_epoch, 1);
	for (uint32_t i = 0; (thread = rt_thread_at(i)); i++) {
		if (!rt_thread_hold(thread))
			continue;
		atomic_fetch_or(&thread->requests, request);
		if (is_reachable(thread))
			thread->tls->end = 0;
		rt_thread_release(thread);
	}
	rt_signals_restore(mask);
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
		if (!rt_thread_attach(tls) || !rt_strand_rejoin(tls))
			return false;
	}
	struct rt_thread *thread = tls->thread;
	if (rt_state_next(tls) >= thread->real_end) {
		if (!rt_stream_block_change(thread))
			return false;
	}
	requests_take(thread);
	/* Between a fork's prepare handler and its end every event asks whether this is the child yet. */
	tls->end = thread->fork_pending || thread->unseen ? rt_state_next(tls) + 1 : thread->real_end;
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
