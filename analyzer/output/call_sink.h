/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where single calls go: a file format with the time axis of the run.
 *
 * Processes come one after the other, and within each its threads. The calls of a thread nest, and its times strictly increase: readers close
 * slices of equal time in the wrong order. Functions are indices into the table the sink was made with. Write errors stay in the FILE.
 */
#ifndef CPROF_CALL_SINK_H
#define CPROF_CALL_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "profile.h"

struct call_sink {
	const struct call_sink_ops *ops;
};

struct call_sink_ops {
	void (*begin_process)(struct call_sink *sink, uint32_t pid, const char *name);
	void (*begin_thread)(struct call_sink *sink, uint32_t tid, const char *name);
	void (*begin_call)(struct call_sink *sink, uint64_t ns, uint32_t function);
	void (*end_call)(struct call_sink *sink, uint64_t ns, uint32_t function); /* of the innermost call */
	void (*note)(struct call_sink *sink, uint64_t ns, const char *text);      /* something that happened in the thread */
	struct cprof_error *(*finish)(struct call_sink *sink);                    /* also frees the sink */
};

struct call_sink_functions {
	const struct call_function *items;
	size_t count; /* indices from here on: a function of which nothing is known */
};

struct run_clock { /* at time 0 of the calls */
	uint64_t monotonic_ns, realtime_ns;
};

/* Chrome trace events: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU */
struct cprof_error *chrome_sink_create(FILE *out, struct call_sink_functions functions, struct call_sink **ret) CPROF_MUST_CHECK;
/* A Perfetto trace (.pftrace): packets of a protocol buffer. */
struct cprof_error *perfetto_sink_create(FILE *out, struct call_sink_functions functions, struct run_clock clock, struct call_sink **ret) CPROF_MUST_CHECK;

#endif
