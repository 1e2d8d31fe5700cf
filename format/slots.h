/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between the runtime in a traced process and cprof-record's BPF programs: memory that both see while the process runs.
 *
 * docs/trace-format.md section 8 explains it. The memory is a BPF array map of `slots` elements of struct cprof_slot, mapped by the process
 * from an inherited descriptor (CPROF_SLOTS_FD). Each recorded thread owns one element; element 0 is the header. A slot has two cache lines with one
 * writer each, so nobody waits for anybody and nothing is ever locked. BPF trusts nothing that the process writes.
 * Included by BPF programs, too: integer types alone.
 */
#ifndef CPROF_SLOTS_H
#define CPROF_SLOTS_H

#ifndef __bpf__ /* BPF programs have types of their own */
#include <stdint.h>
#endif

#define CPROF_SLOTS_MAGIC   0x544F4C53u /* "SLOT": header and slots in use */
#define CPROF_SLOTS_VERSION 1u
#define CPROF_SLOT_BYTES    128u

/*
 * A thread says "here I am" by a system call that does nothing: prctl(CPROF_PRCTL_REGISTER, slot, tls_offset, tid, generation) returns EINVAL, and BPF
 * sees the arguments. slot 0: no slot is to be had, read my TLS. tls_offset: of its struct cprof_slot from the thread pointer.
 */
#define CPROF_PRCTL_REGISTER 0x43505246 /* "CPRF" */

/* Why a thread was not running; one list for both sides' enum, JSON names and words. */
#define CPROF_BLOCKED_CLASSES(X) \
	X(FUTEX, 0, "lock", "waiting for a lock, a condition or another thread (futex)") \
	X(DISK, 1, "disk", "waiting for a block device (uninterruptible)") \
	X(FILE, 2, "file", "in a read or write of a file, pipe or socket") \
	X(POLL, 3, "poll", "in poll, select or epoll") \
	X(SLEEP, 4, "sleep", "asleep for a time it chose") \
	X(OTHER, 5, "other", "any other reason")
enum cprof_blocked_class {
#define CPROF_X(name, number, key, what) CPROF_BLOCKED_##name = number,
	CPROF_BLOCKED_CLASSES(CPROF_X)
#undef CPROF_X
	CPROF_BLOCKED_COUNT
};

struct cprof_slot {
	/* Line 0: the runtime's, but for the two kernel ids, which BPF fills at registration. */
	uint32_t magic;            /* CPROF_SLOTS_MAGIC while a thread owns it */
	uint32_t tid;              /* as the process sees it */
	uint32_t context;          /* innermost open call's; 0: outside */
	uint32_t generation;       /* process image, as in META */
	uint32_t kernel_tgid, kernel_tid; /* in the initial pid namespace; 0: not registered yet */
	uint32_t reserved[10];
	/* Line 1: BPF's, written before the thread runs on, `changes` last. Sums since registration. */
	uint32_t changes;          /* moves whenever anything below did: switches + faults */
	uint32_t faults;           /* page faults */
	uint64_t runq_ns;          /* could run, had no CPU */
	uint64_t blocked_ns[CPROF_BLOCKED_COUNT];
};

struct cprof_slots_header { /* element 0 */
	uint32_t magic;            /* CPROF_SLOTS_MAGIC */
	uint32_t version;          /* CPROF_SLOTS_VERSION */
	uint32_t slots;            /* elements, this one included */
	uint32_t hint;             /* where to look for a free one next; threads add to it */
	uint8_t session[16];       /* of the recording; traced processes take it over */
	uint64_t started_ns;       /* CLOCK_MONOTONIC: values are exact from here */
	uint64_t heartbeat_ns;     /* the recorder was alive then; written every 100 ms */
	uint64_t stopped_ns;       /* not 0: values are frozen since */
	uint32_t exhausted;        /* threads that found no free slot; the runtime counts */
	uint32_t reserved[17];
};

/* Data symbol `cprof_runtime_header` in the .dynsym of libcprof.so and of programs with the static runtime: for who attaches later. */
struct cprof_runtime_header {
	uint64_t magic;            /* CPROF_RUNTIME_MAGIC */
	uint32_t version;          /* CPROF_SLOTS_VERSION */
	uint32_t generation;
	int64_t tls_offset;        /* of the thread's struct cprof_slot, from the thread pointer; 0: nothing is recorded yet */
	uint8_t session[16];
};
#define CPROF_RUNTIME_MAGIC 0x31524E5546504Cull

#endif
