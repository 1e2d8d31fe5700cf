/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Times off the CPU and page faults that are known by thread and time alone (a recording without BPF), put where they belong: into the thread's
 * own stream, between the two events they happened between, as the SCHED escapes that the runtime writes when it has slots. So nobody who reads events has to
 * know of them.
 *
 * A thread makes no event while it is off the CPU: the middle of the interval lies between the right two events, however the two clocks differ by less than half
 * of it. What falls into a time in which the thread ran a coroutine, or of which events are missing, is in no stream.
 */
#ifndef CPROF_TIMED_SWITCHES_H
#define CPROF_TIMED_SWITCHES_H

#include "bytes.h"
#include "kernel_file.h"
#include "sched_figures.h"

struct timed_switch {
	uint64_t middle_ticks;
	uint64_t blocked_ns, runq_ns;
	uint32_t tid;
	uint8_t blocked_class;
	bool is_fault;               /* a page fault instead: a moment */
};

struct timed_switches { /* by tid and time */
	struct timed_switch *items;
	size_t nr, capacity;
	bool too_many;               /* a file holds more than a true one of its size could: the rest was left out */
};

void timed_switches_deinit(struct timed_switches *switches);
/* Those of process tgid from from_ns up to to_ns, which is when the trace's image lived. */
struct cprof_error *timed_switches_read(struct kernel_file *file, const struct trace *trace, uint32_t tgid, uint64_t from_ns, uint64_t to_ns,
					struct timed_switches *ret) CPROF_MUST_CHECK;
bool timed_switches_has(const struct timed_switches *switches, uint32_t tid);

/* One thread's, on their way into its chunks. */
struct timed_merge {
	const struct timed_switch *next, *end;
	uint64_t sums[SCHED_FIGURES];
	struct bytes ids;
};

void timed_merge_init(struct timed_merge *merge, const struct timed_switches *switches, const struct cprof_thread *thread);
void timed_merge_deinit(struct timed_merge *merge);
/* Chunks in order. What it gives lives until the next one. A chunk that cannot be decoded stays as it is. */
struct cprof_error *timed_merge_chunk(struct timed_merge *merge, struct events_chunk *chunk) CPROF_MUST_CHECK;

#endif
