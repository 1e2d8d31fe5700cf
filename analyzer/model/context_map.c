/* SPDX-License-Identifier: BSD-2-Clause */
#include "context_map.h"

#include <stdlib.h>

/* A damaged table may lack records: those are zero, and are their own target, outside everything. */
static uint32_t record_target(const struct cprof_context *contexts, uint32_t id)
{
	return contexts[id].target ? contexts[id].target : id;
}

uint32_t context_map_target(const struct context_map *map, uint32_t id)
{
	uint32_t target = id ? record_target(map->contexts, id) : 0;

	/* An edge must lead to a context. One that leads to an edge is damage: its own record stands for it. */
	return target && record_target(map->contexts, target) == target ? target : id;
}

bool context_map_is_edge(const struct context_map *map, uint32_t id)
{
	return context_map_target(map, id) != id;
}

static uint32_t context_parent(const struct context_map *map, uint32_t id)
{
	return id ? context_map_target(map, map->contexts[id].parent) : 0;
}

static struct cprof_error *context_function(struct context_map *map, struct call_registry *registry, size_t trace, uint32_t id)
{
	const struct cprof_context *context = &map->contexts[id];
	struct call_place entry = { module_map_id(registry->modules, trace, context->function_module), context->function };
	struct cprof_error *error = call_registry_function(registry, entry, &map->functions[id]);

	if (error)
		return error;
	if (context_map_is_edge(map, id))
		map->functions[id] = map->functions[context_map_target(map, id)];
	else
		map->overflown |= context->flags & CPROF_CONTEXT_OVERFLOW;
	return NULL;
}

static struct cprof_error *context_describe(struct context_map *map, struct call_registry *registry, size_t trace, uint32_t id)
{
	const struct cprof_context *context = &map->contexts[id];
	struct call_place call_site = { module_map_id(registry->modules, trace, context->site_module), context->call_site };
	struct call_place hook_return = { module_map_id(registry->modules, trace, context->hook_module), context->hook_return };
	uint32_t parent = map->paths[context_parent(map, id)];
	struct cprof_error *error = context_function(map, registry, trace, id);

	if (!error && context->flags & CPROF_CONTEXT_OVERFLOW)
		parent = PATH_OVERFLOW; /* and its site is just that of the call that came first */
	else if (!error)
		error = call_registry_site(registry, map->functions[id], call_site, hook_return, &map->sites[id]);
	if (error)
		return error;
	if (context_map_is_edge(map, id)) {
		map->paths[id] = map->paths[context_map_target(map, id)];
		return NULL;
	}
	return call_registry_path(registry, parent, map->functions[id], map->sites[id], &map->paths[id]);
}

/*
 * Calls of a context can be open more than once if it lies between an edge's target and the caller the edge starts from, both included. Found for
 * all at once: +1 at the caller, -1 above the target, summed over what is below. A function can, if one of its contexts can, or if
 * the table was full, so that contexts do not tell what is open.
 */
static struct cprof_error *mark_counted(struct context_map *map)
{
	int64_t *edges = calloc(map->nr_contexts, sizeof *edges);

	if (!edges)
		return &cprof_enomem;
	for (uint32_t id = 1; id < map->nr_contexts; id++) {
		if (!context_map_is_edge(map, id))
			continue;
		edges[context_parent(map, id)]++;
		edges[context_parent(map, context_map_target(map, id))]--;
	}
	for (uint32_t id = map->nr_contexts; --id;) {
		if (context_map_is_edge(map, id))
			continue;
		if (edges[id] || map->overflown)
			map->function_counted[map->functions[id]] = true;
		edges[context_parent(map, id)] += edges[id];
	}
	free(edges);
	return NULL;
}

/* describe: what is to be known of each context. */
static struct cprof_error *map_make(struct context_map *map, struct call_registry *registry, size_t trace, const struct trace_tables *tables,
				    struct cprof_error *(*describe)(struct context_map *, struct call_registry *, size_t, uint32_t))
{
	bool with_paths = describe == context_describe;
	struct cprof_error *error = NULL;

	*map = (struct context_map){ .contexts = tables->contexts, .nr_contexts = tables->nr_contexts ? (uint32_t)tables->nr_contexts : 1 };
	if (tables->nr_contexts > CPROF_CONTEXT_LIMIT)
		return cprof_error_create(CPROF_ERROR_FORMAT, "more contexts than there are ids");
	map->functions = calloc(map->nr_contexts, sizeof *map->functions);
	if (with_paths) {
		map->sites = calloc(map->nr_contexts, sizeof *map->sites);
		map->paths = calloc(map->nr_contexts, sizeof *map->paths);
	}
	if (!map->functions || (with_paths && (!map->sites || !map->paths)))
		error = &cprof_enomem;
	else
		map->functions[0] = FUNCTION_NONE;
	if (!error && with_paths)
		error = number_map_reserve(&registry->path_of, registry->nr_paths + (map->nr_contexts < 1u << 20 ? map->nr_contexts : 0));
	for (uint32_t id = 1; !error && id < map->nr_contexts; id++)
		error = describe(map, registry, trace, id);
	map->nr_functions = (uint32_t)registry->nr_functions;
	map->function_groups = 1 + (with_paths ? (uint32_t)registry->nr_paths : 0);
	map->nr_groups = map->function_groups + map->nr_functions;
	if (!error && !(map->function_counted = calloc(map->nr_functions + 1, sizeof *map->function_counted)))
		error = &cprof_enomem;
	if (!error)
		error = mark_counted(map);
	if (error)
		context_map_deinit(map);
	return error;
}

struct cprof_error *context_map_init(struct context_map *map, struct call_registry *registry, size_t trace, const struct trace_tables *tables)
{
	return map_make(map, registry, trace, tables, context_describe);
}

struct cprof_error *context_map_init_functions(struct context_map *map, struct call_registry *registry, size_t trace, const struct trace_tables *tables)
{
	return map_make(map, registry, trace, tables, context_function);
}

void context_map_deinit(struct context_map *map)
{
	free(map->functions);
	free(map->sites);
	free(map->paths);
	free(map->function_counted);
	*map = (struct context_map){ 0 };
}

uint32_t context_map_path_group(uint32_t path)
{
	return 1 + path;
}

uint32_t context_map_function_group(const struct context_map *map, uint32_t function)
{
	return map->function_groups + function;
}

struct cprof_error *context_map_tally_init(const struct context_map *map, bool unroll, struct call_tally *tally)
{
	struct cprof_error *error = call_tally_init(tally, map->nr_contexts, map->nr_groups, unroll);

	if (error)
		return error;
	for (uint32_t id = 1; id < map->nr_contexts; id++) {
		struct call_slot *slot = &tally->slots[id];
		bool overflow = map->contexts[id].flags & CPROF_CONTEXT_OVERFLOW;

		slot->target = context_map_target(map, id);
		slot->parent = context_parent(map, id);
		slot->flags = (map->function_counted[map->functions[id]] ? CALL_SLOT_COUNTED : 0) |
			      (overflow || (unroll && context_map_is_edge(map, id)) ? CALL_SLOT_PATH : 0);
		slot->node_group = unroll || !map->paths ? 0 : context_map_path_group(map->paths[id]);
		slot->function_group = context_map_function_group(map, map->functions[id]);
	}
	return NULL;
}
