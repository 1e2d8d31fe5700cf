/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between libcprof-calls.so, preloaded into a program, and a cprof-record that may not use BPF: memory that both see, in which
 * the library adds up the calls of libc that move data or wait.
 *
 * The memory is a memfd of `total_bytes`, sealed (F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW). The program inherits it as number
 * CPROF_CALLS_FD; programs whose parents close what they have inherited find it at CPROF_CALLS_PATH, /proc/PID/fd/N of the recorder. The
 * recorder makes it and fills in the header; after that only the library writes, from any number of processes and threads at once, without
 * a lock: a place is won by one compare-and-swap, and sums are added to atomically. A process that is killed in the middle leaves at most
 * one place that nobody uses and one call that is half in a sum. The recorder reads, and trusts nothing that it reads.
 */
#ifndef CPROF_CALLS_TABLE_H
#define CPROF_CALLS_TABLE_H

#include <stdint.h>

#include "kernel_format.h"

#define CPROF_CALLS_MAGIC   0x31534C4C41435043ull /* "CPCALLS1" */
#define CPROF_CALLS_VERSION 2u
#define CPROF_CALLS_NAME    "cprof-calls" /* of the memfd */

/* At offset 0. */
struct cprof_calls_header {
	uint64_t magic;
	uint32_t version;
	uint32_t sources;          /* CPROF_CALLS_IO | CPROF_CALLS_LOCKS: what is to be counted */
	uint64_t total_bytes;
	uint64_t pid_namespace;    /* inode of the recorder's /proc/self/ns/pid; in another nothing is counted */
	uint64_t io_threshold_ns, lock_threshold_ns; /* of single records */
	uint64_t stopped_ns;       /* not 0: the recording has ended, nothing is counted any more. CLOCK_MONOTONIC */
	/* Arrays, at these offsets from the header. Numbers of rows, files and records are powers of 2. */
	uint64_t rows_at, files_at, records_at, processes_at;
	uint32_t nr_rows, nr_files, nr_records, nr_processes;
	/* What the library counts. */
	uint64_t rows_full;        /* calls that found no row: they are in no sum */
	uint64_t files_full;       /* calls whose file found no place: it has no name, or an old one */
	uint64_t records_head;     /* records begun; at most nr_records more than records_tail */
	uint64_t records_lost;     /* of which there was no room: they are in the sums */
	uint64_t processes_full;   /* processes that found no place */
	uint64_t foreign;          /* processes of another pid namespace, which count nothing */
	/* What the recorder counts. */
	uint64_t records_tail __attribute__((aligned(64))); /* records read */
};
#define CPROF_CALLS_IO    1u
#define CPROF_CALLS_LOCKS 2u

/*
 * A sum. A row is looked for from the place its key's hash names, then behind it, at most CPROF_CALLS_PROBES places. One whose hash is
 * right but which is not ready is passed by (it may be ours, interrupted by this very call): a key may have two rows, which add up.
 * Key: who.tgid is getpid(), who.tid 0; kind SYSCALL or LOCK. Without a generation of a trace, it is CPROF_GENERATION_CALLS + the process's
 * place, or 0x8000 if it has none. value.max_ns is the longest of a window: the recorder sets it back to 0.
 */
struct cprof_calls_row {
	uint32_t hash;             /* of the key, never 0; 0: free. Won by compare-and-swap */
	uint32_t ready;            /* 1: the key is there. Stored last */
	struct cprof_kernel_sum sum;
	uint64_t reserved[5];
};
#define CPROF_CALLS_PROBES 64u

/*
 * A file that occurs in a row: written once, or twice if two threads saw it first. A file whose path has changed gets another place; the
 * one with the larger `order` is newer.
 */
struct cprof_calls_file {
	uint32_t hash;             /* of inode and device; never 0 */
	uint32_t ready;
	uint64_t inode;
	uint32_t device;
	uint32_t order;            /* of this file's places, from 0 */
	char path[232];            /* NUL-terminated; one that does not fit begins with "..."; "": it was not to be had */
};

/*
 * One call at least as long as the threshold. Place = number % nr_records. A number is taken (records_head) only when its place is free.
 * One whose process was killed before it was `done` never will be: who reads goes on after a while.
 */
struct cprof_calls_record {
	uint64_t done;             /* number + 1 when it is there; stored last */
	uint32_t kind;             /* CPROF_CALLS_IO, CPROF_CALLS_LOCKS */
	uint32_t reserved;
	union {
		struct cprof_kernel_io io;
		struct cprof_kernel_lock lock;
	};
};

/* A process image that counts: it has the library and has found the memory. Forked children and new images have places of their own. */
struct cprof_calls_process {
	uint32_t pid;              /* 0: free; won by compare-and-swap */
	uint32_t ready;
	uint32_t parent;
	uint32_t reserved;
	uint64_t start_ns;         /* CLOCK_MONOTONIC */
	char name[16];             /* as the kernel calls its first thread */
};

#endif
