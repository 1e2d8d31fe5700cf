/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of one kernel file: what its records name things by, put together from chunks, in the order in which it is looked up.
 *
 * For kernel_file.c, which knows of chunks and damage; here a chunk is its header and its payload. What is handed out lives as long as the set.
 */
#ifndef CPROF_KERNEL_TABLE_SET_H
#define CPROF_KERNEL_TABLE_SET_H

#include "kernel_file.h"

struct stack_place;
struct file_place;

struct kernel_table_set { /* zero-initialised is empty */
	struct cprof_kernel_process *processes;
	struct cprof_kernel_thread *threads;
	struct cprof_kernel_source *sources;
	struct cprof_kernel_counter *counters;
	struct cprof_kernel_symbol *symbols;
	struct kernel_module *modules;
	struct stack_place *stacks;
	struct file_place *files;
	uint64_t *addresses;
	char *names;
	size_t nr_processes, processes_capacity, nr_threads, threads_capacity, nr_sources, sources_capacity, nr_counters, counters_capacity;
	size_t nr_symbols, symbols_capacity, nr_modules, modules_capacity, nr_stacks, stacks_capacity, nr_files, files_capacity;
	size_t nr_addresses, addresses_capacity, names_bytes, names_capacity;
	struct cprof_kernel_end end;
	bool has_end;
	uint64_t records;         /* of all kinds met so far, for the check */
	struct kernel_tables tables; /* once finished */
};

/* Of the records of a kind; 0: they are of different lengths, or of no known kind. */
size_t kernel_record_bytes(uint16_t kind);

/* *why: the chunk is damaged. */
struct cprof_error *kernel_table_set_take(struct kernel_table_set *set, const struct cprof_chunk_header *header, const uint8_t *payload,
					  const char **why) CPROF_MUST_CHECK;
/* After the last one, before anything is asked. */
struct cprof_error *kernel_table_set_finish(struct kernel_table_set *set) CPROF_MUST_CHECK;
void kernel_table_set_deinit(struct kernel_table_set *set);

/* As in kernel_file.h. */
const struct cprof_kernel_process *kernel_table_set_process(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation);
const struct kernel_stack *kernel_table_set_stack(const struct kernel_table_set *set, uint64_t key);
const struct kernel_module *kernel_table_set_module(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation, uint64_t address);
/* The one that begins last before an address: its data lie behind its code. */
const struct kernel_module *kernel_table_set_module_below(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation, uint64_t address);
const char *kernel_table_set_name(const struct kernel_table_set *set, struct cprof_file_id id);
struct cprof_file_id kernel_table_set_last_so_called(const struct kernel_table_set *set, struct cprof_file_id id);
const struct cprof_kernel_symbol *kernel_table_set_symbol(const struct kernel_table_set *set, uint64_t address);
bool kernel_table_set_source(const struct kernel_table_set *set, const char *name, uint32_t *value);

#endif
