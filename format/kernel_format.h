/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between cprof-record, which writes trace.bpf.lz4, and the analyzer: what the kernel saw, by context.
 *
 * docs/trace-format.md section 9 is normative. The container is that of trace_format.h: META (clock_source CPROF_CLOCK_MONOTONIC_NS), then chunks of
 * the kinds KERNEL_* below, LOSS-like counters and END. All times are CLOCK_MONOTONIC nanoseconds; the CLOCK pairs of each trace of the session
 * lead to its ticks. A chunk's header has first_tsc and last_tsc in nanoseconds: for sums, the window they were collected in.
 * Included by BPF programs as well: no code, no pointers, no hidden padding. Integers are little-endian.
 */
#ifndef CPROF_KERNEL_FORMAT_H
#define CPROF_KERNEL_FORMAT_H

#ifndef __bpf__ /* BPF programs have types of their own */
#include <stdint.h>
#endif

/* How sure the context of a record is, and who knows it. */
#define CPROF_QUALITIES(X) \
	X(NONE, 0, "no context asked for") \
	X(SLOT, 1, "exact: read from the thread's slot") \
	X(TLS, 2, "exact: read from the thread's memory") \
	X(SAVED, 3, "exact: saved when the thread left the CPU") \
	X(INHERITED, 4, "the parent's, in a child that has not registered yet") \
	X(STALE, 5, "the last one known: the thread's memory could not be read") \
	X(UNREGISTERED, 6, "the process is traced, this thread has made no call yet") \
	X(NO_RUNTIME, 7, "the process has no cprof runtime") \
	X(TIMED, 8, "by time: what the thread's own trace says of that moment")
enum cprof_quality {
#define CPROF_X(name, number, what) CPROF_QUALITY_##name = number,
	CPROF_QUALITIES(CPROF_X)
#undef CPROF_X
};

/* Whose record it is. Join key of the analyzer: session, tgid, generation, context. */
struct cprof_who {
	uint32_t tgid, tid;        /* of the initial pid namespace */
	uint32_t context;          /* 0: outside every recorded call, or unknown: see quality */
	uint16_t generation;
	uint8_t quality;           /* enum cprof_quality */
	uint8_t reserved;
};

struct cprof_file_id { /* a file, as the kernel knows it */
	uint64_t inode;            /* 0: none */
	uint32_t device;           /* of its file system, the kernel's dev_t: major << 20 | minor */
	uint32_t generation;       /* of the inode: its number is used again for other files, with another generation. 0 also: not known */
};

struct cprof_kernel_process { /* KERNEL_PROCESSES: one per process image; may be said again with more known */
	uint32_t tgid, pid;        /* in the initial namespace; as the process sees itself, 0 unknown */
	uint32_t parent_tgid;
	uint32_t generation;
	uint64_t start_ns, end_ns; /* of the image; end_ns 0: still running */
	uint32_t flags;            /* CPROF_KERNEL_PROCESS_* */
	int32_t exit_status;       /* wait status; only with EXITED */
	char name[16];
};
#define CPROF_KERNEL_PROCESS_RUNTIME 1u /* has registered: its contexts are those of its trace */
#define CPROF_KERNEL_PROCESS_EXITED  2u
#define CPROF_KERNEL_PROCESS_TARGET  4u /* the one that was launched or attached to */
#define CPROF_KERNEL_PROCESS_TIMED   8u /* recorded without BPF: nobody registers, its records have quality TIMED */
#define CPROF_KERNEL_PROCESS_STRANGER 16u /* not recorded: it woke a thread that is; its name is all that is known */
#define CPROF_KERNEL_PROCESS_CALLS   32u /* said for the records of a preloaded library: of when the process's images began and ended it says nothing */
/* + the library's number of the image: one that has no generation of a trace, or none yet, in the records of a preloaded library. */
#define CPROF_GENERATION_CALLS 0xC000u

