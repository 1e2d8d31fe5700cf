/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes out of the shared memory what libcprof-calls.so added up in it, and makes the records of a recording with BPF of it: the sums of a window, single calls,
 * names of files.
 *
 * The guests write while this reads, and may write what they please: indices and strings are bounded, a key is that which was seen first, a sum that became smaller
 * is counted and begins anew.
 */
#ifndef CPROF_CALLS_DRAIN_H
#define CPROF_CALLS_DRAIN_H

#include <stdbool.h>

#include "calls_memfd.h"
#include "calls_processes.h"
#include "kernel_writer.h"

struct calls_drain {
	const struct calls_memfd *memory;
	struct kernel_writer *writer;
	struct calls_processes *processes;
	struct calls_told *told;   /* of each row */
	bool *files_told;          /* of each place of a file */
	struct new_file *new_files; /* scratch: room for all */
	uint64_t tail, missing_since_ns; /* of single calls; since when the one at the tail is not there */
	uint64_t received, files;  /* calls in sums */
	uint64_t records;          /* single calls */
	uint64_t unfinished;       /* single calls that their process began to write, and never ended */
	uint64_t malformed;        /* what no library of ours writes */
};

/* All else is borrowed until close. */
struct cprof_error *calls_drain_open(const struct calls_memfd *memory, struct kernel_writer *writer, struct calls_processes *processes,
				     struct calls_drain *ret) CPROF_MUST_CHECK;
/* Single calls. last: nobody writes any more. */
void calls_drain_records(struct calls_drain *drain, uint64_t now_ns, bool last);
/* Sums since the last time, and files that are new. */
void calls_drain_sums(struct calls_drain *drain);
void calls_drain_close(struct calls_drain *drain);

#endif
