/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the sums of a window out of the kernel: turns the copy that is written to, waits until no program runs that still writes to the old
 * one, empties it.
 */
#ifndef CPROF_SUMS_DRAIN_H
#define CPROF_SUMS_DRAIN_H

#include "kernel_writer.h"
#include "record_observer.h"
#include "record_shared.h"

struct sums_drain {
	int maps[2];
	uint32_t max_entries;
	volatile uint32_t *active;   /* the programs' own variable */
	uint64_t received;           /* events in what was taken out */
	const struct record_observer *observer; /* or NULL */
	void *keys, *values;
};

struct cprof_error *sums_drain_open(int even, int odd, uint32_t max_entries, volatile uint32_t *active, struct sums_drain *ret) CPROF_MUST_CHECK;
void sums_drain_close(struct sums_drain *drain);
void sums_drain_take(struct sums_drain *drain, struct kernel_writer *writer);

/* Returns when every BPF program that runs now has ended. */
void sums_drain_wait_for_programs(void);

#endif