struct cprof_kernel_thread { /* KERNEL_THREADS: totals of a thread, at its end or the recording's; all exact from registration or first sight */
	uint32_t tgid, tid;
	uint32_t ns_tid, slot;     /* as the process sees it; its slot, 0: none */
	uint64_t start_ns, end_ns;
	uint64_t on_cpu_ns, runq_ns;
	uint64_t blocked_ns[6];    /* by enum cprof_blocked_class */
	uint64_t suspended_ns;     /* stopped or traced */
	uint64_t switches, faults, samples;
	uint32_t generation, reserved;
	char name[16];
};

struct cprof_kernel_sample { /* KERNEL_SAMPLES: one CPU sample */
	uint64_t time_ns;
	struct cprof_who who;
	uint64_t ip;
	uint64_t user_stack, kernel_stack; /* keys of KERNEL_STACKS; 0: none taken */
	uint64_t period_ns;        /* CPU time that it stands for */
	uint32_t cpu;
	uint32_t flags;            /* CPROF_SAMPLE_* */
};
#define CPROF_SAMPLE_KERNEL 1u /* ip is the kernel's */
#define CPROF_SAMPLE_PROBE  2u /* in the runtime or in a probe of ours: the profiler's own cost */

struct cprof_kernel_stack { /* KERNEL_STACKS: interned; fixed part, then `count` u64 addresses, innermost first. Records of different length */
	uint64_t key;
	uint32_t count;
	uint32_t flags;            /* 1: kernel addresses */
};
#define CPROF_STACK_DEPTH_MAX 64u

struct cprof_kernel_off_cpu { /* KERNEL_OFF_CPU: one interval off the CPU, at least as long as the threshold */
	uint64_t time_ns;          /* of the switch out */
	struct cprof_who who;
	uint64_t blocked_ns, runq_ns;
	uint64_t kernel_stack, user_stack;
	struct cprof_who waker;    /* tgid 0: not a task, or not known: see woken_by */
	uint64_t object;           /* futex address, or inode of the file; 0 unknown */
	uint32_t device;           /* of the inode */
	uint32_t syscall;          /* number, 0xFFFFFFFF: not in one */
	uint8_t blocked_class;     /* enum cprof_blocked_class */
	uint8_t state;             /* of the task: 0 preempted, 1 interruptible, 2 uninterruptible, 4 stopped, 8 traced */
	uint8_t open;              /* 1: had not ended when the recording did; 2: up to here, said again later: counts where the recorder was killed right after it */
	uint8_t woken_by;          /* enum cprof_woken_by */
	uint32_t inode_generation; /* of the file, as in cprof_file_id */
};
/* Who ended a wait: asked only where it lasted as long as the threshold, and never without BPF. */
enum cprof_woken_by { CPROF_WOKEN_UNKNOWN = 0, CPROF_WOKEN_BY_TASK = 1, CPROF_WOKEN_BY_INTERRUPT = 2 };

/* KERNEL_SUMS: sums of one window (chunk header: first_tsc, last_tsc), made in the kernel. Everything of a kind is in them, long or short. */
#define CPROF_SUM_KINDS(X) \
	X(OFF_CPU, 1, "sub: enum cprof_blocked_class; ns: blocked") \
	X(RUN_QUEUE, 2, "ns: could run, had no CPU") \
	X(SYSCALL, 3, "sub: syscall number; object, device, other: file (cprof_file_id), 0 if none; bytes: transferred") \
	X(BLOCK_QUEUE, 4, "sub: enum cprof_block_op; device; ns: queued") \
	X(BLOCK_DEVICE, 5, "sub: enum cprof_block_op; device; object, other: inode and its generation, or 0; ns: in the device; bytes") \
	X(LOCK, 6, "sub: enum cprof_lock_class; object: address; ns: waited; other: who held it") \
	X(FAULT, 7, "sub: 0 minor, 1 major; count alone") \
	X(ALLOC, 8, "bytes: asked for, by uprobes (processes without the interposer); ns: 0") \
	X(FREE, 9, "bytes: freed of those, charged to the context that allocated them")
