/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_inherit.h"

#include "rt_contexts.h"
#include "rt_process.h"
#include "rt_slots.h"
#include "rt_status.h"
#include "rt_strand.h"
#include "rt_stream.h"
#include "rt_thread.h"

struct rt_inherited rt_inherit_take(void)
{
	struct rt_tls *tls = &rt_tls;
	struct rt_inherited own = rt_strands_take_over(tls);

	tls->thread = NULL;
	tls->end = 0;
	rt_slots_forget(tls); /* it is the parent's */
	return own;
}

bool rt_inherit_open(struct rt_tls *tls, const struct rt_inherited *inherited, uint64_t ticks)
{
	if (!rt_stream_stack_reserve(tls->thread, inherited->depth + 64)) {
		rt_fail("get memory for the open calls of a thread", NULL, 12, "recording ends here");
		return false;
	}
	for (uint32_t i = 1; i <= inherited->depth; i++) {
		const struct rt_entry *old = &inherited->stack[i];
		struct rt_call call = { old->function, old->call_site, old->hook_return, tls->stack[i - 1].context, false };
		struct rt_context context = rt_contexts_intern(&call);

		tls->stack[i] = (struct rt_entry){ old->frame, old->function, old->hook_return, old->call_site, context.target, context.id };
	}
	rt_state_set(tls, inherited->depth, rt_state_next(tls));
	tls->thread->apart = true; /* the child's stream begins with nothing open */
	tls->thread->told_depth = tls->thread->told_context = 0;
	if (!rt_stream_block_change(tls->thread))
		return false;
	if (inherited->depth)
		rt_stream_inherit(tls, ticks);
	tls->thread->apart = tls->thread->discarding;
	return true;
}

bool rt_inherit_restart(const struct rt_inherited *own)
{
	struct rt_tls *tls = &rt_tls;

	if (!rt_thread_attach(tls))
		return false;
	if (!rt_strand_current())
		return rt_inherit_open(tls, own, rt_process_fork_ticks());
	tls->thread->inherited = *own;
	return rt_strand_rejoin(tls);
}
