/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel half of a run, <trace>.bpf.lz4 of docs/trace-format.md section 9: its tables, and its records one at a time.
 *
 * What names things (processes, threads, stacks, files, symbols, modules) is kept; records, of which there may be many, are streamed. Names end with a
 * NUL, lengths are checked and arrays lie within their payload; ids, times and addresses are as they stand in the file: nobody may trust them.
 */
#ifndef CPROF_KERNEL_FILE_H
#define CPROF_KERNEL_FILE_H

#include "session.h"

struct kernel_stack {
	uint64_t key;
	const uint64_t *addresses; /* innermost first */
	uint32_t nr_addresses;
	bool kernel;
};

struct kernel_path {
	struct cprof_file_id id;
	const char *path;
};

struct kernel_module { /* what a process had mapped */
	uint32_t tgid, generation;
	uint64_t reach;              /* the highest end of it and those of its process that begin before it */
	struct cprof_module module;
};

struct kernel_tables {
	const struct cprof_kernel_process *processes; /* sorted by tgid, generation; each once */
	size_t nr_processes;
	const struct cprof_kernel_thread *threads;    /* in file order */
	size_t nr_threads;
	const struct cprof_kernel_source *sources;
	size_t nr_sources;
	const struct cprof_kernel_counter *counters;  /* KERNEL_LOSSES */
	size_t nr_counters;
	const struct kernel_module *modules;          /* sorted by tgid, generation, start */
	size_t nr_modules;
	const struct cprof_kernel_end *end;           /* NULL: the recorder did not end cleanly */
};

/* Not a file of this kind is CPROF_ERROR_FORMAT, none at all CPROF_ERROR_NOT_FOUND. */
struct cprof_error *kernel_file_open(const char *path, struct kernel_file **ret) CPROF_MUST_CHECK;
void kernel_file_close(struct kernel_file *file);

const char *kernel_file_path(const struct kernel_file *file);
const struct trace_meta *kernel_file_meta(const struct kernel_file *file);
const struct kernel_tables *kernel_file_tables(const struct kernel_file *file);
const struct trace_state *kernel_file_state(const struct kernel_file *file); /* end_tsc: of the last chunk, ns */
size_t kernel_file_nr_chunks(const struct kernel_file *file);
uint64_t kernel_file_start_ns(const struct kernel_file *file); /* of what was recorded */

/* NULL: not there. */
const struct cprof_kernel_process *kernel_file_process(const struct kernel_file *file, uint32_t tgid, uint32_t generation);
const struct kernel_stack *kernel_file_stack(const struct kernel_file *file, uint64_t key);
const struct kernel_module *kernel_file_module(const struct kernel_file *file, uint32_t tgid, uint32_t generation, uint64_t address);
/* The one that begins last before an address: its data lie behind its code. */
const struct kernel_module *kernel_file_module_below(const struct kernel_file *file, uint32_t tgid, uint32_t generation, uint64_t address);
const char *kernel_file_name(const struct kernel_file *file, struct cprof_file_id id); /* path of a file */
/* Of the files that had its name one after the other the last: what users call one file. id, if it has no name. */
struct cprof_file_id kernel_file_last_so_called(const struct kernel_file *file, struct cprof_file_id id);
const struct cprof_kernel_symbol *kernel_file_symbol(const struct kernel_file *file, uint64_t address); /* of exactly this address */
/* Does it write the trace of its process? It makes no calls. */
bool kernel_thread_is_writer(const struct cprof_kernel_thread *thread);
/* Is it the last word on its interval? Those that are said once more, later in the file, are not. */
bool kernel_file_is_last_word(const struct kernel_file *file, const struct cprof_kernel_off_cpu *off);
/* Whether a source was recorded; *value, if not NULL, is its frequency or threshold. */
bool kernel_file_has_source(const struct kernel_file *file, const char *name, uint32_t *value);
/* How: enum cprof_source_on. */
uint32_t kernel_file_source_on(const struct kernel_file *file, const char *name);
/* A counter of KERNEL_LOSSES; 0 where there is none of that name. */
uint64_t kernel_file_counter(const struct kernel_file *file, const char *name);

/*
 * Gives every record of a kind (KERNEL_SAMPLES, OFF_CPU, SUMS, IO, BLOCK, LOCKS, FAULTS) to take, in file order, until it returns an error. Chunks that turn out damaged are
 * skipped; the state says so.
 */
typedef struct cprof_error *kernel_file_take(void *context, const struct cprof_chunk_header *header, const void *record);
struct cprof_error *kernel_file_each(struct kernel_file *file, uint16_t kind, kernel_file_take *take, void *context) CPROF_MUST_CHECK;
/* Reads every record there is, for `check`: what is damaged is in the state then. *records counts them, those of tables too. */
struct cprof_error *kernel_file_check(struct kernel_file *file, uint64_t *records) CPROF_MUST_CHECK;

#endif
