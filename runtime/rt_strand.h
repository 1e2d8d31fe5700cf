/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strands: a coroutine's stack has open calls and a stream of events of its own, whichever thread runs it (docs/trace-format.md section 4.2).
 *
 * The stacks are known, not guessed: swapcontext() and its like (rt_context.c) and cprof.h name them, and say when a thread goes over to another.
 * What a thread was in is remembered also while nothing is recorded. No lock is held while anything of the host runs.
 */
#ifndef CPROF_RT_STRAND_H
#define CPROF_RT_STRAND_H

#include <stdbool.h>
#include <stdint.h>

#include "rt_inherit.h"

struct rt_strand;
struct rt_tls;

enum { RT_STRANDS_MAX = 1 << 15 };

/* The strand of the stack [low, high): the one that is there, if it is the same; others that overlap have gone. NULL: there are too many. */
struct rt_strand *rt_strand_make(uint64_t low, uint64_t high);
/* Its stack is no more. */
void rt_strand_destroy(struct rt_strand *strand);
/* Whose stack an address is on; NULL: nobody's that is known, so a thread's own. */
struct rt_strand *rt_strand_find(uint64_t address);

/* What the calling thread runs; NULL: its own. */
struct rt_strand *rt_strand_current(void);
/* The calling thread is about to go over to another strand. Keeps errno. */
void rt_strand_switch(struct rt_strand *to);
/* The same for callers that have blocked signals: each time that is two system calls. */
struct rt_strand *rt_strand_find_blocked(uint64_t address);
void rt_strand_switch_blocked(struct rt_strand *to);
/* An exit of a frame that is none of the current strand's: if it is another's, the thread has gone over to that without a word. */
bool rt_strand_follow(uint64_t frame);
/* Do both addresses lie on the current strand's stack, or neither? */
bool rt_strand_is_same_stack(uint64_t frame, uint64_t other);

/* For rt_thread.c, in the cold path: */
bool rt_strand_rejoin(struct rt_tls *tls); /* a thread that has just been attached may be in a coroutine already */
void rt_strand_go_home(struct rt_tls *tls); /* back to the thread's own: it ends */

/* In a fork's child, before the slots go: what is open in strands will be inherited when they run. Returns what is in the thread's own. */
struct rt_inherited rt_strands_take_over(struct rt_tls *tls);
/* Before a fork, and after it in the parent: the child will go on, or not, with what is open now in this thread's strand and in suspended ones. */
void rt_strands_wipe(struct rt_tls *tls, bool wipe);
void rt_strands_reset(void); /* ... in which another thread may have been at work on the table */

#endif
