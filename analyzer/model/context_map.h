/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each context id of a trace means in the profile: its function, its site, its path; and how a tally is to treat it.
 */
#ifndef CPROF_CONTEXT_MAP_H
#define CPROF_CONTEXT_MAP_H

#include "call_registry.h"
#include "call_tally.h"

struct context_map {
	const struct cprof_context *contexts;
	uint32_t nr_contexts;  /* at least 1 */
	uint32_t *functions;   /* [id]; FUNCTION_NONE for 0. An edge has its target's */
	uint32_t *sites;       /* [id]; NULL: of functions alone */
	uint32_t *paths;       /* [id]; an edge has its target's. NULL as well */
	bool *function_counted; /* [function]: calls of it can be open more than once at a time */
	uint32_t nr_functions; /* of the registry when this was made */
	uint32_t nr_groups, function_groups; /* of the tally: where the spans of paths and functions that need counting are */
	bool overflown;        /* some contexts are per function only */
};

struct cprof_error *context_map_init(struct context_map *map, struct call_registry *registry, size_t trace, const struct trace_tables *tables)
	CPROF_MUST_CHECK;
/* Without sites and paths: only which function each context is of. */
struct cprof_error *context_map_init_functions(struct context_map *map, struct call_registry *registry, size_t trace, const struct trace_tables *tables)
	CPROF_MUST_CHECK;
void context_map_deinit(struct context_map *map);

uint32_t context_map_target(const struct context_map *map, uint32_t id);
bool context_map_is_edge(const struct context_map *map, uint32_t id);

uint32_t context_map_path_group(uint32_t path);
uint32_t context_map_function_group(const struct context_map *map, uint32_t function);
struct cprof_error *context_map_tally_init(const struct context_map *map, bool unroll, struct call_tally *tally) CPROF_MUST_CHECK;

#endif
