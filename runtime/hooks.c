/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks behind __cyg_profile_func_enter and __cyg_profile_func_exit: the hot path and only that.
 *
 * Each is one transaction. The order is the proof (docs/architecture.md): the clock is read after `state`, so time never runs backwards; the
 * event is stored after the commit, so a signal handler's event is never overwritten; the stack entry is written before the commit, so a
 * handler that strikes after it finds the right parent. A handler that made calls in between changed `state`: then start again.
 *
 * No libc call, no lock, no allocation; errno and the vector registers are not touched. Anything rare leaves through the poll word `end`.
 *
 * A call is known by its function, its call site, and the hook's own return address (call_site is that of the *physical* frame: the hook's
 * return address tells inlined calls apart). Its frame is that of the function: on x86-64 what the function's frame pointer holds (rt_stackframe.h says
 * what else). The exit hook may be jumped to with the function's frame already gone; then its own frame pointer is that address.
 */
#include "hooks.h"
#include "rt_clock.h"
#include "rt_commit.h"
#include "rt_contexts.h"
#include "rt_sched.h"
#include "rt_repair.h"
#include "rt_stackframe.h"
#include "rt_sys.h"
#include "rt_thread.h"

#define unlikely(x) __builtin_expect(!!(x), 0)

/* A cache miss. Fills the slot so that a handler never finds half a key, unless a handler has used it meanwhile. */
static __attribute__((noinline, cold)) struct rt_context intern(struct rt_cache_slot *slot, uint64_t state, const struct rt_call *call)
{
	struct rt_context context = rt_contexts_intern(call);

	slot->parent = RT_CACHE_NO_PARENT;
	__asm__ volatile("" ::: "memory");
	slot->function = call->function;
	slot->call_site = call->call_site;
	slot->hook_return = call->hook_return;
	slot->id = context.id;
	slot->target = context.target;
	__asm__ volatile("" ::: "memory");
	if (rt_tls.state == state) {
		slot->parent = call->parent;
		__asm__ volatile("" ::: "memory");
		if (rt_tls.state != state) /* struck between the test and the store: what the slot holds may be mixed */
			slot->parent = RT_CACHE_NO_PARENT;
	}
	return context;
}

static inline void event_store(uint64_t *slot, uint64_t ticks, uint32_t id)
{
	__atomic_store_n(slot, ticks << 32 | id, __ATOMIC_RELAXED); /* at the end of the process a drain may be looking on */
}

static inline struct rt_cache_slot *cache_slot(const struct rt_tls *t, const struct rt_call *call)
{
	uint64_t h = (call->function >> 2) ^ call->hook_return ^ (call->call_site << 1) ^ call->parent * 0x9E3779B1u;

	return &t->cache[(h ^ h >> 15) & (RT_CACHE_SLOTS - 1)];
}

static inline bool slot_holds(const struct rt_cache_slot *slot, const struct rt_call *call)
{
	return slot->function == call->function && slot->call_site == call->call_site && slot->hook_return == call->hook_return &&
	       slot->parent == call->parent;
}

/*
 * A frame that is not below the innermost open call's is an inlined call, if all open calls of that frame have its call site (or else it is a new
 * frame where one was that has gone), and none of them is being made again (or else that one has gone).
 */
static inline bool is_inlined_call(const struct rt_entry *top, uint64_t frame, uint64_t hook_return, uint64_t call_site)
{
	while (top->frame == frame && top->hook_return != hook_return && top->call_site == call_site)
		top--;
	return top->frame > frame;
}

enum attempt { ATTEMPT_DONE, ATTEMPT_CLOCK, ATTEMPT_SWITCHED, ATTEMPT_AGAIN };

/* Has the thread been off its CPU since the event before? Asked after the clock was read: then the time off it lies before that reading. */
static inline bool was_switched(const struct rt_tls *t)
{
	return *(volatile uint32_t *)&t->slot->changes != t->changes_seen;
}

