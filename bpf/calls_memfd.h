/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory in which libcprof-calls.so adds up (format/calls_table.h): made before the target, inherited by it.
 *
 * Anything can be in it after the target has begun: where its arrays lie is kept here, and never read from it. It cannot be made smaller under us, or larger.
 */
#ifndef CPROF_CALLS_MEMFD_H
#define CPROF_CALLS_MEMFD_H

#include <stdbool.h>

#include "calls_table.h"
#include "error.h"
#include "record_args.h"

struct calls_memfd {
	int fd;                    /* closed at an exec; -1: there is none */
	int scan;                  /* the same memory, with a file position of our own; -1: not to be had */
	struct cprof_calls_header *at;
	struct cprof_calls_header layout; /* as it was made */
};

/* sources: CPROF_CALLS_*. */
struct cprof_error *calls_memfd_create(const struct record_args *args, uint32_t sources, struct calls_memfd *ret) CPROF_MUST_CHECK;
/*
 * The next items of an array that may be in use, from *first on: [*first, *end); false: there are no more. What nobody has written to is no memory yet, and
 * is not made any by looking.
 */
struct calls_array {
	uint64_t at;
	uint32_t nr, item_bytes;
};
bool calls_memfd_used(const struct calls_memfd *memory, struct calls_array array, uint32_t *first, uint32_t *end);
/* Nothing is counted any more, whoever still runs. */
void calls_memfd_stop(const struct calls_memfd *memory, uint64_t now_ns);
void calls_memfd_close(struct calls_memfd *memory);

static inline struct cprof_calls_row *calls_memfd_row(const struct calls_memfd *memory, uint32_t index)
{
	return (struct cprof_calls_row *)(void *)((uint8_t *)memory->at + memory->layout.rows_at) + index;
}

static inline struct calls_array calls_memfd_rows(const struct calls_memfd *memory)
{
	return (struct calls_array){ memory->layout.rows_at, memory->layout.nr_rows, sizeof(struct cprof_calls_row) };
}

static inline struct calls_array calls_memfd_files(const struct calls_memfd *memory)
{
	return (struct calls_array){ memory->layout.files_at, memory->layout.nr_files, sizeof(struct cprof_calls_file) };
}

static inline const struct cprof_calls_file *calls_memfd_file(const struct calls_memfd *memory, uint32_t index)
{
	return (const struct cprof_calls_file *)(void *)((uint8_t *)memory->at + memory->layout.files_at) + index;
}

static inline struct cprof_calls_record *calls_memfd_record(const struct calls_memfd *memory, uint64_t number)
{
	return (struct cprof_calls_record *)(void *)((uint8_t *)memory->at + memory->layout.records_at) + (number & (memory->layout.nr_records - 1));
}

static inline const struct cprof_calls_process *calls_memfd_process(const struct calls_memfd *memory, uint32_t index)
{
	return (const struct cprof_calls_process *)(void *)((uint8_t *)memory->at + memory->layout.processes_at) + index;
}

#endif
