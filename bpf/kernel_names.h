/* SPDX-License-Identifier: BSD-2-Clause */
/* All functions of the kernel, from /proc/kallsyms. Without permission to read addresses there: none. */
#ifndef CPROF_KERNEL_NAMES_H
#define CPROF_KERNEL_NAMES_H

#include "bytes.h"
#include "error.h"

enum { KERNEL_FUNCTION_MAX_BYTES = 1 << 20 }; /* what lies further behind the start of one is in something that has no name */

struct kernel_name {
	uint64_t start;
	size_t text; /* in texts */
};

struct kernel_names { /* zero-initialised is empty */
	struct kernel_name *items;
	size_t count, capacity;
	struct bytes texts;
};

struct cprof_error *kernel_names_read(struct kernel_names *names) CPROF_MUST_CHECK;
void kernel_names_deinit(struct kernel_names *names);
/* The function that holds address, and where it starts. NULL: none is known. */
const char *kernel_names_find(const struct kernel_names *names, uint64_t address, uint64_t *start);

#endif
