/* SPDX-License-Identifier: BSD-2-Clause */
#include "module_map.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "profile.h"
#include "symbolizer.h"

static size_t path_bytes(const struct cprof_module *module)
{
	return strnlen(module->path, module->path_bytes < sizeof module->path ? module->path_bytes : sizeof module->path);
}

static size_t build_id_bytes(const struct cprof_module *module)
{
	return module->build_id_bytes < sizeof module->build_id ? module->build_id_bytes : sizeof module->build_id;
}

static struct number_key module_key(const struct cprof_module *module)
{
	return (struct number_key){ XXH3_64bits(module->path, path_bytes(module)), XXH3_64bits(module->build_id, build_id_bytes(module)),
				    path_bytes(module) << 32 | build_id_bytes(module) };
}

static struct cprof_error *module_add(struct module_map *map, struct number_map *known, const struct cprof_module *module, uint32_t *id)
{
	uint32_t index = number_map_find(known, module_key(module));

	if (index == NUMBER_MAP_NONE) {
		const struct cprof_module **grown = realloc(map->modules, (map->nr_modules + 1) * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		map->modules = grown;
		index = (uint32_t)map->nr_modules;
		struct cprof_error *error = number_map_add(known, module_key(module), index);
		if (error)
			return error;
		grown[map->nr_modules++] = module;
	}
	*id = index + 1;
	return NULL;
}

static struct cprof_error *trace_add(struct module_map *map, struct number_map *known, size_t trace)
{
	const struct trace_tables *tables = trace_tables(session_trace(map->session, trace));

	map->ids[trace] = calloc(tables->nr_modules + 1, sizeof *map->ids[trace]);
	if (!map->ids[trace])
		return &cprof_enomem;
	for (size_t i = 0; i < tables->nr_modules; i++) {
		struct cprof_error *error = module_add(map, known, &tables->modules[i], &map->ids[trace][i]);

		if (error)
			return error;
	}
	return NULL;
}

static struct cprof_error *kernel_add(struct module_map *map, struct number_map *known, size_t kernel)
{
	const struct kernel_tables *tables = kernel_file_tables(session_kernel(map->session, kernel));

	map->kernel_ids[kernel] = calloc(tables->nr_modules + 1, sizeof *map->kernel_ids[kernel]);
	if (!map->kernel_ids[kernel])
		return &cprof_enomem;
	for (size_t i = 0; i < tables->nr_modules; i++) {
		struct cprof_error *error = module_add(map, known, &tables->modules[i].module, &map->kernel_ids[kernel][i]);

		if (error)
			return error;
	}
	return NULL;
}

struct cprof_error *module_map_init(struct module_map *map, const struct session *session)
{
	struct number_map known = { 0 };
	struct cprof_error *error = NULL;

	*map = (struct module_map){ .session = session, .nr_traces = session_nr_traces(session) };
	map->ids = calloc(map->nr_traces + 1, sizeof *map->ids);
	map->nr_kernels = session_nr_kernels(session);
	map->kernel_ids = calloc(map->nr_kernels + 1, sizeof *map->kernel_ids);
	if (!map->ids || !map->kernel_ids)
		error = &cprof_enomem;
	for (size_t i = 0; !error && i < map->nr_traces; i++)
		error = trace_add(map, &known, i);
	for (size_t i = 0; !error && i < map->nr_kernels; i++)
		error = kernel_add(map, &known, i);
	number_map_deinit(&known);
	if (error)
		module_map_deinit(map);
	return error;
}

void module_map_deinit(struct module_map *map)
{
	for (size_t i = 0; map->ids && i < map->nr_traces; i++)
		free(map->ids[i]);
	for (size_t i = 0; map->kernel_ids && i < map->nr_kernels; i++)
		free(map->kernel_ids[i]);
	free(map->kernel_ids);
	free(map->ids);
	free(map->modules);
	*map = (struct module_map){ 0 };
}

uint32_t module_map_kernel_id(const struct module_map *map, size_t kernel, const struct kernel_module *module)
{
	return map->kernel_ids[kernel][module - kernel_file_tables(session_kernel(map->session, kernel))->modules];
}

uint32_t module_map_id(const struct module_map *map, size_t trace, uint32_t module)
{
	const struct trace_tables *tables = trace_tables(session_trace(map->session, trace));
	size_t low = 0, high = tables->nr_modules;

	if (!module)
		return 0;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->modules[middle].id < module)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tables->nr_modules && tables->modules[low].id == module ? map->ids[trace][low] : MODULE_UNKNOWN;
}

struct cprof_error *session_add_modules(const struct session *session, struct symbolizer *symbolizer)
{
	struct module_map map;
	struct cprof_error *error = module_map_init(&map, session);

	if (error)
		return error;
	for (size_t i = 0; !error && i < map.nr_modules; i++) {
		const struct cprof_module *module = map.modules[i];
		char path[sizeof module->path + 1] = { 0 };

		memcpy(path, module->path, path_bytes(module));
		error = symbolizer_add_module(symbolizer, (uint32_t)i + 1, path, module->build_id, build_id_bytes(module));
	}
	module_map_deinit(&map);
	return error;
}