static inline void publish(const struct rt_tls *t, uint32_t context)
{
	*(volatile uint32_t *)&t->slot->context = context;
}

static __attribute__((noinline, cold)) void attempt_failed(struct rt_tls *t, enum attempt why)
{
	if (why == ATTEMPT_CLOCK)
		rt_repair_clock(rt_clock_ticks());
	else if (why == ATTEMPT_SWITCHED)
		rt_sched_tell(t);
}

/* Steps 3 to 7 for a call whose context is known. */
static inline __attribute__((always_inline)) enum attempt enter_commit(struct rt_tls *t, uint64_t state, const struct rt_call *call, uint64_t frame,
								       struct rt_context context)
{
	struct rt_entry *entry = &t->stack[state >> 32] + 1;
	uint64_t *slot = &t->events[(uint32_t)state]; /* of the block that `state` counts in: a handler may change it once we have committed */

	entry->frame = frame;
	entry->function = call->function;
	entry->hook_return = call->hook_return;
	entry->call_site = call->call_site;
	entry->context = context.target;
	entry->id = context.id;                                               /* 3 the entry, above the committed depth */
	uint64_t ticks = rt_clock_ticks();                                    /* 4 the clock */
	if (unlikely((uint32_t)(ticks >> 32) != t->clock_high))
		return ATTEMPT_CLOCK;
	if (unlikely(was_switched(t)))
		return ATTEMPT_SWITCHED;
	if (unlikely(!rt_commit(&t->state, state, state + (1ull << 32) + 1))) /* 5 commit, or a handler was here */
		return ATTEMPT_AGAIN;
	event_store(slot, ticks, context.id);                                 /* 6 the event, into the slot just won */
	publish(t, context.target);                                           /* 7 what others see */
	return ATTEMPT_DONE;
}

/* The same with everything that can come in between. Not inlined: it keeps the registers of the hot path free. */
static __attribute__((noinline)) void enter_slowly(uint64_t function, uint64_t call_site, uint64_t hook_return, uint64_t frame)
{
	struct rt_tls *t = &rt_tls;

	for (;;) {
		uint64_t state = t->state;
		const struct rt_entry *top = &t->stack[state >> 32];

		if ((uint32_t)state >= t->end) {
			if (!rt_thread_poll())
				return;
			continue;
		}
		if (frame >= top->frame && !is_inlined_call(top, frame, hook_return, call_site)) {
			uint64_t checked = rt_repair_enter(frame, call_site, hook_return);

			if (t->state != state || checked != frame || (uint32_t)state >= t->end) {
				frame = checked;
				continue;
			}
		}
		struct rt_call call = { function, call_site, hook_return, top->context, false };
		struct rt_cache_slot *slot = cache_slot(t, &call);
		struct rt_context context = { slot->id, slot->target };

		if (!slot_holds(slot, &call)) {
			call.no_frame = !rt_frame_leads_to(frame, call_site, top->frame);
			context = intern(slot, state, &call);
		}
		enum attempt attempt = enter_commit(t, state, &call, frame, context);

		if (attempt == ATTEMPT_DONE)
			return;
		attempt_failed(t, attempt);
	}
}

#ifdef CPROF_STATIC
/* In a static program IFUNC resolvers run before the thread pointer is set: a hook that touches TLS then would crash. */
static bool tls_is_there;

static __attribute__((noinline, cold)) bool tls_check(void)
{
	uint64_t pointer = 0;

#if defined(__x86_64__)
	rt_sys(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &pointer);
#else
	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
	return tls_is_there = pointer != 0;
}
#define TLS_IS_THERE() (__builtin_expect(tls_is_there, 1) || tls_check())
#else
#define TLS_IS_THERE() true
#endif

