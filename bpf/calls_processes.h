/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that count their calls (format/calls_table.h): what is said of them where perf events do not say it, and how many reads and writes the
 * kernel counted of them. What it counted and we did not see, libc did inside of its own functions (stdio), or the loader, or cprof's runtime for its trace.
 *
 * The kernel adds what a child did to its parent's counts when that waits for it. So the target's counts, asked for when it has ended, are those of all that
 * were waited for, however short they lived; what others do that still run comes on top.
 */
#ifndef CPROF_CALLS_PROCESSES_H
#define CPROF_CALLS_PROCESSES_H

#include <stdbool.h>

#include "calls_memfd.h"
#include "kernel_writer.h"

struct calls_counts {
	uint64_t reads, writes;
};

struct calls_image {           /* a generation of a process that occurs in rows */
	struct cprof_kernel_process said;
};

struct calls_processes {
	const struct calls_memfd *memory;
	struct kernel_writer *writer;
	bool alone;                /* no perf events say the processes that have a trace */
	struct calls_image *images;
	size_t nr_images, images_capacity;
	uint64_t unsaid;           /* images for which there was no room */
	uint32_t target;
	int target_counts;         /* its /proc/PID/io: what was opened while it lived can be read until it is waited for; -1: not to be had */
	bool asked;                /* `kernel` is there */
	struct calls_counts kernel, seen; /* of the target with all that it waited for; of all */
};

/* target: the launched process. */
void calls_processes_init(const struct calls_memfd *memory, struct kernel_writer *writer, uint32_t target, bool alone, struct calls_processes *ret);
void calls_processes_deinit(struct calls_processes *processes);
/* A row of this process and generation was seen. */
void calls_processes_note(struct calls_processes *processes, const struct cprof_who *who);
/* So many calls more. */
void calls_processes_count(struct calls_processes *processes, const struct cprof_kernel_sum_key *key, uint64_t calls);
/* The target runs, or has ended and was not waited for: its counts now. */
void calls_processes_ask(struct calls_processes *processes);

struct calls_tally {
	uint64_t processes;
	bool asked;                /* the kernel told its counts */
	struct calls_counts kernel, seen;
};
/* At the end of the recording. */
struct calls_tally calls_processes_tally(const struct calls_processes *processes);

#endif
