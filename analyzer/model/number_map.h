/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Triples of numbers -> index: how the model recognises functions, sites and nodes it has seen before.
 *
 * Keys come from traces and must not be able to make lookups slow: the hash is seeded per map.
 */
#ifndef CPROF_NUMBER_MAP_H
#define CPROF_NUMBER_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define NUMBER_MAP_NONE UINT32_MAX

struct number_key {
	uint64_t a, b, c;
};

struct number_map { /* zero-initialised is empty */
	struct number_map_entry *entries;
	size_t count, capacity;
	uint64_t seed;
};

uint32_t number_map_find(const struct number_map *map, struct number_key key); /* NUMBER_MAP_NONE: not there */
/* key must not be there; value must not be NUMBER_MAP_NONE. */
struct cprof_error *number_map_add(struct number_map *map, struct number_key key, uint32_t value) CPROF_MUST_CHECK;
/* Room for count keys without growing. */
struct cprof_error *number_map_reserve(struct number_map *map, size_t count) CPROF_MUST_CHECK;
void number_map_deinit(struct number_map *map);

#endif
