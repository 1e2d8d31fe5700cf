/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which range holds an address, when ranges nest or overlap: the one that was added last.
 *
 * Callers add outer ranges before inner ones (a function before what is inlined into it), so that the innermost wins. Overlaps that do not
 * nest (only damaged or hostile files have them) have a defined result too. Building is n log n, a lookup log n; no input makes it worse.
 */
#ifndef CPROF_RANGE_MAP_H
#define CPROF_RANGE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define RANGE_NONE UINT32_MAX

struct range_list { /* zero-initialised is empty */
	struct range *ranges;
	size_t count, capacity;
};

struct range_map { /* zero-initialised is empty */
	struct range_piece *pieces;
	size_t count;
};

/* value: anything but RANGE_NONE. An empty range (high <= low) is ignored. */
struct cprof_error *range_list_add(struct range_list *list, uint64_t low, uint64_t high, uint32_t value) CPROF_MUST_CHECK;
void range_list_deinit(struct range_list *list);

struct cprof_error *range_map_init(struct range_map *map, struct range_list *list) CPROF_MUST_CHECK; /* reorders list */
void range_map_deinit(struct range_map *map);

uint32_t range_map_find(const struct range_map *map, uint64_t address);

#endif
