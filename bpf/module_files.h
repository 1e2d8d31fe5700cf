/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that processes map to run: their build ids, and where in their address space what was mapped belongs.
 *
 * Files and names are a stranger's. They may change under us: every read is checked against what is there, and a file that was changed or put into the place of
 * another since it was mapped is not asked.
 */
#ifndef CPROF_MODULE_FILES_H
#define CPROF_MODULE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf_rings.h"
#include "trace_format.h"

struct module_file;
struct module_files {
	struct module_file *files;   /* those that were read */
	size_t nr, capacity;
};

void module_files_deinit(struct module_files *files);
/*
 * Fills module, but for its id, with what process tgid mapped at time_ns (CLOCK_MONOTONIC). Where the file is gone the name says so, as the kernel would
 * ("/bin/app (deleted)"), and the bias is that of a file whose addresses are its offsets. false: the file is ELF, but this part of it is no code of its own.
 */
bool module_files_describe(struct module_files *files, uint32_t tgid, uint64_t time_ns, const struct perf_mapping *mapping, struct cprof_module *module);

#endif
