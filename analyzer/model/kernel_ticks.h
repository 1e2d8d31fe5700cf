/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of the kernel half (CLOCK_MONOTONIC) as ticks of a trace, and back: by the straight line through the trace's clock that all of its durations use. */
#ifndef CPROF_KERNEL_TICKS_H
#define CPROF_KERNEL_TICKS_H

#include "session.h"

/* 0 when the trace's clock cannot say. */
uint64_t kernel_ticks(const struct trace *trace, uint64_t monotonic_ns);
uint64_t kernel_ns(const struct trace *trace, uint64_t ticks);

#endif
