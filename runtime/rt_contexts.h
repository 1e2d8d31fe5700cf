/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calling-context table of the process: (parent, function, call site, hook return address) -> id.
 *
 * Lock-free: a record is complete before its id is visible, and who loses a race marks its own record dead. Safe in signal handlers that
 * interrupt it. Threads look contexts up in caches of their own; only misses come here.
 */
#ifndef CPROF_RT_CONTEXTS_H
#define CPROF_RT_CONTEXTS_H

#include <stdbool.h>
#include <stdint.h>

struct rt_call {        /* what a hook knows of a call */
	uint64_t function, call_site, hook_return;
	uint32_t parent;    /* current context when the call was made */
	bool no_frame;      /* its frame pointer does not lead to call_site */
};

struct rt_context {     /* the answer */
	uint32_t id;        /* of the context or the folding edge */
	uint32_t target;    /* the context that is current inside the call */
};

/* Sizes the private half after rt_live_create(), with fewer contexts where the address space is tight. false: no memory. */
bool rt_contexts_create(void);
void rt_contexts_destroy(void);

struct rt_context rt_contexts_intern(const struct rt_call *call);
uint32_t rt_contexts_target(uint32_t id);
uint32_t rt_contexts_parent(uint32_t id);
/* A folding edge from a context back to an ancestor; of several, which differ in their call sites alone, the first. 0: there is none. Slow. */
uint32_t rt_contexts_edge(uint32_t parent, uint32_t target);
bool rt_contexts_no_frame(uint32_t id);
uint32_t rt_contexts_count(void); /* ids given out are below it */

/* At the end: records that other threads are making this moment, for calls that come too late, are marked dead. Returns rt_contexts_count() of
 * that moment: ids from there on are nobody's. */
uint32_t rt_contexts_settle(void);

/* Addresses in [start, end) went away: contexts made of them are never found again, their records stay. */
void rt_contexts_forget(uint64_t start, uint64_t end);

#endif
