/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of JIT-compiled code: the /tmp/perf-PID.map files that JavaScript engines, Java agents and others write ("START SIZE name",
 * hexadecimal).
 *
 * Code memory is used again: of entries that overlap, the later is right. Lines that are not of this form are passed over.
 */
#ifndef CPROF_PERF_MAP_H
#define CPROF_PERF_MAP_H

#include <stdint.h>

#include "error.h"

struct perf_map;

struct cprof_error *perf_map_create(const char *path, struct perf_map **ret) CPROF_MUST_CHECK;
void perf_map_destroy(struct perf_map *map);

const char *perf_map_find(const struct perf_map *map, uint64_t address); /* borrowed from map, or NULL */

#endif
