/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_repair.h"

#include "rt_commit.h"
#include "rt_contexts.h"
#include "rt_stackframe.h"
#include "rt_strand.h"
#include "rt_stream.h"
#include "rt_thread.h"

/* Commits an escape and a depth in one step. false: a handler was here. */
static bool escape_commit(struct rt_tls *tls, uint64_t state, uint32_t depth, enum cprof_escape kind, uint32_t payload)
{
	uint32_t next = (uint32_t)state;
	uint64_t *slot = &tls->events[next]; /* before the commit: a handler after it may change the block */

	if (!rt_commit(&tls->state, state, (uint64_t)depth << 32 | (next + 1)))
		return false;
	__atomic_store_n(slot, (uint64_t)payload << 32 | (CPROF_ESCAPE_FIRST + kind), __ATOMIC_RELAXED);
	tls->thread->lost_escapes += tls->thread->discarding;
	return true;
}

void rt_repair_clock(uint64_t ticks)
{
	struct rt_tls *tls = &rt_tls;
	uint64_t state = tls->state;

	if ((uint32_t)state >= tls->end) /* the caller starts again and polls first */
		return;
	/* A handler between the two says the same once more: harmless. */
	if (escape_commit(tls, state, (uint32_t)(state >> 32), CPROF_ESCAPE_CLOCK, (uint32_t)(ticks >> 32)))
		tls->clock_high = (uint32_t)(ticks >> 32);
}

/* Has the call of this entry ended, seen from a new call with that frame? Frames are compared only within one stack. */
static bool is_gone(const struct rt_entry *entry, uint64_t frame, const struct rt_signal_stack *alternate)
{
	bool on_alternate = entry->frame >= alternate->start && entry->frame < alternate->end;

	if (on_alternate != alternate->current)
		return on_alternate; /* we have left the handler; or this is the handler's first call, above calls that wait below */
	/* A handler may strike while the thread goes over to another strand: its frames lie on the stack of the one before. */
	if (!rt_strand_is_same_stack(entry->frame, frame))
		return rt_strand_find(frame) == rt_strand_current();
	return entry->frame < frame;
}

/* A child of a raw clone(): from now on every event of it polls, and the first begins a recording of its own. */
static bool is_told_now(struct rt_tls *tls)
{
	if (__builtin_expect(!rt_stream_stack_is_empty(tls->stack), 1))
		return false;
	tls->end = 0;
	return true;
}

uint64_t rt_repair_enter(uint64_t frame, uint64_t call_site, uint64_t hook_return)
{
	struct rt_tls *tls = &rt_tls;

	for (;;) {
		uint64_t state = tls->state;
		uint32_t depth = (uint32_t)(state >> 32), keep = depth;
		const struct rt_entry *stack = tls->stack;

		if ((uint32_t)state >= tls->end || frame < stack[depth].frame || is_told_now(tls))
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
		if (escape_commit(tls, state, keep, CPROF_ESCAPE_REPAIR, depth - keep))
			return frame;
	}
}

bool rt_repair_exit(uint64_t function, uint64_t frame, uint64_t tail_frame)
{
	struct rt_tls *tls = &rt_tls;

	for (;;) {
		uint64_t state = tls->state;
		uint32_t depth = (uint32_t)(state >> 32), match = depth;

		if (is_told_now(tls))
			return true;
		for (; match; match--) {
			const struct rt_entry *entry = &tls->stack[match];

			if (entry->function == function &&
			    (entry->frame == frame || entry->frame == tail_frame || rt_contexts_no_frame(entry->id)))
				break;
		}
		if (!match) {
			if (rt_strand_follow(frame))
				continue;
			tls->thread->record->unmatched_exits++;
			return false;
		}
		if (match == depth || (uint32_t)state >= tls->end)
			return true;
		if (escape_commit(tls, state, match, CPROF_ESCAPE_REPAIR, depth - match))
			return true;
	}
}
