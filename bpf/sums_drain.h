/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the sums of a window out of the kernel: turns the copies that are written to, waits until no program runs that still writes to the old
 * ones, empties those. What the scheduler's programs have summed up by CPU is added to the sums of all CPUs.
 */
#ifndef CPROF_SUMS_DRAIN_H
#define CPROF_SUMS_DRAIN_H

#include "kernel_writer.h"
#include "record_observer.h"
#include "record_programs.h"
#include "record_shared.h"
#include "sums_merge.h"
#include "switch_sums.h"

struct sums_drain {
	int maps[2];
	uint32_t max_entries;
	volatile uint32_t *active, *keys; /* the programs' own variables */
	struct switch_sums_view switches;
	struct sums_merge merge;
	uint64_t received;           /* events in what was taken out */
	const struct record_observer *observer; /* or NULL */
	void *batch_keys, *batch_values;
};

struct cprof_error *sums_drain_open(const struct record_programs *programs, uint32_t max_entries, struct sums_drain *ret) CPROF_MUST_CHECK;
void sums_drain_close(struct sums_drain *drain);
void sums_drain_take(struct sums_drain *drain, struct kernel_writer *writer);
/* So many keys have come since the last time that the next ones may find no room: it is to be taken before the window ends. */
bool sums_drain_is_filling(const struct sums_drain *drain);

/* Returns when every BPF program that runs now has ended. */
void sums_drain_wait_for_programs(void);

#endif
