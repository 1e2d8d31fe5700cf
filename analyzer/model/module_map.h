/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modules of all traces of a session as one list: what several processes have in common is opened once and its functions are the same ones.
 *
 * The numbers it gives are the symbolizer's module ids; they depend on the session alone.
 */
#ifndef CPROF_MODULE_MAP_H
#define CPROF_MODULE_MAP_H

#include "number_map.h"
#include "kernel_file.h"
#include "session.h"

#define MODULE_UNKNOWN UINT32_MAX /* a context names a module that its trace does not declare */

struct module_map { /* zero-initialised is empty */
	const struct cprof_module **modules; /* [id - 1]; of the first trace that has it */
	size_t nr_modules;
	uint32_t **ids;                      /* [trace][position in its table] */
	size_t nr_traces;
	uint32_t **kernel_ids;               /* [kernel file][position in its table] */
	size_t nr_kernels;
	const struct session *session;
};

struct cprof_error *module_map_init(struct module_map *map, const struct session *session) CPROF_MUST_CHECK;
void module_map_deinit(struct module_map *map);
/* 0 stays 0: absolute addresses. */
uint32_t module_map_id(const struct module_map *map, size_t trace, uint32_t module);
/* Of a module of one of the session's kernel files. */
uint32_t module_map_kernel_id(const struct module_map *map, size_t kernel, const struct kernel_module *module);

#endif
