/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_names.h"

#include <stdlib.h>

static struct cprof_error *names_init(struct session_names *names, const struct session *session, struct symbolizer *symbolizer)
{
	size_t nr_traces = session_nr_traces(session);
	struct cprof_error *error = module_map_init(&names->modules, session);

	if (!error)
		error = call_registry_init(&names->registry, symbolizer, &names->modules, &names->store);
	if (error)
		return error;
	names->maps = calloc(nr_traces + 1, sizeof *names->maps);
	if (!names->maps)
		return &cprof_enomem;
	for (; !error && names->nr_maps < nr_traces; names->nr_maps += !error) {
		const struct trace *trace = session_trace(session, names->nr_maps);

		error = context_map_init(&names->maps[names->nr_maps], &names->registry, names->nr_maps, trace_tables(trace));
	}
	return error;
}

struct cprof_error *session_names_create(const struct session *session, struct symbolizer *symbolizer, struct session_names **ret)
{
	struct session_names *names = calloc(1, sizeof *names);
	struct cprof_error *error = names ? names_init(names, session, symbolizer) : &cprof_enomem;

	if (error)
		session_names_destroy(names);
	else
		*ret = names;
	return error;
}

void session_names_destroy(struct session_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->nr_maps; i++)
		context_map_deinit(&names->maps[i]);
	free(names->maps);
	call_registry_deinit(&names->registry);
	module_map_deinit(&names->modules);
	text_store_deinit(&names->store);
	free(names);
}

uint32_t session_names_function(const struct session_names *names, size_t trace, uint32_t id)
{
	const struct context_map *map = &names->maps[trace];

	return id < map->nr_contexts ? map->functions[id] : FUNCTION_NONE;
}

const char *session_names_text(const struct session_names *names, uint32_t function)
{
	return function < names->registry.nr_functions ? names->registry.functions[function].name : "?";
}

const struct call_site *session_names_site(const struct session_names *names, size_t trace, uint32_t id)
{
	const struct context_map *map = &names->maps[trace];

	return id && id < map->nr_contexts && map->sites[id] != SITE_NONE ? &names->registry.sites[map->sites[id]] : NULL;
}
