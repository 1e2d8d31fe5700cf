/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources "io" and "locks" without BPF: a launched program preloads libcprof-calls.so, which adds its calls up in memory that we drain.
 *
 * record_run.c drives it beside perf_recording.h, or alone: chosen before the program is made, opened when it is known that there is no BPF.
 */
#ifndef CPROF_CALLS_RECORDING_H
#define CPROF_CALLS_RECORDING_H

#include <limits.h>

#include "calls_drain.h"
#include "record_sources.h"

struct calls_recording {
	struct calls_memfd memory;
	char library[PATH_MAX];    /* what is to be preloaded; "": nothing is, for a reason that is `why` */
	char why[96];
	bool open;
	struct calls_processes processes;
	struct calls_drain drain;
};

/* Whether it could be done, and the memory for it: before the program is made. command NULL: none is launched. */
void calls_recording_choose(const struct record_args *args, char **command, struct source_state *states, struct calls_recording *ret);
/* Says in states what is on. false: nothing of it is. alone: there are no perf events either. */
bool calls_recording_open(struct calls_recording *recording, struct source_state *states);
/* writer: borrowed until finish. */
struct cprof_error *calls_recording_start(struct calls_recording *recording, struct kernel_writer *writer, uint32_t pid, bool alone) CPROF_MUST_CHECK;
void calls_recording_tick(struct calls_recording *recording, uint64_t now_ns);
/* A window ends: its sums. */
void calls_recording_window(struct calls_recording *recording);
/* The launched process has ended and was not waited for yet. */
void calls_recording_target_ends(struct calls_recording *recording);
/* Nothing is counted any more; all that is left, and the counters. Returns what was lost. */
uint64_t calls_recording_finish(struct calls_recording *recording, uint64_t now_ns);
void calls_recording_close(struct calls_recording *recording);

#endif
