/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hook writes besides its own event: calls that have ended without an exit, and the clock's upper half.
 *
 * Called by hooks with signals open: each commits through `state` like them, or leaves the caller to begin again. No locks, no memory.
 */
#ifndef CPROF_RT_REPAIR_H
#define CPROF_RT_REPAIR_H

#include <stdbool.h>
#include <stdint.h>

/* The clock's upper half changed: says so in the stream. */
void rt_repair_clock(uint64_t ticks);
/* A call's frame is not below the innermost open one's. Repairs what has ended without an exit and returns the frame to record. */
uint64_t rt_repair_enter(uint64_t frame, uint64_t call_site, uint64_t hook_return);
/* An exit does not match the innermost open call. Returns false when it matches none: ignore it. */
bool rt_repair_exit(uint64_t function, uint64_t frame, uint64_t tail_frame);

#endif
