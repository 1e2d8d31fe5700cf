/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files of a kernel half are the profiler's own: the traces of the session, their live files, and those of their forked children.
 *
 * The runtime writes them on the program's threads, too, inside its calls. They are known by the last part of their names: the kernel may not
 * know the whole path, and who reads a trace may have moved it to another folder. A trace with another name than it was written with is not known.
 */
#ifndef CPROF_OWN_FILES_H
#define CPROF_OWN_FILES_H

#include <stdbool.h>

#include "number_map.h"
#include "session.h"

struct own_files {
	const struct session *session; /* outlives it */
	struct number_map is_own;      /* (kernel file, inode, device and generation) -> 0 or 1, of those asked for already */
};

void own_files_init(struct own_files *files, const struct session *session);
void own_files_deinit(struct own_files *files);
struct cprof_error *own_files_has(struct own_files *files, uint32_t kernel, struct cprof_file_id id, bool *ret) CPROF_MUST_CHECK;

/* Whether a run that writes `trace` writes a file of this name: "t.lz4", "t.lz4.live", "t.17.lz4", "t.17.1.lz4.live" for "t.lz4" or "t.bpf.lz4". */
bool own_file_is_called(const char *name, const char *trace);

#endif
