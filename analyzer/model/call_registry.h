/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a profile knows of the program: functions, call sites, and paths (a path is what becomes a node: parent path, function, site).
 *
 * Everything is found by what it is, not by where it was met: contexts of equal parent path, function and resolved site are one path, in whatever
 * trace. Numbers are dense and in order of first use, so a path's parent has a smaller one.
 */
#ifndef CPROF_CALL_REGISTRY_H
#define CPROF_CALL_REGISTRY_H

#include "histogram.h"
#include "module_map.h"
#include "number_map.h"
#include "profile.h"
#include "text_store.h"

#define FUNCTION_NONE UINT32_MAX

enum { PATH_TOP, PATH_OVERFLOW, PATHS_FIXED }; /* PATH_OVERFLOW: where a full context table put the contexts it had no room for */
enum { SITE_NONE }; /* not known at all */

struct call_site {
	const char *file;      /* NULL: only the address is known */
	uint32_t line, column;
	const char *module;
	uint64_t address;      /* the return address */
};

struct call_place { /* an address in the trace's terms, module already as in the module map */
	uint32_t module;
	uint64_t address;
};

struct registered_path {
	uint32_t parent, function, site;
};

struct call_registry {
	struct symbolizer *symbolizer;
	const struct module_map *modules;
	struct text_store *store;

	struct call_function *functions;
	struct histogram_sum *durations; /* of each function */
	size_t nr_functions, functions_capacity;
	struct call_site *sites;
	size_t nr_sites, sites_capacity;
	struct registered_path *paths;
	size_t nr_paths, paths_capacity;

	struct number_map function_of, site_of, path_of;
	struct number_map site_at;       /* (module, return address) -> site */
	struct number_map inlined_at;    /* (module, hook's return address, function) -> site, or INLINED_NOT */
};

/* Modules and store must outlive it; the profile takes functions and store over. */
struct cprof_error *call_registry_init(struct call_registry *registry, struct symbolizer *symbolizer, const struct module_map *modules,
				       struct text_store *store) CPROF_MUST_CHECK;
void call_registry_deinit(struct call_registry *registry);

struct cprof_error *call_registry_function(struct call_registry *registry, struct call_place entry, uint32_t *ret) CPROF_MUST_CHECK;
/*
 * Where function is called from. call_site: return address of the physical frame it runs in; hook_return: of the call of its enter hook. If the
 * hook lies in an inlined copy of the function, the inline chain there names the site; else it is call_site.
 */
struct cprof_error *call_registry_site(struct call_registry *registry, uint32_t function, struct call_place call_site,
				       struct call_place hook_return, uint32_t *ret) CPROF_MUST_CHECK;
struct cprof_error *call_registry_path(struct call_registry *registry, uint32_t parent, uint32_t function, uint32_t site, uint32_t *ret)
	CPROF_MUST_CHECK;

#endif
