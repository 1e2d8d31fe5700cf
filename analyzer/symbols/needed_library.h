/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the dynamic section of a program asks the loader for, as far as the hooks are concerned, and where the loader would find it.
 *
 * The search follows ld.so(8): DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, then the system's folders (those of /etc/ld.so.conf.d and the built-in ones; the
 * cache itself is not read).
 */
#ifndef CPROF_NEEDED_LIBRARY_H
#define CPROF_NEEDED_LIBRARY_H

#include "elf_file.h"

struct needed_libraries { /* strings are in the ELF file's memory */
	bool is_dynamic, is_library;
	const char *runtime;      /* the DT_NEEDED of libcprof, or NULL */
	bool runtime_before_libc;
	const char *rpath, *runpath; /* or NULL */
	bool hook_wanted;         /* an undefined dynamic symbol */
	const char *hook_version; /* of it; "" without one */
};

void needed_libraries_read(const struct elf_file *file, const char *hook, struct needed_libraries *ret);
/* The index-th DT_NEEDED, or NULL. */
const char *needed_library_name(const struct elf_file *file, size_t index);
/* *ret is NULL when it is not found. */
struct cprof_error *needed_library_find(const struct elf_file *file, const struct needed_libraries *needed, const char *name, char **ret) CPROF_MUST_CHECK;

#endif
