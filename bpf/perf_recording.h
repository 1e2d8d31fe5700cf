/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording without BPF, for who may not load programs: samples and time off the CPU of a launched program by perf events, in the same file.
 *
 * record_run.c drives it like the other one: open before the program's first instruction, a tick every 10 ms, finish after its end.
 */
#ifndef CPROF_PERF_RECORDING_H
#define CPROF_PERF_RECORDING_H

#include "kernel_symbols.h"
#include "perf_rings.h"
#include "perf_threads.h"
#include "record_args.h"
#include "record_sources.h"

struct perf_recording {
	const struct record_args *args;
	struct kernel_writer *writer;
	struct process_modules modules;
	struct kernel_symbols *symbols;
	struct perf_rings rings;
	struct perf_threads threads;
	struct cprof_error *failed;
};

/* pid: a child that waits for its exec, or, with args->pid, that process. states: what is on, and of the rest why it is not, afterwards. */
struct cprof_error *perf_recording_open(const struct record_args *args, uint32_t pid, struct source_state *states, struct perf_recording *ret) CPROF_MUST_CHECK;
/* writer is open; borrowed, as is symbols, until finish. */
void perf_recording_start(struct perf_recording *recording, struct kernel_writer *writer, struct kernel_symbols *symbols, uint32_t pid, uint64_t now_ns);
void perf_recording_tick(struct perf_recording *recording, uint64_t now_ns);
/* A window ends. Returns up to when all is known, and the records are there. */
uint64_t perf_recording_window(struct perf_recording *recording, uint64_t now_ns);
/* Stops it; all that is left, and the counters. Returns what was lost; *end_ns: up to when it is recorded. */
uint64_t perf_recording_finish(struct perf_recording *recording, uint64_t *end_ns);
void perf_recording_close(struct perf_recording *recording);

#endif
