/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a trace says, counted: for tests of the runtime that know what a program did.
 *
 * Reads through analyzer/trace (which shares no code with the writer), keeps a call stack per thread and holds every event against it: a
 * call's parent is the current context, chunk headers and closed columns agree with the events before, time does not run back. The first thing that
 * does not hold is kept as text; tests assert that there is none. Ends the test program when memory fails.
 */
#ifndef CPROF_TRACE_COUNTS_H
#define CPROF_TRACE_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trace_thread_counts {
	uint32_t tid;
	char name[17];
	uint64_t enters, exits;   /* calls made here, not those inherited at a fork or taken up after a loss */
	uint64_t inherited;       /* enters after an INHERIT escape */
	uint64_t repaired;        /* closed by REPAIR */
	uint64_t lost_events;     /* sum of LOST */
	uint64_t losses;          /* number of LOST escapes */
	uint64_t untimed;
	uint64_t switches;        /* SUSPEND escapes */
	uint64_t open;            /* at the end */
	uint64_t max_depth;
	uint64_t chunks;
	uint64_t record_lost, record_unmatched, record_repaired, record_steps_back; /* what THREADS says */
	bool main;
};

struct trace_function { uint32_t module; uint64_t address; };

struct trace_counts {
	struct trace_thread_counts *threads;
	size_t nr_threads;
	struct trace_function *functions;
	size_t nr_functions;
	uint64_t *calls;          /* [thread * nr_functions + function] */
	size_t nr_contexts, nr_dead, nr_overflow;
	uint64_t lost_by_buffer, lost_by_table; /* LOSS */
	uint64_t generation, pid, parent_pid;
	bool clean, live_used, forked;
	char wrong[256];          /* "" when all holds */
	char problem[256];        /* what the reader says first of the file, or "" */
};

/* path as given, with its live file if there is one. NULL when it cannot be read at all; why (256 bytes) says why. */
struct trace_counts *trace_counts_read(const char *path, char *why);
void trace_counts_destroy(struct trace_counts *counts);

#define TRACE_ALL_THREADS ((size_t)-1)
/* Calls of the function at that address of this program's image (position-independent or not). */
uint64_t trace_counts_calls(const struct trace_counts *counts, size_t thread, const void *function);
uint64_t trace_counts_calls_at(const struct trace_counts *counts, size_t thread, uint64_t address);
uint64_t trace_counts_lost(const struct trace_counts *counts);

#endif
