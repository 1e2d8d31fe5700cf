/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof.h, as seen from the inside. */
#include "cprof.h"

#include <stdint.h>

#include "rt_strand.h"

#pragma GCC visibility push(default)

cprof_strand *cprof_rt_strand_create(void *stack, size_t bytes)
{
	uint64_t low = (uintptr_t)stack;

	return bytes && low + bytes > low ? (cprof_strand *)rt_strand_make(low, low + bytes) : NULL;
}

void cprof_rt_strand_switch(cprof_strand *to)
{
	rt_strand_switch((struct rt_strand *)to);
}

void cprof_rt_strand_destroy(cprof_strand *strand)
{
	if (strand)
		rt_strand_destroy((struct rt_strand *)strand);
}

#pragma GCC visibility pop
