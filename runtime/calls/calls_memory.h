/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recorder's memory (calls_table.h) as this process image has it mapped, and whether anything is to be counted at all.
 *
 * What the recorder says of its layout is looked at once and kept here: what the memory says later, written by whatever runs in the
 * recorded programs, leads to no address.
 */
#ifndef CPROF_CALLS_MEMORY_H
#define CPROF_CALLS_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "calls_table.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct calls_memory {
	uint32_t sources; /* CPROF_CALLS_*; 0: there is no recorder, every function only calls through */
	uint32_t nr_rows, nr_files, nr_records, nr_processes;
	uint64_t io_threshold_ns, lock_threshold_ns;
	uint64_t pid_namespace;
	struct cprof_calls_header *header;
	struct cprof_calls_row *rows;
	struct cprof_calls_file *files;
	struct cprof_calls_record *records;
	struct cprof_calls_process *processes;
};
extern struct calls_memory calls_memory;

/* Looks for the memory and maps it; `sources` stays 0 (false) when it is not there, or not what it should be. */
bool calls_memory_open(void);
void calls_memory_begin(uint32_t sources); /* now they are counted */
uint32_t calls_memory_sources(void);       /* that the recorder asks for */

/* Is this source to be counted now? */
static inline bool calls_memory_counts(uint32_t source)
{
	return unlikely(__atomic_load_n(&calls_memory.sources, __ATOMIC_ACQUIRE) & source) && !__atomic_load_n(&calls_memory.header->stopped_ns, __ATOMIC_RELAXED);
}

static inline void calls_memory_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

#endif
