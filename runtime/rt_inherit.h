/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open calls of a forked child's only thread, taken over from the parent: counted there, timed here from the fork on.
 */
#ifndef CPROF_RT_INHERIT_H
#define CPROF_RT_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

struct rt_entry;
struct rt_tls;

struct rt_inherited {
	uint32_t depth;
	const struct rt_entry *stack; /* stack[1 .. depth] */
	bool suspended;               /* they did not run */
};

/* Before the parent's tables are forgotten: what is open in the thread's own strand; rt_strand.c keeps those of others. */
struct rt_inherited rt_inherit_take(void);
/* With the child's own tables: attaches the thread anew, with those calls open. Signals blocked. */
bool rt_inherit_restart(const struct rt_inherited *own);
/* The calls are open in the strand that tls runs, in which nothing has been recorded: timed from ticks on, not counted. */
bool rt_inherit_open(struct rt_tls *tls, const struct rt_inherited *inherited, uint64_t ticks);

#endif
