/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_registry.h"

#include <stdlib.h>
#include <string.h>

#include "symbolizer.h"

#define INLINED_NOT (NUMBER_MAP_NONE - 1) /* the function is out of line there */

/* Room for one more. */
static struct cprof_error *array_reserve(void **array, size_t count, size_t *capacity, size_t item_bytes)
{
	size_t grown_capacity = *capacity ? *capacity * 2 : 64;
	void *grown;

	if (count < *capacity)
		return NULL;
	if (count >= NUMBER_MAP_NONE / 4 || !(grown = realloc(*array, grown_capacity * item_bytes)))
		return &cprof_enomem;
	*array = grown;
	*capacity = grown_capacity;
	return NULL;
}

static struct cprof_error *path_append(struct call_registry *registry, struct registered_path path)
{
	struct cprof_error *error =
		array_reserve((void **)&registry->paths, registry->nr_paths, &registry->paths_capacity, sizeof path);

	if (!error)
		registry->paths[registry->nr_paths++] = path;
	return error;
}

static struct cprof_error *site_append(struct call_registry *registry, struct call_site site)
{
	struct cprof_error *error =
		array_reserve((void **)&registry->sites, registry->nr_sites, &registry->sites_capacity, sizeof site);

	if (!error)
		registry->sites[registry->nr_sites++] = site;
	return error;
}

struct cprof_error *call_registry_init(struct call_registry *registry, struct symbolizer *symbolizer, const struct module_map *modules,
				       struct text_store *store)
{
	struct cprof_error *error = NULL;

	*registry = (struct call_registry){ .symbolizer = symbolizer, .modules = modules, .store = store };
	for (int i = 0; !error && i < PATHS_FIXED; i++)
		error = path_append(registry, (struct registered_path){ PATH_TOP, FUNCTION_NONE, SITE_NONE });
	if (!error)
		error = site_append(registry, (struct call_site){ .module = "" });
	if (error)
		call_registry_deinit(registry);
	return error;
}

void call_registry_deinit(struct call_registry *registry)
{
	for (size_t i = 0; registry->durations && i < registry->nr_functions; i++)
		histogram_sum_deinit(&registry->durations[i]);
	free(registry->durations);
	free(registry->functions);
	free(registry->sites);
	free(registry->paths);
	number_map_deinit(&registry->function_of);
	number_map_deinit(&registry->site_of);
	number_map_deinit(&registry->path_of);
	number_map_deinit(&registry->site_at);
	number_map_deinit(&registry->inlined_at);
	*registry = (struct call_registry){ 0 };
}

/* Texts that may be NULL stay so. */
static struct cprof_error *text_keep(struct call_registry *registry, const char *text, const char **ret)
{
	*ret = NULL;
	return text ? text_store_add(registry->store, text, ret) : NULL;
}

static struct cprof_error *module_path(struct call_registry *registry, uint32_t module, const char **ret)
{
	char path[CPROF_MODULE_PATH_MAX + 1] = "";

	if (module && module <= registry->modules->nr_modules) {
		const struct cprof_module *record = registry->modules->modules[module - 1];

		memcpy(path, record->path, record->path_bytes < CPROF_MODULE_PATH_MAX ? record->path_bytes : CPROF_MODULE_PATH_MAX);
	}
	return text_keep(registry, path, ret);
}

static struct cprof_error *function_describe(struct call_registry *registry, struct call_place entry, struct call_function *function)
{
	struct symbol_function symbol;
	struct cprof_error *error = symbolizer_function(registry->symbolizer, entry.module, entry.address, &symbol);

	if (error)
		return error;
	*function = (struct call_function){ .line = symbol.line, .known = symbol.known, .address = entry.address };
	error = text_keep(registry, symbol.name, &function->name);
	if (!error)
		error = text_keep(registry, symbol.linkage, &function->linkage);
	if (!error)
		error = text_keep(registry, symbol.file, &function->file);
	return error ? error : module_path(registry, entry.module, &function->module);
}

