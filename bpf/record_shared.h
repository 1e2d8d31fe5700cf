/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What cprof-record and its BPF programs say to each other: settings before the load, records in the ring, counters.
 *
 * Not a file format: both sides are built together. Records in the ring are those of format/kernel_format.h behind a ring_head, so that a new
 * source needs no code of its own to get them into the file. Included by both sides: integer types alone.
 */
#ifndef CPROF_RECORD_SHARED_H
#define CPROF_RECORD_SHARED_H

#include "kernel_format.h"
#include "slots.h"

/* Records that travel through the ring: constant, chunk kind (trace_format.h), word for the counters. */
#define RING_KINDS(X) \
	X(PROCESS, KERNEL_PROCESSES, "processes") \
	X(THREAD, KERNEL_THREADS, "threads") \
	X(SAMPLE, KERNEL_SAMPLES, "samples") \
	X(STACK, KERNEL_STACKS, "stacks") \
	X(OFF_CPU, KERNEL_OFF_CPU, "off-cpu") \
	X(IO, KERNEL_IO, "io") \
	X(BLOCK, KERNEL_BLOCK, "block") \
	X(LOCK, KERNEL_LOCKS, "locks") \
	X(FILE, KERNEL_FILES, "files")
enum ring_kind {
#define CPROF_X(name, chunk, word) RING_##name,
	RING_KINDS(CPROF_X)
#undef CPROF_X
	RING_KIND_COUNT
};

struct ring_head {
	uint32_t kind; /* enum ring_kind */
	uint32_t reserved;
};

/* Counters beside produced and lost of each ring kind: constant, name in KERNEL_LOSSES, is it a loss. */
#define RECORD_COUNTERS(X) \
	X(SUMS_ADDED, "sums.produced", 0) \
	X(SUMS_LOST, "sums.lost", 1) \
	X(STACKS_FULL, "stacks.table-full", 1) \
	X(STACKS_ERROR, "stacks.unreadable", 1) \
	X(CONTEXT_NONE, "context.none", 0) \
	X(CONTEXT_SLOT, "context.slot", 0) \
	X(CONTEXT_TLS, "context.tls", 0) \
	X(CONTEXT_SAVED, "context.saved", 0) \
	X(CONTEXT_INHERITED, "context.inherited", 0) \
	X(CONTEXT_STALE, "context.stale", 0) \
	X(CONTEXT_UNREGISTERED, "context.unregistered", 0) \
	X(CONTEXT_NO_RUNTIME, "context.no-runtime", 0) \
	X(TASKS_FULL, "tasks.no-memory", 1) \
	X(PROCESSES_FULL, "processes.table-full", 1) \
	X(SWITCHES_UNSEEN, "switches.unseen", 0) \
	X(SWITCHES_LATE, "switches.late", 0) \
	X(SLOTS_REFUSED, "slots.refused", 1) \
	X(SAMPLES_OVER_LIMIT, "samples.over-limit", 1) \
	X(FILES_FULL, "files.table-full", 1) \
	X(BLOCKS_FULL, "block.table-full", 1) \
	X(BLOCKS_END_UNSEEN, "block.end-unseen", 1) \
	X(BLOCKS_MERGED, "block.merged", 0) \
	X(THREAD_NAMES_FULL, "locks.threads-table-full", 1) \
	X(LOCKS_NOT_WAITED, "locks.not-waited", 0) \
	X(LOCKS_UNKNOWN, "locks.class-unknown", 0) \
	X(MEMORY_FULL, "memory.table-full", 1) \
	X(MEMORY_NESTED, "memory.nested-too-deep", 1)
enum record_counter {
#define CPROF_X(name, words, is_loss) COUNTER_##name,
	RECORD_COUNTERS(CPROF_X)
#undef CPROF_X
	COUNTER_PRODUCED, /* + enum ring_kind */
	COUNTER_LOST = COUNTER_PRODUCED + RING_KIND_COUNT,
	COUNTER_COUNT = COUNTER_LOST + RING_KIND_COUNT
};

/* Set before the load; constants to the verifier. */
struct record_settings {
	uint32_t slots;              /* elements of the slots map */
	uint32_t follow_all;         /* every process of the system */
	uint32_t off_cpu;            /* records and sums of time off the CPU; the slots get theirs in any case */
	uint32_t prctl_number;       /* 0: the kernel says which prctl it does not know, no system call is looked at for it */
	uint32_t io, locks;          /* system calls; for locks threads are kept by name */
	uint32_t unseen_of;          /* for tests: of so many switches who comes by one is not seen; 0: by none */
	uint32_t switch_sums;        /* places for each CPU in each copy: a power of 2 */
	uint64_t off_cpu_threshold_ns, io_threshold_ns, lock_threshold_ns;
	uint64_t max_samples;
};

/* Time off the CPU of one key on one CPU; what is in no bucket of a histogram has not been. */
struct switch_time {
	uint64_t ns, max_ns;
	uint32_t histogram[CPROF_SUM_BUCKETS];
};
struct switch_sums {
	struct cprof_who who;        /* its tid is of no meaning */
	uint32_t used;               /* 0: nobody's */
	uint32_t blocked_class;      /* of `blocked`; CPROF_BLOCKED_COUNT: only `runq` is there */
	uint64_t stack;
	struct switch_time blocked, runq;
};

/* The functions of an allocator, by what their arguments mean: cookies of the probes. */
enum memory_function {
	MEMORY_MALLOC = 1,           /* (bytes); so are operator new, valloc and pvalloc */
	MEMORY_CALLOC,
	MEMORY_REALLOC,
	MEMORY_MEMALIGN,             /* (alignment, bytes): aligned_alloc, too */
	MEMORY_POSIX_MEMALIGN,
	MEMORY_FREE,                 /* (block): operator delete, too */
};

#define SYSCALL_CLASS_NONE 0xFF
#define SYSCALL_NUMBERS 512u

/* What is recorded of a system call: where its file is named, and what its result says. 0: nothing is. */
enum syscall_kind {
	SYSCALL_FILE_NONE = 1,       /* names none, or only by path */
	SYSCALL_FILE_ARGUMENT = 2,   /* the first argument is its descriptor */
	SYSCALL_FILE_RESULT = 3,     /* the result is, unless it failed */
	SYSCALL_FUTEX = 4,
	SYSCALL_FILE_MASK = 7,
	SYSCALL_TRANSFERS = 8,       /* or'ed: the result is bytes */
	SYSCALL_WRITES = 16,         /* or'ed: to the file */
	SYSCALL_PATH_FIRST = 32,     /* or'ed: the first argument is a path */
	SYSCALL_PATH_SECOND = 64,    /* or'ed: the second is */
};

/*
 * A process that is followed: value of the map `processes`, key is its tgid. BPF keeps it; cprof-record puts the first in.
 * Its generation is the runtime's own (META) once it has registered. Before, and for an image without a runtime, it is
 * RECORD_NO_GENERATION + the number of the image in this process's life: never taken for one of a trace.
 */
#define RECORD_NO_GENERATION 0x8000u
struct process_record {
	struct cprof_kernel_process said;
	int64_t tls_offset;          /* 0: not known */
	uint32_t image;              /* number of its execs since it was first seen */
	uint32_t active;             /* 0: the target before its exec */
};

#endif