enum cprof_sum_kind {
#define CPROF_X(name, number, what) CPROF_SUM_##name = number,
	CPROF_SUM_KINDS(CPROF_X)
#undef CPROF_X
};
enum cprof_block_op { CPROF_BLOCK_READ = 0, CPROF_BLOCK_WRITE = 1, CPROF_BLOCK_FLUSH = 2, CPROF_BLOCK_DISCARD = 3, CPROF_BLOCK_OTHER = 4, CPROF_BLOCK_ASYNC = 0x80 /* or'ed: write-back, charged to the last writer */ };
enum cprof_lock_class { CPROF_LOCK_UNKNOWN = 0, CPROF_LOCK_MUTEX = 1, CPROF_LOCK_RWLOCK = 2, CPROF_LOCK_CONDITION = 3, CPROF_LOCK_SEMAPHORE = 4, CPROF_LOCK_JOIN = 5 };

#define CPROF_SUM_BUCKETS 32u
struct cprof_kernel_sum_key {
	struct cprof_who who;      /* tid 0: all threads of the process */
	uint32_t kind;             /* enum cprof_sum_kind */
	uint32_t sub;
	uint64_t object;
	uint32_t device;           /* kernel's dev_t: major << 20 | minor */
	uint32_t other;            /* LOCK: context of the holder; else generation of the inode */
	uint64_t stack;            /* processes without runtime: user stack, key of KERNEL_STACKS; else 0 */
};
struct cprof_kernel_sum_value {
	uint64_t count, ns, max_ns, bytes;
	uint32_t histogram[CPROF_SUM_BUCKETS]; /* of ns: bucket b counts 2^b <= ns < 2^(b+1); the last holds the rest */
};
struct cprof_kernel_sum {
	struct cprof_kernel_sum_key key;
	struct cprof_kernel_sum_value value;
};

struct cprof_kernel_io { /* KERNEL_IO: one file syscall at least as long as the threshold */
	uint64_t time_ns, duration_ns;
	struct cprof_who who;
	int64_t result;
	struct cprof_file_id file;
	uint32_t syscall;
	int32_t fd;
	uint32_t open;             /* 1: had not ended when the recording did; result is 0 */
	uint32_t reserved;
};

struct cprof_kernel_block { /* KERNEL_BLOCK: one request of a block device */
	uint64_t time_ns;          /* when it was started */
	struct cprof_who who;      /* who issued it; with ASYNC the last writer of the file */
	uint64_t queue_ns, device_ns;
	uint64_t sector, inode;
	uint32_t device, bytes;
	uint32_t op;               /* enum cprof_block_op, perhaps | ASYNC */
	int32_t error;
	uint32_t inode_generation, reserved;
};

struct cprof_kernel_lock { /* KERNEL_LOCKS: one wait for a futex at least as long as the threshold */
	uint64_t time_ns, duration_ns;
	struct cprof_who who;
	struct cprof_who holder;   /* when the wait began; JOIN: the thread waited for. tgid 0: unknown, or nobody holds such a lock */
	uint64_t address;
	uint64_t ip;               /* user address of the wait */
	uint32_t op;               /* FUTEX_* command */
	int32_t result;
	uint32_t lock_class;       /* enum cprof_lock_class */
	uint32_t open;             /* 1: had not ended when the recording did; result is 0 */
};

struct cprof_kernel_file { /* KERNEL_FILES: fixed part, then path_bytes bytes, then zeros up to a multiple of 8 */
	struct cprof_file_id id;
	uint32_t path_bytes, reserved;
};

struct cprof_kernel_symbol { /* KERNEL_SYMBOLS: of the kernel addresses that occur */
	uint64_t address;
	uint64_t start;            /* of its symbol */
	char name[64];             /* NUL-terminated, perhaps cut */
};

struct cprof_kernel_source { /* KERNEL_SOURCES: what was recorded, and what not and why */
	char name[24];             /* "cpu", "off-cpu", "memory", "io", "block", "locks", "faults" */
	uint32_t on;               /* enum cprof_source_on; any other value but 0: KERNEL */
	uint32_t value;            /* cpu: frequency in Hz; off-cpu, io, locks: threshold in us; memory: 1 by the interposer (ALLOC of the traces), 2 by probes (KERNEL_SUMS) */
	char why[96];
};

