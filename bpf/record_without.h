/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording without BPF: by perf events (perf_recording.h), by calls of libc's functions (calls_recording.h), or by both, into one file.
 *
 * record_run.c drives it like the one with BPF, whose states it sets: what is on, and of the rest why it is not.
 */
#ifndef CPROF_RECORD_WITHOUT_H
#define CPROF_RECORD_WITHOUT_H

#include "calls_recording.h"
#include "perf_recording.h"

struct record_without {
	const struct record_args *args;
	struct kernel_writer *writer;
	struct perf_recording perf;
	struct calls_recording calls;
	bool by_perf, by_calls;
	struct cprof_error *no_perf; /* why not by_perf */
	uint64_t next_window_ns;
};

/* Before the program is made, and before it is known whether it is needed. command NULL: none is launched. */
void record_without_choose(const struct record_args *args, char **command, struct source_state *states, struct record_without *ret);
/* pid: as for perf_recording_open. An error: there is nothing by which it could be recorded, or perf's own, if that is one to be put right. */
struct cprof_error *record_without_open(struct record_without *without, uint32_t pid, struct source_state *states) CPROF_MUST_CHECK;
/* writer is open; borrowed, as is symbols, until finish. */
struct cprof_error *record_without_start(struct record_without *without, struct kernel_writer *writer, struct kernel_symbols *symbols, uint32_t pid,
					 uint64_t now_ns) CPROF_MUST_CHECK;
void record_without_tick(struct record_without *without, uint64_t now_ns);
/* The launched process has ended and was not waited for yet. */
void record_without_target_ends(struct record_without *without);
/* Stops it; all that is left, and the counters. Returns what was lost; *end_ns: up to when it is recorded; *failed: the first failure, or NULL. */
uint64_t record_without_finish(struct record_without *without, uint64_t *end_ns, struct cprof_error **failed);
void record_without_close(struct record_without *without);

#endif
