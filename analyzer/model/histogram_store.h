/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for the histograms of one tally: whole cache lines, which are used again for others and given back all together.
 *
 * A run has some for each of its contexts: malloc() for each, and the page faults, would cost more than counting.
 */
#ifndef CPROF_HISTOGRAM_STORE_H
#define CPROF_HISTOGRAM_STORE_H

#include <stddef.h>

enum { HISTOGRAM_STORE_LINE = 64, HISTOGRAM_STORE_MAX_LINES = 240 }; /* bytes of a line; the most of one histogram */

struct histogram_store { /* zero-initialised is empty */
	struct histogram_block *blocks; /* the one in use first */
	char *next, *end;               /* of it */
	size_t block_bytes;
	void *released[HISTOGRAM_STORE_MAX_LINES + 1]; /* [lines]: of that many, the first word is the next */
};

/* Uninitialised; lines at most HISTOGRAM_STORE_MAX_LINES. NULL: no memory. */
void *histogram_store_alloc(struct histogram_store *store, size_t lines);
void histogram_store_release(struct histogram_store *store, void *memory, size_t lines);
/* All of it. */
void histogram_store_deinit(struct histogram_store *store);

#endif
