/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open calls of a forked child's only thread, taken over from the parent: counted there, timed here from the fork on.
 */
#ifndef CPROF_RT_INHERIT_H
#define CPROF_RT_INHERIT_H

#include <stdbool.h>
#include <stdint.h>

struct rt_entry;

struct rt_inherited {
	uint32_t depth;
	const struct rt_entry *stack; /* stack[1 .. depth] */
};

/* Before the parent's tables are forgotten. */
struct rt_inherited rt_inherit_take(void);
/* With the child's own tables: attaches the thread anew, with those calls open. Signals blocked. */
bool rt_inherit_restart(const struct rt_inherited *inherited);

#endif