static struct cprof_error *functions_reserve(struct call_registry *registry)
{
	size_t capacity = registry->functions_capacity;
	struct cprof_error *error =
		array_reserve((void **)&registry->durations, registry->nr_functions, &capacity, sizeof *registry->durations);

	return error ? error : array_reserve((void **)&registry->functions, registry->nr_functions, &registry->functions_capacity,
					     sizeof *registry->functions);
}

struct cprof_error *call_registry_function(struct call_registry *registry, struct call_place entry, uint32_t *ret)
{
	struct number_key key = { entry.module, entry.address, 0 };
	uint32_t index = number_map_find(&registry->function_of, key);
	struct call_function function;
	struct cprof_error *error;

	if (index != NUMBER_MAP_NONE) {
		*ret = index;
		return NULL;
	}
	error = functions_reserve(registry);
	if (!error)
		error = function_describe(registry, entry, &function);
	if (!error)
		error = number_map_add(&registry->function_of, key, (uint32_t)registry->nr_functions);
	if (error)
		return error;
	*ret = (uint32_t)registry->nr_functions;
	registry->functions[registry->nr_functions] = function;
	registry->durations[registry->nr_functions] = (struct histogram_sum){ 0 };
	registry->nr_functions++;
	return NULL;
}

/* Sites. */

static struct cprof_error *site_intern(struct call_registry *registry, struct number_key key, struct call_site site, uint32_t *ret)
{
	uint32_t index = number_map_find(&registry->site_of, key);
	struct cprof_error *error;

	if (index != NUMBER_MAP_NONE) {
		*ret = index;
		return NULL;
	}
	error = site_append(registry, site);
	if (!error)
		error = number_map_add(&registry->site_of, key, (uint32_t)registry->nr_sites - 1);
	if (!error)
		*ret = (uint32_t)registry->nr_sites - 1;
	return error;
}

static struct cprof_error *site_of_frame(struct call_registry *registry, const struct symbol_frame *frame, uint32_t *ret)
{
	struct call_site site = { .line = frame->line, .column = frame->column, .module = "" };
	struct cprof_error *error = text_keep(registry, frame->file, &site.file);

	if (error)
		return error;
	/* Files are kept once, so that their pointers identify them. The last number sets these keys apart from those of addresses. */
	return site_intern(registry, (struct number_key){ (uintptr_t)site.file, (uint64_t)site.line << 32 | site.column, 1 }, site, ret);
}

static struct cprof_error *site_of_address(struct call_registry *registry, struct call_place place, uint32_t *ret)
{
	struct call_site site = { .address = place.address };
	struct cprof_error *error = module_path(registry, place.module, &site.module);

	return error ? error : site_intern(registry, (struct number_key){ place.module, place.address, 0 }, site, ret);
}

/* The chain at the call before a return address. */
static struct cprof_error *chain_before(struct call_registry *registry, struct call_place place, const struct symbol_frame **frames,
					size_t *count)
{
	*count = 0;
	return place.address ? symbolizer_chain(registry->symbolizer, place.module, place.address - 1, frames, count) : NULL;
}

static struct cprof_error *physical_site(struct call_registry *registry, struct call_place call_site, uint32_t *ret)
{
	struct number_key key = { call_site.module, call_site.address, 0 };
	uint32_t site = number_map_find(&registry->site_at, key);
	const struct symbol_frame *frames;
	size_t count;
	struct cprof_error *error;

	if (site != NUMBER_MAP_NONE) {
		*ret = site;
		return NULL;
	}
	error = chain_before(registry, call_site, &frames, &count);
	if (!error && count && frames[0].file && frames[0].line)
		error = site_of_frame(registry, &frames[0], &site);
	else if (!error)
		error = site_of_address(registry, call_site, &site);
	if (!error)
		error = number_map_add(&registry->site_at, key, site);
	if (!error)
		*ret = site;
	return error;
}

