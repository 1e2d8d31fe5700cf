/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of a context beside its calls and wall time, when the run was recorded with cprof-record or the allocation interposer.
 *
 * One list for the model, the keys of JSON and CSV, the columns and the sort keys. docs/glossary.md says what each means. Times are in ns, as the kernel gives them.
 */
#ifndef CPROF_CALL_METRICS_H
#define CPROF_CALL_METRICS_H

#include <stdint.h>

/* name, key in JSON and CSV, word in --columns and --sort, head of its column, unit, what it is */
#define CALL_METRICS(X) \
	X(CPU, "cpu_ns", "cpu", "on-CPU", NS, "running on a processor") \
	X(RUNQ, "runq_ns", "runq", "run-q", NS, "ready to run, without a processor") \
	X(BLOCKED, "blocked_ns", "blocked", "blocked", NS, "waiting, for whatever reason") \
	X(BLOCKED_LOCK, "lock", "blocked:lock", "b:lock", NS, "waiting for a lock, a condition or another thread") \
	X(BLOCKED_DISK, "disk", "blocked:disk", "b:disk", NS, "waiting for a block device") \
	X(BLOCKED_FILE, "file", "blocked:file", "b:file", NS, "waiting in a read or write of a file, pipe or socket") \
	X(BLOCKED_POLL, "poll", "blocked:poll", "b:poll", NS, "waiting in poll, select or epoll") \
	X(BLOCKED_SLEEP, "sleep", "blocked:sleep", "b:sleep", NS, "asleep for a time it chose") \
	X(BLOCKED_OTHER, "other", "blocked:other", "b:other", NS, "waiting for another reason") \
	X(STOPPED, "stopped_ns", "stopped", "stopped", NS, "stopped or traced by another process") \
	X(UNEXPLAINED, "unexplained_ns", "unexplained", "unexpl", NS, "wall time of which the kernel half says nothing") \
	X(SAMPLES, "samples", "samples", "samples", COUNT, "CPU samples") \
	X(SAMPLED, "sampled_ns", "sampled", "sampled", NS, "CPU time that the samples stand for") \
	X(ALLOC_BYTES, "alloc_bytes", "alloc", "alloc", BYTES, "bytes allocated") \
	X(ALLOC_CALLS, "alloc_calls", "allocs", "allocs", COUNT, "allocations") \
	X(FREED_BYTES, "freed_bytes", "freed", "freed", BYTES, "of the bytes allocated here, those freed, wherever") \
	X(LEAKED_BYTES, "leaked_bytes", "leaked", "leaked", BYTES, "of the bytes allocated here, those never freed") \
	X(IO_BYTES, "io_bytes", "io", "io", BYTES, "bytes read and written by system calls on files") \
	X(IO_NS, "io_ns", "io-time", "io-time", NS, "time in those system calls") \
	X(LOCK_NS, "lock_ns", "lock", "lock", NS, "waiting in futex calls for locks") \
	X(FAULTS, "faults", "faults", "faults", COUNT, "page faults") \
	X(SWITCHES, "switches", "switches", "switches", COUNT, "times off the processor")

enum call_metric {
#define X(name, key, word, head, unit, what) METRIC_##name,
	CALL_METRICS(X)
#undef X
	NR_METRICS
};

enum metric_unit { METRIC_UNIT_NS, METRIC_UNIT_COUNT, METRIC_UNIT_BYTES };

#define METRIC_BIT(name) (1u << METRIC_##name)
#define METRICS_BLOCKED_BY \
	(METRIC_BIT(BLOCKED_LOCK) | METRIC_BIT(BLOCKED_DISK) | METRIC_BIT(BLOCKED_FILE) | METRIC_BIT(BLOCKED_POLL) | METRIC_BIT(BLOCKED_SLEEP) | \
	 METRIC_BIT(BLOCKED_OTHER))
/* Where a thread's wall time went. They add up to it: self to wall.self, total to wall.total. */
#define METRICS_TIMES \
	(METRIC_BIT(CPU) | METRIC_BIT(RUNQ) | METRIC_BIT(BLOCKED) | METRICS_BLOCKED_BY | METRIC_BIT(STOPPED) | METRIC_BIT(UNEXPLAINED) | \
	 METRIC_BIT(SWITCHES))

/* unexplained may be negative (as two's complement): the scheduler's clock and the trace's differ by so much. */
struct call_metrics {
	uint64_t self[NR_METRICS], total[NR_METRICS];
};

struct call_metric_info {
	const char *key, *word, *head, *what;
	enum metric_unit unit;
};
extern const struct call_metric_info call_metric_infos[NR_METRICS];

void call_metrics_add(struct call_metrics *sum, const struct call_metrics *add);

#endif
