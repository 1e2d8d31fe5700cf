/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames: does a frame pointer lead to a return address, and which stack is it on? Cold; never faults.
 */
#ifndef CPROF_RT_STACKFRAME_H
#define CPROF_RT_STACKFRAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Does the word above `frame` hold call_site? It does in every function that keeps a frame pointer. `outer` is the frame of the innermost open call:
 * between the stack pointer and it memory is there to be read.
 */
bool rt_frame_leads_to(uint64_t frame, uint64_t call_site, uint64_t outer);

/* The alternate signal stack of this thread: empty (end 0) when it has none. */
struct rt_signal_stack {
	uint64_t start, end;
	bool current; /* we run on it now */
};
struct rt_signal_stack rt_signal_stack(void);

#endif
