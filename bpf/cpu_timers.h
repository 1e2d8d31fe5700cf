/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timers behind the CPU samples: one per CPU that is on-line, each with a random phase.
 *
 * Not one per task, inherited: such a timer begins anew in every thread, and a thread that lives for less than a period is never sampled
 * (400 threads of 5 ms at 99 Hz: 1 sample so, 206 with a timer per CPU).
 */
#ifndef CPROF_CPU_TIMERS_H
#define CPROF_CPU_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct bpf_program;
struct cpu_timers {
	struct cpu_timer *items;
	size_t count;
};

struct cprof_error *cpu_timers_open(struct bpf_program *program, uint64_t period_ns, struct cpu_timers *ret) CPROF_MUST_CHECK;
void cpu_timers_close(struct cpu_timers *timers);

#endif
