/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread's event stream as its owner writes it in the cold path: block after block, what is lost between them, and what is open at a new
 * beginning. Signals are blocked; hooks.c and rt_repair.c write with signals open.
 */
#ifndef CPROF_RT_STREAM_H
#define CPROF_RT_STREAM_H

#include "rt_thread.h"

/* Into the thread's next slot, in the next block if need be. */
void rt_stream_put(struct rt_tls *tls, uint64_t event);
void rt_stream_escape(struct rt_tls *tls, enum cprof_escape kind, uint32_t payload);
/* Calls open now, as events of a new beginning: timed from here, not counted. */
void rt_stream_inherit(struct rt_tls *tls, uint64_t ticks);

/* The next block. false: recording is over; events go where nobody reads them. */
bool rt_stream_block_change(struct rt_thread *thread);
/* A suspended strand goes on in its block, used events of which are written. */
void rt_stream_rebase(struct rt_thread *thread, struct rt_tls *tls, uint32_t used);
/* The block that is being filled goes to whoever drains. */
void rt_stream_hand_over(struct rt_thread *thread, uint32_t items);
/* Counts what the thread has discarded up to now. */
void rt_stream_lost_count(struct rt_thread *thread);
/* A stack entry is written before its event: after this, a whole block of enters fits. */
bool rt_stream_stack_reserve(struct rt_thread *thread, uint32_t events);

/*
 * A child of a raw clone() would go on writing into its parent's blocks. So a stack of open calls is empty in any child (MADV_WIPEONFORK): no call fits, both
 * hooks leave the hot path, and rt_repair.c sees it. Around a fork that we are told of, those that the child goes on with are kept.
 */
void rt_stream_stack_wipe(struct rt_thread *thread, bool wipe);
static inline bool rt_stream_stack_is_empty(const struct rt_entry *stack)
{
	return stack[0].frame != UINT64_MAX; /* the ground */
}

#endif
