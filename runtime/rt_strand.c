/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_strand.h"

#include <errno.h>
#include <stdatomic.h>

#include "rt_clock.h"
#include "rt_process.h"
#include "rt_sched.h"
#include "rt_stackframe.h"
#include "rt_status.h"
#include "rt_stream.h"
#include "rt_sys.h"
#include "rt_thread.h"

struct rt_strand {
	uint64_t low, high;       /* its stack */
	struct rt_thread *thread; /* its stream; made when it first runs */
	struct rt_inherited inherited;
	struct rt_strand *next_free;
};

/* All of them in order of their stacks. Changed and read by one thread at a time, with signals blocked. */
static struct {
	_Atomic uint32_t taken;
	_Atomic uint32_t count;
	struct rt_strand *slab, *free;
	uint32_t used;            /* of slab */
	struct rt_strand **by_low;
} table;

static _Atomic uint32_t streams; /* that strands of this process have had */

static __thread struct rt_strand *current __attribute__((tls_model("initial-exec")));

struct rt_strand *rt_strand_current(void)
{
	return current;
}

/* --- the table -------------------------------------------------------------------------------------------------------------- */

/* Signals blocked. */
static void table_hold(void)
{
	uint32_t no = 0;

	while (!atomic_compare_exchange_strong(&table.taken, &no, 1)) {
		no = 0;
		rt_yield();
	}
}

static void table_release(void)
{
	atomic_store(&table.taken, 0);
}

static uint64_t table_take(void)
{
	uint64_t mask = rt_signals_block();

	table_hold();
	return mask;
}

static void table_give(uint64_t mask)
{
	table_release();
	rt_signals_restore(mask);
}

