/* SPDX-License-Identifier: BSD-2-Clause */
/* The shared libraries that the loader will bring with a program, those that libraries need included: which of them call the hooks. */
#ifndef CPROF_PROGRAM_LIBRARIES_H
#define CPROF_PROGRAM_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct elf_file;

struct library_facts {
	char *name;          /* as NEEDED says it */
	char *path;          /* where the loader will find it; NULL: nowhere */
	bool is_runtime;     /* libcprof.so itself */
	bool is_system;      /* in a folder of the system: nobody expects it to be built again */
	bool instrumented;   /* asks for the hooks */
	bool empty_hooks;    /* but was linked so that those of glibc answer */
	bool carries_runtime; /* libcprof.a is linked into it */
};

struct program_libraries { /* in the order in which the loader meets them */
	struct library_facts *items;
	size_t nr, capacity;
};

struct cprof_error *program_libraries_find(const struct elf_file *program, struct program_libraries *ret) CPROF_MUST_CHECK;
void program_libraries_deinit(struct program_libraries *libraries);

#endif