void hook_enter(void *function_, void *call_site_)
{
	if (!TLS_IS_THERE())
		return;
	const uint64_t function = (uintptr_t)function_, call_site = (uintptr_t)call_site_;
	const uint64_t hook_return = (uintptr_t)__builtin_return_address(0);
	const uint64_t frame = rt_frame_of_enter((uintptr_t)__builtin_frame_address(1), (uintptr_t)__builtin_frame_address(0), call_site);
	struct rt_tls *t = &rt_tls;
	uint64_t state = t->state;                                            /* 1 the state */

	if (unlikely((uint32_t)state >= t->end))
		goto slowly;
	const struct rt_entry *top = &t->stack[state >> 32];
	if (frame >= top->frame && unlikely(!is_inlined_call(top, frame, hook_return, call_site)))
		goto slowly;
	struct rt_call call = { function, call_site, hook_return, top->context, false };
	const struct rt_cache_slot *slot = cache_slot(t, &call);              /* 2 the context */
	if (unlikely(!slot_holds(slot, &call)))
		goto slowly;
	if (unlikely(enter_commit(t, state, &call, frame, (struct rt_context){ slot->id, slot->target }) != ATTEMPT_DONE))
		goto slowly;
	return;
slowly:
	enter_slowly(function, call_site, hook_return, frame);
}

static inline __attribute__((always_inline)) enum attempt exit_commit(struct rt_tls *t, uint64_t state, uint32_t parent)
{
	uint64_t *slot = &t->events[(uint32_t)state];
	uint64_t ticks = rt_clock_ticks();

	if (unlikely((uint32_t)(ticks >> 32) != t->clock_high))
		return ATTEMPT_CLOCK;
	if (unlikely(was_switched(t)))
		return ATTEMPT_SWITCHED;
	if (unlikely(!rt_commit(&t->state, state, state - (1ull << 32) + 1)))
		return ATTEMPT_AGAIN;
	event_store(slot, ticks, CPROF_EVENT_EXIT | parent);
	publish(t, parent);
	return ATTEMPT_DONE;
}

/* `pointer` is the frame pointer that the hook finds, `here` its own. */
static inline bool exit_matches(const struct rt_entry *top, uint64_t function, uint64_t pointer, uint64_t here)
{
	return top->function == function &&
	       (top->frame == rt_frame_of_exit(pointer, here, top->frame) || top->frame == rt_frame_of_tail(pointer, here));
}

static __attribute__((noinline)) void exit_slowly(uint64_t function, uint64_t pointer, uint64_t here)
{
	struct rt_tls *t = &rt_tls;

	for (;;) {
		uint64_t state = t->state;

		if ((uint32_t)state >= t->end) {
			if (!rt_thread_poll())
				return;
			continue;
		}
		if (!exit_matches(&t->stack[state >> 32], function, pointer, here)) {
			if (!rt_repair_exit(function, rt_frame_of_exit(pointer, here, here), rt_frame_of_tail(pointer, here)))
				return;
			state = t->state;
			if ((uint32_t)state >= t->end)
				continue;
		}
		enum attempt attempt = exit_commit(t, state, t->stack[(state >> 32) - 1].context);

		if (attempt == ATTEMPT_DONE)
			return;
		attempt_failed(t, attempt);
	}
}

void hook_exit(void *function_, void *call_site)
{
	if (!TLS_IS_THERE())
		return;
	const uint64_t function = (uintptr_t)function_;
	const uint64_t pointer = (uintptr_t)__builtin_frame_address(1), here = (uintptr_t)__builtin_frame_address(0);
	struct rt_tls *t = &rt_tls;
	uint64_t state = t->state;

	(void)call_site;
	if (unlikely((uint32_t)state >= t->end))
		goto slowly;
	const struct rt_entry *top = &t->stack[state >> 32];
	if (unlikely(!exit_matches(top, function, pointer, here)))
		goto slowly;
	if (unlikely(exit_commit(t, state, top[-1].context) != ATTEMPT_DONE))
		goto slowly;
	return;
slowly:
	exit_slowly(function, pointer, here);
}
