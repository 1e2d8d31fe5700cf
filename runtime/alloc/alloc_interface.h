/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between libcprof and the allocation interposer, which are two libraries: the interposer must be preloaded and stands before malloc; libcprof
 * may be linked, loaded late, or not be there at all.
 *
 * The interposer exports one data symbol, `cprof_alloc_interface`; libcprof refers to it weakly and calls through it when it starts to record and
 * when it ends. The interposer needs nothing of libcprof: until it is called, everything belongs to context 0. Both are checked by version,
 * so that libraries of different releases leave each other alone. Static programs link both in the same way.
 */
#ifndef CPROF_ALLOC_INTERFACE_H
#define CPROF_ALLOC_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_format.h"

#define CPROF_ALLOC_INTERFACE_VERSION 1u

/* What libcprof tells. Valid until finish() or a fork's child. */
struct cprof_alloc_host {
	uint32_t version; /* CPROF_ALLOC_INTERFACE_VERSION */
	uint32_t reserved;
	/* From the thread pointer: of a `struct cprof_slot *` (slots.h) with the thread's current context; NULL while it has recorded nothing. */
	int64_t slot_offset;
	/* A zeroed row of struct cprof_alloc_row that outlives a kill; NULL: none to be had. Called with signals blocked. */
	struct cprof_alloc_row *(*row_take)(void);
};

struct cprof_alloc_interface {
	uint32_t version; /* CPROF_ALLOC_INTERFACE_VERSION */
	uint32_t reserved;
	/*
	 * Recording has started. context: the thread's current one; what a forked child allocated before it began to record goes there. Signals blocked.
	 * false: there is no memory for it, nothing is counted.
	 */
	bool (*started)(const struct cprof_alloc_host *host, uint32_t context);
	/* Around a fork, on the thread that makes it; told by libcprof as well, because _Fork runs no handlers. Twice does no harm. */
	void (*before_fork)(void);
	void (*forked)(void);
	/*
	 * Recording ends: nothing is counted any more. put() gets the sums of all contexts, in ascending order, in pieces of at most `most`. false when
	 * put() said so or there was no memory. *untracked: allocations that could not be followed. Signals blocked.
	 */
	bool (*finish)(bool (*put)(const struct cprof_alloc *records, uint32_t count), uint32_t most, uint64_t *untracked);
};

extern const struct cprof_alloc_interface cprof_alloc_interface;

#endif
