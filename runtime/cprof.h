/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program can tell cprof. All of it is optional, costs nothing to include, and does nothing where the runtime is not there.
 *
 * Coroutines that switch stacks by themselves, not by <ucontext.h>: without a word cprof takes what runs on the new stack for calls of the function
 * that switched. With
 *
 *	cprof_strand *strand = cprof_strand_create(stack, bytes);	(when the stack is made)
 *	cprof_strand_switch(strand);					(right before the thread goes over to it)
 *	cprof_strand_switch(NULL);					(... or back to its own stack)
 *	cprof_strand_destroy(strand);					(before the memory is used for anything else)
 *
 * each has its own calls, on whichever thread it runs, and the time while it waits is nobody's.
 */
#ifndef CPROF_H
#define CPROF_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cprof_strand cprof_strand;

/* The runtime's; call those below. */
__attribute__((weak)) cprof_strand *cprof_rt_strand_create(void *stack, size_t bytes);
__attribute__((weak)) void cprof_rt_strand_switch(cprof_strand *to);
__attribute__((weak)) void cprof_rt_strand_destroy(cprof_strand *strand);

/* stack: its lowest address. NULL without a runtime, or when there are more than it can hold: the calls below take that for the thread's own. */
__attribute__((unused, no_instrument_function)) static inline cprof_strand *cprof_strand_create(void *stack, size_t bytes)
{
	return cprof_rt_strand_create ? cprof_rt_strand_create(stack, bytes) : (cprof_strand *)0;
}

__attribute__((unused, no_instrument_function)) static inline void cprof_strand_switch(cprof_strand *to)
{
	if (cprof_rt_strand_switch)
		cprof_rt_strand_switch(to);
}

__attribute__((unused, no_instrument_function)) static inline void cprof_strand_destroy(cprof_strand *strand)
{
	if (cprof_rt_strand_destroy)
		cprof_rt_strand_destroy(strand);
}

#ifdef __cplusplus
}
#endif

#endif
