/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beside BPF programs: what all processes of the machine map to run, fork and execute, by a perf event of each CPU, for mapped_images.h to pick from.
 *
 * A recording without BPF has it from the rings that it reads anyway (perf_recording.h).
 */
#ifndef CPROF_MAPPING_EVENTS_H
#define CPROF_MAPPING_EVENTS_H

#include "perf_rings.h"
#include "process_modules.h"

struct mapping_events {
	struct perf_rings rings;
};

/* From here on all is seen. */
struct cprof_error *mapping_events_open(struct mapping_events *ret) CPROF_MUST_CHECK;
void mapping_events_close(struct mapping_events *events);
/* Returns up to when all is known: a little before now_ns. */
uint64_t mapping_events_drain(struct mapping_events *events, struct process_modules *modules, uint64_t now_ns);
/* Nothing new comes from here on; what came is taken, and what was lost counted. */
void mapping_events_finish(struct mapping_events *events, struct process_modules *modules);

#endif
