/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loaded objects: which one an address belongs to, and how to name it in the trace.
 *
 * An object enters the table when a context first needs it. Lookups are lock-free and async-signal-safe (_dl_find_object, glibc 2.35).
 */
#ifndef CPROF_RT_MODULES_H
#define CPROF_RT_MODULES_H

#include <stdbool.h>
#include <stdint.h>

struct rt_place {    /* an address as the trace names it */
	uint32_t module; /* 0: absolute */
	uint64_t address; /* ELF virtual address */
};

struct rt_place rt_modules_place(uint64_t address);
void rt_modules_reset(void); /* in a fork's child: the table is a new one */

/* Marks the objects that are no longer loaded. forget(start, end) is called for each address range that went away. */
void rt_modules_sweep(void (*forget)(uint64_t start, uint64_t end));

#endif
