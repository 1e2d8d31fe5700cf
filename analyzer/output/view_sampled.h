/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampled frames (libc, the kernel) in pictures and files whose widths must add up. For call_view.c.
 *
 * In the tree a sampled frame has no time of its own: it is in the self time of the recorded function above it. Here the on-CPU part of that self time, which is
 * exact where the scheduler was followed, is shared out by the samples taken in it: among the sampled frames and what is left to the function. Totals
 * of recorded functions do not change, and off-CPU time stays the function's.
 */
#ifndef CPROF_VIEW_SAMPLED_H
#define CPROF_VIEW_SAMPLED_H

#include "call_view.h"

/* Nothing to do for runs without samples. The view becomes a copy. */
struct cprof_error *view_sampled(struct call_view *view, const struct call_view_options *options) CPROF_MUST_CHECK;

#endif