/* The first whose stack ends above the address. */
static uint32_t table_search(uint64_t address)
{
	uint32_t low = 0, high = atomic_load(&table.count);

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table.by_low[middle]->high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct rt_strand *rt_strand_find_blocked(uint64_t address)
{
	struct rt_strand *found = NULL;

	if (!atomic_load_explicit(&table.count, memory_order_relaxed))
		return NULL;
	table_hold();
	uint32_t at = table_search(address);

	if (at < atomic_load(&table.count) && table.by_low[at]->low <= address)
		found = table.by_low[at];
	table_release();
	return found;
}

struct rt_strand *rt_strand_find(uint64_t address)
{
	if (!atomic_load_explicit(&table.count, memory_order_relaxed))
		return NULL;
	uint64_t mask = rt_signals_block();
	struct rt_strand *found = rt_strand_find_blocked(address);

	rt_signals_restore(mask);
	return found;
}

/* Its calls have ended, whatever they were in the middle of. The strand is not running. */
static void stream_end(struct rt_thread *thread)
{
	if (thread->block && thread->saved_depth && thread->saved_used < thread->block->capacity)
		__atomic_store_n(&thread->block->events[thread->saved_used++],
				 (uint64_t)thread->saved_depth << 32 | (CPROF_ESCAPE_FIRST + CPROF_ESCAPE_REPAIR), __ATOMIC_RELAXED);
	rt_thread_end(thread, thread->saved_used);
}

/* Recording may end or be over. Signals blocked. */
static void strand_end_stream(struct rt_strand *strand)
{
	if (strand->thread && !rt_process_is_forked_child() && rt_status_hold()) {
		if (!strand->thread->tls)
			stream_end(strand->thread);
		rt_status_release();
	}
	strand->thread = NULL;
}

static void table_remove(uint32_t at)
{
	struct rt_strand *strand = table.by_low[at];
	uint32_t count = atomic_load(&table.count) - 1;

	__builtin_memmove(&table.by_low[at], &table.by_low[at + 1], (count - at) * sizeof *table.by_low);
	atomic_store(&table.count, count);
	strand_end_stream(strand);
	strand->next_free = table.free;
	table.free = strand;
}

static struct rt_strand *table_new(void)
{
	struct rt_strand *strand = table.free;

	if (!table.slab) {
		table.by_low = rt_memory_reserve(RT_STRANDS_MAX * sizeof *table.by_low);
		table.slab = table.by_low ? rt_memory_reserve(RT_STRANDS_MAX * sizeof *table.slab) : NULL;
	}
	if (!table.slab)
		return NULL;
	if (strand)
		table.free = strand->next_free;
	else if (table.used < RT_STRANDS_MAX)
		strand = &table.slab[table.used++];
	return strand;
}

/* Those that overlap [low, high) are removed, all but one that is just that. */
static struct rt_strand *table_clear(uint64_t low, uint64_t high)
{
	for (uint32_t at = table_search(low); at < atomic_load(&table.count) && table.by_low[at]->low < high;) {
		struct rt_strand *strand = table.by_low[at];

		if (strand->low == low && strand->high == high)
			return strand;
		if (strand == current)
			at++;
		else
			table_remove(at);
	}
	return NULL;
}

struct rt_strand *rt_strand_make(uint64_t low, uint64_t high)
{
	uint64_t mask = table_take();
	struct rt_strand *strand = table_clear(low, high);

	if (!strand) {
		strand = table_new();
		if (strand) {
			uint32_t at = table_search(low), count = atomic_load(&table.count);

			*strand = (struct rt_strand){ .low = low, .high = high };
			__builtin_memmove(&table.by_low[at + 1], &table.by_low[at], (count - at) * sizeof *table.by_low);
			table.by_low[at] = strand;
			atomic_store(&table.count, count + 1);
		}
	}
	table_give(mask);
	return strand;
}

void rt_strand_destroy(struct rt_strand *strand)
{
	if (strand == current)
		rt_strand_switch(NULL);
	uint64_t mask = table_take();

	for (uint32_t at = 0; at < atomic_load(&table.count); at++) {
		if (table.by_low[at] == strand) {
			table_remove(at);
			break;
		}
	}
	table_give(mask);
}

/* --- going over ------------------------------------------------------------------------------------------------------------- */

/* SUSPEND or RESUME. */
static void switch_put(struct rt_tls *tls, enum cprof_escape kind, uint64_t ticks)
{
	if ((uint32_t)(ticks >> 32) != tls->clock_high) {
		tls->clock_high = (uint32_t)(ticks >> 32);
		rt_stream_escape(tls, CPROF_ESCAPE_CLOCK, tls->clock_high);
	}
	rt_stream_escape(tls, kind, (uint32_t)ticks);
}

/* Whoever looks at the slot's thread now may go on with it: it is there until it is not held any more. */
static void slot_bind(struct rt_thread *thread, struct rt_tls *tls)
{
	if (!rt_thread_hold(thread))
		return;
	thread->unseen = tls && tls->ending;
	thread->tls = tls;
	rt_thread_release(thread);
}

/* What the scheduler has done up to now is the leaving strand's. */
static void sched_put(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;

	for (int i = 0; i < 2 && thread->block && tls->slot->changes != tls->changes_seen; i++) { /* the first may only fill the block */
		if (rt_state_next(tls) >= thread->real_end)
			rt_stream_block_change(thread);
		tls->end = thread->real_end;
		rt_sched_tell(tls);
	}
}

/* From here on any thread may run it. */
static void strand_leave(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;

	sched_put(tls);
	if (rt_state_depth(tls)) {
		switch_put(tls, CPROF_ESCAPE_SUSPEND, rt_clock_ticks());
		thread->told_suspended = true;
	}
	if (thread->discarding)
		rt_stream_lost_count(thread);
	thread->saved_depth = rt_state_depth(tls);
	thread->saved_used = rt_state_next(tls) - thread->first_next;
	thread->saved_clock_high = tls->clock_high;
	slot_bind(thread, NULL);
}

/* false: recording is over. */
static bool strand_arrive(struct rt_tls *tls, struct rt_thread *thread)
{
	/* Hooks that were interrupted on this thread must fail to commit. */
	uint32_t next = rt_state_next(tls) < RT_STATE_REBASE_AT ? rt_state_next(tls) + 1 : 1;

	rt_state_set(tls, thread->saved_depth, next);
	tls->thread = thread;
	tls->stack = thread->stack;
	tls->clock_high = thread->saved_clock_high;
	rt_stream_rebase(thread, tls, thread->saved_used);
	slot_bind(thread, tls);
	rt_sched_resume(tls);
	if (thread->inherited.depth) {
		struct rt_inherited inherited = thread->inherited;

		thread->inherited = (struct rt_inherited){ 0 };
		if (!rt_inherit_open(tls, &inherited, rt_process_fork_ticks()))
			return false;
		if (inherited.suspended)
			switch_put(tls, CPROF_ESCAPE_SUSPEND, rt_process_fork_ticks());
		thread->told_suspended = inherited.suspended;
	}
	if (thread->told_suspended) {
		switch_put(tls, CPROF_ESCAPE_RESUME, rt_clock_ticks());
		thread->told_suspended = false;
	}
	tls->slot->context = tls->stack ? tls->stack[rt_state_depth(tls)].context : 0;
	if (atomic_load(&thread->requests)) /* asked for while it was suspended */
		tls->end = 0;
	return true;
}

static struct rt_thread *strand_begin(struct rt_strand *strand, struct rt_thread *own)
{
	struct rt_thread *thread = rt_thread_begin(CPROF_THREAD_STRAND);

	if (!thread)
		return NULL;
	char name[sizeof thread->record->name + 1] = "";
	size_t length = rt_text_append(name, 0, sizeof name, "coroutine ");

	rt_text_append_number(name, length, sizeof name, atomic_fetch_add(&streams, 1) + 1);
	__builtin_memcpy(thread->record->name, name, sizeof thread->record->name);
	thread->record->parent = own->index;
	thread->saved_clock_high = (uint32_t)(rt_clock_ticks() >> 32);
	thread->inherited = strand->inherited;
	strand->inherited = (struct rt_inherited){ 0 };
	return strand->thread = thread;
}

/* to: NULL is the thread's own. The thread is attached and recording is held. */
static bool go_over(struct rt_tls *tls, struct rt_strand *to)
{
	struct rt_thread *own = tls->thread->own ? tls->thread->own : tls->thread, *target = own;
	bool fork_pending = tls->thread->fork_pending;

	if (to)
		target = to->thread ? to->thread : strand_begin(to, own);
	if (!target)
		return false;
	if (target == tls->thread || (to && target->tls)) /* running on another thread: the program is wrong, or it is told of it twice */
		return true;
	strand_leave(tls);
	target->own = to ? own : NULL;
	target->fork_pending = fork_pending;
	if (!strand_arrive(tls, target))
		return false;
	if (!target->stack_wiped && !fork_pending) /* another thread's fork found it suspended, and will not find it again */
		rt_stream_stack_wipe(target, true);
	if (fork_pending)
		tls->end = 0;
	return true;
}

void rt_strand_switch_blocked(struct rt_strand *to)
{
	struct rt_tls *tls = &rt_tls;

	if (to == current)
		return;
	int saved = errno;

	current = to;
	/* A thread that has recorded nothing yet, and a forked child, come to know it with their first event. */
	if (tls->thread && !rt_is_off() && !rt_process_is_forked_child() && rt_status_hold()) {
		tls->busy = 1;
		go_over(tls, to);
		tls->busy = 0;
		rt_status_release();
	}
	errno = saved;
}

void rt_strand_switch(struct rt_strand *to)
{
	uint64_t mask = rt_signals_block();

	rt_strand_switch_blocked(to);
	rt_signals_restore(mask);
}

bool rt_strand_rejoin(struct rt_tls *tls)
{
	return !current || go_over(tls, current);
}

void rt_strand_go_home(struct rt_tls *tls)
{
	if (tls->thread->own)
		go_over(tls, NULL);
}

bool rt_strand_follow(uint64_t frame)
{
	struct rt_strand *strand = rt_strand_find(frame);
	struct rt_signal_stack alternate;

	if (strand == current)
		return false;
	alternate = rt_signal_stack();
	if (frame >= alternate.start && frame < alternate.end) /* a handler belongs to the strand that it interrupts */
		return false;
	rt_strand_switch(strand);
	return true;
}

bool rt_strand_is_same_stack(uint64_t frame, uint64_t other)
{
	if (!atomic_load_explicit(&table.count, memory_order_relaxed))
		return true;
	return (rt_strand_find(frame) == current) == (rt_strand_find(other) == current);
}

/* --- fork ------------------------------------------------------------------------------------------------------------------- */

static struct rt_inherited slot_inherit(const struct rt_thread *thread)
{
	if (!thread->inherited.depth && thread->stack && rt_stream_stack_is_empty(thread->stack))
		return (struct rt_inherited){ 0 }; /* nobody told us of the fork: what was open is not known */
	return thread->inherited.depth ? thread->inherited :
					 (struct rt_inherited){ thread->saved_depth, thread->stack, thread->told_suspended };
}

struct rt_inherited rt_strands_take_over(struct rt_tls *tls)
{
	struct rt_thread *thread = tls->thread;

	if (thread) { /* as if it had been left */
		thread->saved_depth = rt_state_depth(tls);
		thread->tls = NULL;
	}
	for (uint32_t at = 0; at < atomic_load(&table.count); at++) {
		struct rt_strand *strand = table.by_low[at];

		/* Those that ran on other threads of the parent cannot go on here. */
		if (strand->thread && !strand->thread->tls)
			strand->inherited = slot_inherit(strand->thread);
		strand->thread = NULL;
	}
	return thread ? slot_inherit(thread->own ? thread->own : thread) : (struct rt_inherited){ 0 };
}

void rt_strands_wipe(struct rt_tls *tls, bool wipe)
{
	if (tls->thread)
		rt_stream_stack_wipe(tls->thread->own ? tls->thread->own : tls->thread, wipe);
	if (!atomic_load_explicit(&table.count, memory_order_relaxed))
		return;
	uint64_t mask = table_take();

	for (uint32_t at = 0; at < atomic_load(&table.count); at++) {
		struct rt_thread *thread = table.by_low[at]->thread;

		if (thread && (!thread->tls || thread->tls == tls))
			rt_stream_stack_wipe(thread, wipe);
	}
	table_give(mask);
}

void rt_strands_reset(void)
{
	atomic_store(&streams, 0);
	atomic_store(&table.taken, 0);
}
