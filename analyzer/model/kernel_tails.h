/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time off the CPU behind the last event of each thread: a thread that waits at its end makes no event that could tell.
 *
 * Where its events end is known from the chunks' headers before any record of the kernel is read, so that only sums are kept, one set for each thread
 * and not one for each wait. Intervals shorter than the recorder's threshold are no records, and not in it.
 */
#ifndef CPROF_KERNEL_TAILS_H
#define CPROF_KERNEL_TAILS_H

#include "kernel_format.h"
#include "sched_figures.h"
#include "session.h"

struct kernel_tail { /* of a thread with a slot */
	uint32_t tid, thread;            /* the kernel's; of its trace */
	uint64_t last_ns, end_ns;        /* CLOCK_MONOTONIC: its last event, and where it (or the trace) ends */
	uint64_t figures[SCHED_FIGURES]; /* what happened in between */
};

struct trace_tails {
	struct kernel_tail *tails;       /* by tid, which may be used again, then last_ns */
	size_t nr_tails;
	uint32_t *tail_of;               /* [thread]: place in tails; KERNEL_TAIL_NONE */
};
#define KERNEL_TAIL_NONE UINT32_MAX

struct kernel_tails { /* zero-initialised: of no trace */
	struct trace_tails *traces;      /* of the session */
	size_t nr_traces;
};

struct cprof_error *kernel_tails_init(struct kernel_tails *tails, size_t nr_traces) CPROF_MUST_CHECK;
void kernel_tails_deinit(struct kernel_tails *tails);
/* Before its records are taken. */
struct cprof_error *kernel_tails_add_trace(struct kernel_tails *tails, uint32_t index, const struct trace *trace) CPROF_MUST_CHECK;
/* An interval that was not spent stopped. */
void kernel_tails_take(struct kernel_tails *tails, uint32_t trace, const struct cprof_kernel_off_cpu *off);
void kernel_tails_take_fault(struct kernel_tails *tails, uint32_t trace, const struct cprof_kernel_fault *fault);
/* figures: SCHED_FIGURES, added to. */
void kernel_tails_get(const struct kernel_tails *tails, uint32_t trace, uint32_t thread, uint64_t *figures);

#endif
