/* SPDX-License-Identifier: BSD-2-Clause */
/* The sums of time off the CPU that the kernel keeps by CPU (switch_sums.bpf.h), as memory of this process; and what they say as KERNEL_SUMS. */
#ifndef CPROF_SWITCH_SUMS_H
#define CPROF_SWITCH_SUMS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "record_shared.h"

struct switch_sums_view {
	struct switch_sums *at;      /* NULL: not open */
	uint32_t cpus, per_cpu;      /* possible CPUs; places of each in each copy */
};

/* How many places a CPU gets in each copy: a power of 2. Fewer on machines with many CPUs. */
uint32_t switch_sums_per_cpu(uint32_t cpus);

struct cprof_error *switch_sums_open(int map, uint32_t cpus, struct switch_sums_view *ret) CPROF_MUST_CHECK;
void switch_sums_close(struct switch_sums_view *view);

/* The places of one CPU in one copy. */
struct switch_sums *switch_sums_of(const struct switch_sums_view *view, uint32_t cpu, uint32_t copy);
/* What a place says: ret has room for two; returns how many. */
size_t switch_sums_tell(const struct switch_sums *sums, struct cprof_kernel_sum *ret);

#endif
