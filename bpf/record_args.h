/* SPDX-License-Identifier: BSD-2-Clause */
/* What cprof-record was asked for. */
#ifndef CPROF_RECORD_ARGS_H
#define CPROF_RECORD_ARGS_H

#include <stdbool.h>
#include <stdint.h>

struct record_args {
	const char *output;
	const char *events;          /* names of sources, comma-separated */
	bool cpu, off_cpu, memory, io, locks, faults, all;
	bool system_wide, quiet, live;
	uint64_t pid;                /* 0: none */
	uint64_t duration_ns;        /* 0: until the target ends or a signal comes */
	uint64_t frequency_hz;
	uint64_t interval_ns;        /* between two samples of a CPU; 0: by frequency_hz */
	uint64_t max_samples;        /* 0: no limit */
	uint64_t window_ns;
	uint64_t threshold_ns, io_threshold_ns, lock_threshold_ns;
	uint64_t slots, ring_kb, sums; /* sizes of the maps */
};

#endif
