/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * __cyg_profile_func_enter and __cyg_profile_func_exit: the hot path and only that.
 *
 * Each is one transaction. The order is the proof (docs/architecture.md): the clock is read after `state`, so time never runs backwards; the
 * event is stored after the commit, so a signal handler's event is never overwritten; the stack entry is written before the commit, so a
 * handler that strikes after it finds the right parent. A handler that made calls in between changed `state`: then start again.
 *
 * No libc call, no lock, no allocation; errno and the vector registers are not touched. Anything rare leaves through the poll word `end`.
 *
 * A call is known by its function, its call site, and the hook's own return address (call_site is that of the *physical* frame: the hook's
 * return address tells inlined calls apart). Its frame is that of the function: what the function's frame pointer holds. The exit hook
 * may be jumped to with the function's frame already gone; then its own frame pointer is that address.
 */
#include "rt_clock.h"
#include "rt_commit.h"
#include "rt_contexts.h"
#include "rt_status.h"
#include "rt_stackframe.h"
#include "rt_thread.h"

#define unlikely(x) __builtin_expect(!!(x), 0)
#define HOOK __attribute__((visibility("default"), noinline))

HOOK void __cyg_profile_func_enter(void *function, void *call_site);
HOOK void __cyg_profile_func_exit(void *function, void *call_site);

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
	*(volatile uint64_t *)slot = ticks << 32 | id;
}

HOOK void __cyg_profile_func_enter(void *function_, void *call_site_)
{
	const uint64_t function = (uintptr_t)function_, call_site = (uintptr_t)call_site_;
	const uint64_t hook_return = (uintptr_t)__builtin_return_address(0);
	uint64_t frame = (uintptr_t)__builtin_frame_address(1);
	struct rt_tls *t = &rt_tls;

	for (;;) {
		uint64_t state = t->state;                                            /* 1 the state */
		uint32_t next = (uint32_t)state, depth = (uint32_t)(state >> 32);

		if (unlikely(next >= t->end)) {
			if (rt_is_off() || !rt_thread_poll())
				return;
			continue;
		}
		struct rt_entry *top = &t->stack[depth];
		if (unlikely(frame >= top->frame)) {
			/* The same frame is an inlined call, unless it is one of those already open: then that one is gone. */
			const struct rt_entry *e = top;
			while (e->frame == frame && e->hook_return != hook_return)
				e--;
			if (e->frame <= frame) {
				uint64_t checked = rt_thread_check_enter(frame, call_site, hook_return);
				if (t->state != state || checked != frame) {
					frame = checked;
					continue;
				}
			}
		}
		uint32_t parent = top->context;
		uint64_t h = (function >> 2) ^ hook_return ^ (call_site << 1) ^ parent * 0x9E3779B1u;
		struct rt_cache_slot *slot = &t->cache[(h ^ h >> 15) & (RT_CACHE_SLOTS - 1)]; /* 2 the context */
		uint32_t id = slot->id, context = slot->target;
		if (unlikely(slot->function != function || slot->call_site != call_site || slot->hook_return != hook_return ||
			     slot->parent != parent)) {
			struct rt_call call = { function, call_site, hook_return, parent, !rt_frame_leads_to(frame, call_site, top->frame) };
			struct rt_context made = intern(slot, state, &call);
			id = made.id;
			context = made.target;
		}
		top[1] = (struct rt_entry){ frame, function, hook_return, context, id };      /* 3 the entry, above the committed depth */
		uint64_t ticks = rt_clock_ticks();                                    /* 4 the clock */
		if (unlikely((uint32_t)(ticks >> 32) != t->clock_high)) {
			rt_thread_clock_high(ticks);
			continue;
		}
		if (unlikely(!rt_commit(&t->state, state, state + (1ull << 32) + 1))) /* 5 commit, or a handler was here */
			continue;
		event_store(&t->events[next], ticks, id);                             /* 6 the event, into the slot just won */
		*t->published = context;                                              /* 7 what others see */
		return;
	}
}

HOOK void __cyg_profile_func_exit(void *function_, void *call_site)
{
	const uint64_t function = (uintptr_t)function_;
	const uint64_t frame = (uintptr_t)__builtin_frame_address(1), tail_frame = (uintptr_t)__builtin_frame_address(0);
	struct rt_tls *t = &rt_tls;

	(void)call_site;
	for (;;) {
		uint64_t state = t->state;
		uint32_t next = (uint32_t)state, depth = (uint32_t)(state >> 32);

		if (unlikely(next >= t->end)) {
			if (rt_is_off() || !rt_thread_poll())
				return;
			continue;
		}
		const struct rt_entry *top = &t->stack[depth];
		if (unlikely(top->function != function || (frame != top->frame && tail_frame != top->frame))) {
			if (!rt_thread_check_exit(function, frame, tail_frame))
				return;
			state = t->state;
			next = (uint32_t)state;
			depth = (uint32_t)(state >> 32);
			if (next >= t->end)
				continue;
			top = &t->stack[depth];
		}
		uint32_t parent = top[-1].context;
		uint64_t ticks = rt_clock_ticks();
		if (unlikely((uint32_t)(ticks >> 32) != t->clock_high)) {
			rt_thread_clock_high(ticks);
			continue;
		}
		if (unlikely(!rt_commit(&t->state, state, state - (1ull << 32) + 1)))
			continue;
		event_store(&t->events[next], ticks, CPROF_EVENT_EXIT | parent);
		*t->published = parent;
		return;
	}
}