/* Up to where a name says which function it is: not its parameters, nor what a compiler appends to clones (".part.0", " [clone .cold]"). */
static size_t name_length(const char *name)
{
	const char *operator_name = strstr(name, "operator()");
	size_t skip = operator_name ? (size_t)(operator_name - name) + strlen("operator()") : 0;

	return skip + strcspn(name + skip, "([.");
}

static bool names_agree(const char *name, const char *other)
{
	size_t length;

	if (!name || !other)
		return false;
	length = name_length(name);
	return length && length == name_length(other) && memcmp(name, other, length) == 0;
}

static bool frame_is_function(const struct symbol_frame *frame, const struct call_function *function)
{
	return names_agree(frame->function, function->name) || names_agree(frame->function, function->linkage);
}

/*
 * The frame whose place is the call of function, or NULL when the function is the physical frame itself. Usually the hook's innermost frame is the
 * function. Where names are no help (the source may call it otherwise than the symbol table), that is assumed.
 */
static const struct symbol_frame *calling_frame(const struct call_function *function, const struct symbol_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (frame_is_function(&frames[i], function))
			return i + 1 < count ? &frames[i + 1] : NULL;
	return count > 1 ? &frames[1] : NULL;
}

/*
 * Whether the hook's call lies in the code of another function, whatever its debug info says: where a compiler merged the beginnings of several inlined
 * calls, it knows neither scope nor line.
 */
static struct cprof_error *hook_is_elsewhere(struct call_registry *registry, const struct call_function *function, struct call_place hook_return, bool *ret)
{
	struct symbol_function host;
	struct cprof_error *error;

	*ret = false;
	if (!hook_return.address || !function->known)
		return NULL;
	error = symbolizer_function(registry->symbolizer, hook_return.module, hook_return.address - 1, &host);
	if (error)
		return error;
	*ret = host.known && !names_agree(host.name, function->name) && !names_agree(host.linkage, function->linkage);
	return NULL;
}

static struct cprof_error *inlined_site(struct call_registry *registry, uint32_t function, struct call_place hook_return, uint32_t *ret)
{
	struct number_key key = { hook_return.module, hook_return.address, function };
	const struct symbol_frame *frames, *caller;
	bool elsewhere = false;
	size_t count;
	struct cprof_error *error;

	*ret = number_map_find(&registry->inlined_at, key);
	if (*ret != NUMBER_MAP_NONE)
		return NULL;
	error = chain_before(registry, hook_return, &frames, &count);
	if (error)
		return error;
	caller = calling_frame(&registry->functions[function], frames, count);
	*ret = INLINED_NOT;
	if (caller && caller->file && caller->line)
		error = site_of_frame(registry, caller, ret);
	else if (!caller)
		error = hook_is_elsewhere(registry, &registry->functions[function], hook_return, &elsewhere);
	if (!error && (elsewhere || (caller && *ret == INLINED_NOT))) /* inlined, nobody knows from which line: not from where its host is called */
		error = site_of_address(registry, hook_return, ret);
	return error ? error : number_map_add(&registry->inlined_at, key, *ret);
}

struct cprof_error *call_registry_site(struct call_registry *registry, uint32_t function, struct call_place call_site,
				       struct call_place hook_return, uint32_t *ret)
{
	uint32_t site;
	struct cprof_error *error = inlined_site(registry, function, hook_return, &site);

	if (error)
		return error;
	if (site == INLINED_NOT)
		return physical_site(registry, call_site, ret);
	*ret = site;
	return NULL;
}

struct cprof_error *call_registry_path(struct call_registry *registry, uint32_t parent, uint32_t function, uint32_t site, uint32_t *ret)
{
	struct number_key key = { parent, function, site };
	uint32_t path = number_map_find(&registry->path_of, key);
	struct cprof_error *error;

	if (path != NUMBER_MAP_NONE) {
		*ret = path;
		return NULL;
	}
	error = path_append(registry, (struct registered_path){ parent, function, site });
	if (!error)
		error = number_map_add(&registry->path_of, key, (uint32_t)registry->nr_paths - 1);
	if (!error)
		*ret = (uint32_t)registry->nr_paths - 1;
	return error;
}
