/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel tells by perf events, of a program's threads and of those they make, or of all, a ring per CPU, put into order of time.
 *
 * Needs no right for programs of one's own, where kernel.perf_event_paranoid is 2 or less: then samples of user code alone. Knows nothing of contexts
 * and writes nothing. What the kernel could not put into a ring is counted.
 */
#ifndef CPROF_PERF_RINGS_H
#define CPROF_PERF_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { PERF_SETTLE_NS = 2000000 /* so long ago that each CPU has written what it had to say of then */ };

enum perf_news_kind {
	PERF_SAMPLED,  /* ip, frames */
	PERF_FAULTED,
	PERF_LEFT,     /* a CPU; preempted: it could have run on */
	PERF_RETURNED, /* to a CPU */
	PERF_FORKED,   /* this thread is new; parent_tgid is that of the thread that made it */
	PERF_EXECUTED, /* a new image; name */
	PERF_NAMED,
	PERF_MAPPED,   /* something to run; mapping */
	PERF_ENDED,
};

struct perf_mapping {
	uint64_t start, end, file_offset, inode;
	char path[];                 /* as the process names it */
};

struct perf_news {
	uint64_t time_ns;            /* CLOCK_MONOTONIC */
	uint64_t order;              /* news of one time in the order in which they were read */
	uint32_t tgid, tid, cpu;     /* as cprof-record's own pid namespace has them */
	uint32_t parent_tgid;
	uint8_t kind;                /* enum perf_news_kind */
	bool preempted, in_kernel;
	uint16_t nr_kernel, nr_user; /* frames, innermost first, the kernel's before the user's */
	uint64_t ip;
	size_t frames_at;            /* perf_rings_frames() */
	struct perf_mapping *mapping; /* of the rings */
	uint32_t by;                 /* the thread that it happened in: of a birth, the parent */
	uint64_t event;              /* the kernel's number of the event that said it, or of the one from which that was inherited */
	char name[16];
};

struct perf_request {
	uint32_t pid;                /* 0: all processes of the machine, which takes CAP_PERFMON */
	bool running;                /* all its threads are followed from now on; else the process waits for its exec, and is from there on */
	uint64_t period_ns;          /* of samples; 0: none */
	bool faults, switches;
};

struct perf_ring;
struct perf_event;
struct perf_owner;
struct perf_rings {
	struct perf_ring *rings;     /* of each CPU */
	size_t nr;
	struct perf_event *events;   /* by their numbers */
	size_t nr_events, events_capacity;
	struct perf_owner *owners;   /* by tid; none where there is but one thread from which events are inherited */
	size_t nr_owners, owners_capacity;
	bool kernel;                 /* samples are taken in the kernel as well */
	struct perf_news *news;      /* read, not given yet */
	size_t nr_news, news_capacity;
	uint64_t *frames;
	size_t nr_frames, frames_capacity;
	uint64_t next_order, malformed;
	uint64_t lost_samples, lost_faults, lost_notes; /* what found its ring full; known after perf_rings_stop() */
	uint64_t full;               /* how often a ring was found so: something may be lost, the kernel says it with what comes next */
	bool counts_lost;            /* the kernel counts by event; else lost_notes has all, and what was lost last of all is not in it */
};

/* An error of code UNSUPPORTED says what is missing and how to get it. */
struct cprof_error *perf_rings_open(const struct perf_request *request, struct perf_rings *ret) CPROF_MUST_CHECK;
void perf_rings_close(struct perf_rings *rings);
/* From here on nothing new comes. */
void perf_rings_stop(struct perf_rings *rings);

typedef void perf_rings_take(void *context, const struct perf_news *news, const uint64_t *frames);
/*
 * Gives what came before until_ns, in order of time; until_ns lies so far back that no CPU has still to write what came before it. What is newer waits for
 * the next time. UINT64_MAX: all.
 */
struct cprof_error *perf_rings_drain(struct perf_rings *rings, uint64_t until_ns, perf_rings_take *take, void *context) CPROF_MUST_CHECK;

#endif
