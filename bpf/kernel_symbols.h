/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of the kernel addresses that occur in stacks and samples, from /proc/kallsyms. Without permission to read addresses there: none, and
 * it is said.
 */
#ifndef CPROF_KERNEL_SYMBOLS_H
#define CPROF_KERNEL_SYMBOLS_H

#include "kernel_writer.h"

struct kernel_symbols {
	uint64_t *addresses;
	size_t count, capacity;
};

void kernel_symbols_note(struct kernel_symbols *symbols, uint64_t address);
void kernel_symbols_deinit(struct kernel_symbols *symbols);
/* Writes the KERNEL_SYMBOLS. *unnamed: how many have no name. */
struct cprof_error *kernel_symbols_write(struct kernel_symbols *symbols, struct kernel_writer *writer, uint64_t *unnamed) CPROF_MUST_CHECK;

#endif
