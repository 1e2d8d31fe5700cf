/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that count their calls (format/calls_table.h): what is said of them where perf events do not say it, and how many reads and writes the kernel counted of
 * them. What it counted and we did not see, libc did inside of its own functions (stdio), or the loader, or cprof's runtime for its trace.
 */
#ifndef CPROF_CALLS_PROCESSES_H
#define CPROF_CALLS_PROCESSES_H

#include <stdbool.h>

#include "calls_memfd.h"
#include "kernel_writer.h"

struct calls_counts {
	uint64_t reads, writes;
};

struct calls_process {
	uint32_t pid;
	int counts;                /* /proc/PID/io: what was opened while it lived can still be read until it is waited for; -1: closed */
	bool counted;              /* the kernel told its counts at least once */
	bool is_new;               /* and now, which is not compared yet */
	struct calls_counts seen;  /* up to now */
	struct calls_counts kernel, seen_then; /* of the last time that the kernel told */
};

struct calls_image {           /* a generation of a process that occurs in rows */
	struct cprof_kernel_process said;
};

struct calls_processes {
	const struct calls_memfd *memory;
	struct kernel_writer *writer;
	bool alone;                /* no perf events say the processes that have a trace */
	struct calls_process *processes;
	size_t nr_processes, processes_capacity;
	struct calls_image *images;
	size_t nr_images, images_capacity;
	uint32_t target;
	uint64_t unsaid;           /* images for which there was no room */
};

/* target: the launched process. */
void calls_processes_init(const struct calls_memfd *memory, struct kernel_writer *writer, uint32_t target, bool alone, struct calls_processes *ret);
void calls_processes_deinit(struct calls_processes *processes);
/* A row of this process and generation was seen. */
void calls_processes_note(struct calls_processes *processes, const struct cprof_who *who);
/* So many calls more. */
void calls_processes_count(struct calls_processes *processes, const struct cprof_kernel_sum_key *key, uint64_t calls);
/* What the kernel counts is read before the rows are, and compared after it: no call is then seen that it had not counted. */
void calls_processes_read(struct calls_processes *processes);
void calls_processes_compare(struct calls_processes *processes);
/* The launched one has ended, and can still be asked what it did. */
void calls_processes_target_ends(struct calls_processes *processes);

struct calls_tally {
	struct calls_counts kernel, seen; /* of the processes that the kernel told of */
	uint64_t counted, uncounted; /* processes */
};
struct calls_tally calls_processes_tally(const struct calls_processes *processes);

#endif
