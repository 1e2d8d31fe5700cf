/* SPDX-License-Identifier: BSD-2-Clause */
/* Who looks on while records go to the file: sees each once, in the thread that drains, and must be quick. */
#ifndef CPROF_RECORD_OBSERVER_H
#define CPROF_RECORD_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel_format.h"
#include "trace_format.h"

struct record_window {
	uint64_t now_ns;
	uint64_t lost;               /* since the start, of all kinds */
	char lost_most[40];          /* the counter (KERNEL_LOSSES) of most of them; "": none */
	uint64_t own_cpu_ns;         /* of the recorder since its start */
	bool ended;                  /* the target has */
};

struct record_observer {
	void *context;
	void (*record)(void *context, uint32_t ring_kind, const void *record, size_t bytes);
	void (*sum)(void *context, const struct cprof_kernel_sum *sum);
	void (*modules)(void *context, uint32_t tgid, uint32_t generation, const struct cprof_module *modules, size_t count);
	void (*window)(void *context, const struct record_window *window); /* all sums of a window have been seen */
};

#endif
