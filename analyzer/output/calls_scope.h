/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of a program's I/O (and waits for locks) is in the views where it was not seen in the kernel: calls of libc's functions are seen by a
 * preloaded library, what libc does inside of its own functions is not. The kernel's own counts of reads and writes say how much that is.
 */
#ifndef CPROF_CALLS_SCOPE_H
#define CPROF_CALLS_SCOPE_H

#include "kernel_views.h"

/* A paragraph, or "seen_by_calls" of the object that is open; nothing where all was seen in the kernel. */
void io_scope_show(const struct kernel_view *to);
/* The same of waits for locks: a paragraph, for people alone. */
void lock_scope_show(const struct kernel_view *to);

#endif
