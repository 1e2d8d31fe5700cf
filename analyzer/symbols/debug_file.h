/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the separate debug file of a stripped program: by build-id below /usr/lib/debug and the search paths, by .gnu_debuglink beside the
 * program, in .debug/ and below the same folders.
 *
 * A file is taken only if it is proven to belong: equal build-ids, or where there are none, the CRC that .gnu_debuglink holds.
 */
#ifndef CPROF_DEBUG_FILE_H
#define CPROF_DEBUG_FILE_H

#include "elf_file.h"

/* *ret is NULL when there is none. search_paths: NULL-terminated, or NULL. */
struct cprof_error *debug_file_find(const struct elf_file *program, const char *const *search_paths,
				    struct elf_file **ret) CPROF_MUST_CHECK;
struct cprof_error *debug_file_find_build_id(const uint8_t *build_id, size_t build_id_bytes, const char *const *search_paths,
					     struct elf_file **ret) CPROF_MUST_CHECK;

#endif