enum cprof_source_on {
	CPROF_SOURCE_OFF = 0,
	CPROF_SOURCE_KERNEL = 1,
	CPROF_SOURCE_CALLS = 2,    /* calls of libc's functions, by a preloaded library: not what libc does inside of its own */
	CPROF_SOURCE_USER = 3      /* of code of programs alone, not of the kernel's */
};

struct cprof_kernel_counter { /* KERNEL_LOSSES: every one, also when 0 */
	char name[40];             /* "samples.produced", "samples.lost", "sums.full", "context.exact", ... */
	uint64_t value;
	uint32_t is_loss;          /* not 0 value: something is missing */
	uint32_t reserved;
};

struct cprof_kernel_fault { /* KERNEL_FAULTS: a page fault of a recording without BPF, which has no sums; its context is that of its time */
	uint64_t time_ns;
	uint32_t tgid, tid;
};

struct cprof_kernel_end { /* KERNEL_END */
	uint64_t start_ns, end_ns;
	uint64_t recorder_cpu_ns;  /* of cprof-record itself */
	uint64_t bpf_run_ns, bpf_runs; /* of its programs; 0 when statistics were off */
	uint64_t records;          /* in all chunks before */
	uint32_t reason;           /* enum cprof_end_reason */
	uint32_t reserved;
};

/* Chunks whose payload is an array of one struct; KERNEL_END is one record. Writer and reader take the sizes from here. */
#define CPROF_KERNEL_ARRAYS(X) \
	X(KERNEL_PROCESSES, cprof_kernel_process) \
	X(KERNEL_THREADS, cprof_kernel_thread) \
	X(KERNEL_SAMPLES, cprof_kernel_sample) \
	X(KERNEL_OFF_CPU, cprof_kernel_off_cpu) \
	X(KERNEL_SUMS, cprof_kernel_sum) \
	X(KERNEL_IO, cprof_kernel_io) \
	X(KERNEL_BLOCK, cprof_kernel_block) \
	X(KERNEL_LOCKS, cprof_kernel_lock) \
	X(KERNEL_SYMBOLS, cprof_kernel_symbol) \
	X(KERNEL_SOURCES, cprof_kernel_source) \
	X(KERNEL_LOSSES, cprof_kernel_counter) \
	X(KERNEL_FAULTS, cprof_kernel_fault)

/* ALLOC chunk of trace.lz4, written by the allocation interposer: one per context that allocated. Sums over the process's life. */
struct cprof_alloc {
	uint32_t context;
	uint32_t flags;                    /* CPROF_ALLOC_* */
	uint64_t calls, bytes;             /* allocated: malloc family, new; bytes as asked for */
	uint64_t freed_calls, freed_bytes; /* of those, wherever they were freed */
	uint64_t peak_bytes;               /* most that was alive at once, of this context */
	uint64_t bytes_at_peak;            /* alive of this context when the process had most alive */
	uint64_t temporary_calls;          /* freed by the same thread before it allocated again */
	uint64_t failed_calls;
};
#define CPROF_ALLOC_PEAK_ROUGH   1u /* several threads: peak_bytes and bytes_at_peak are exact to 4,096 bytes for each of them */
#define CPROF_ALLOC_PEAK_UNKNOWN 2u /* the process was killed: both, and failed_calls, are 0 for "not known" */

/* What a killed process leaves of it: extents of kind CPROF_EXTENT_ALLOC of the live file, one row per thread and context. Rows of a context add up. */
struct cprof_alloc_row {
	uint32_t context;
	int32_t untold;                    /* the writer's own, as are the last two */
	uint64_t calls, bytes;             /* both 0, and freed_calls too: not in use */
	uint64_t freed_calls, freed_bytes;
	uint64_t temporary_calls;
	int64_t at_peak;
	uint32_t peak_number;
	uint32_t reserved;
};

#endif
