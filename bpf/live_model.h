/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the live view knows: the records that go to the file, added up by place, file and lock, for the current window and since the start.
 *
 * Pure: no clock, no names, no terminal, no files. Numbers are added once each, as they pass; a place that there is no room for is added to one
 * that stands for all such, so that sums stay right. live_model_take() hands out a copy and begins the next window.
 */
#ifndef CPROF_LIVE_MODEL_H
#define CPROF_LIVE_MODEL_H

#include <stdbool.h>

#include "kernel_format.h"
#include "live_table.h"
#include "slots.h"
#include "trace_format.h"

enum live_place_kind {
	LIVE_CONTEXT,  /* of a trace: exact. 0: outside every recorded call, or no stack was to be had */
	LIVE_USER,     /* code: the address that was sampled */
	LIVE_KERNEL,
	LIVE_STACK,    /* code: the stack of that key */
	LIVE_REST,     /* all for which there was no room */
};

struct live_key {
	uint32_t tgid;
	uint16_t generation;
	uint16_t kind;             /* enum live_place_kind */
	uint64_t code;             /* context id, address or key */
};

/* CPU is sampled; all else is counted in the kernel and exact, but for what the footer calls lost. */
struct live_numbers {
	uint64_t samples, sampled_ns;
	uint64_t switches, off_cpu_ns, off_cpu_max_ns, runq_ns;
	uint64_t blocked_ns[CPROF_BLOCKED_COUNT];
	uint64_t faults, major_faults;
	uint64_t allocs, alloc_bytes, frees, freed_bytes;
	uint64_t io_calls, io_ns, io_max_ns, io_bytes;
	uint64_t requests, request_ns, request_bytes; /* of block devices */
	uint64_t waits, wait_ns, wait_max_ns;         /* for locks */
};

struct live_cell {
	struct live_key key;
	struct live_numbers now, total;
};

/* Kinds of input and output, for the histograms. */
#define LIVE_IO_GROUPS(X) \
	X(READ, "read", "read, recv, ...") \
	X(WRITE, "write", "write, send, ...") \
	X(SYNC, "sync", "fsync, fdatasync, ...") \
	X(CALL, "other", "open, close, unlink, ...") \
	X(DEVICE_READ, "dev read", "block device: read") \
	X(DEVICE_WRITE, "dev write", "block device: write") \
	X(DEVICE_ASYNC, "writeback", "block device: write-back, later") \
	X(DEVICE_OTHER, "dev other", "block device: flush, discard")
enum live_io_group {
#define CPROF_X(name, key, what) LIVE_IO_##name,
	LIVE_IO_GROUPS(CPROF_X)
#undef CPROF_X
	LIVE_IO_COUNT
};

#define LIVE_SLOW_NS 10000000u
struct live_latency {
	uint64_t count, ns, max_ns, bytes;
	uint64_t slow;                         /* of LIVE_SLOW_NS and more, from single records: see live_model.slow_exact */
	uint64_t buckets[CPROF_SUM_BUCKETS];   /* as in cprof_kernel_sum_value */
};
struct live_io {
	struct live_latency now, total;
};

/* By number: of the files that had one after the other the last is kept, so that temporary files take no room; the others are LIVE_GONE_INODE's. */
#define LIVE_GONE_INODE UINT64_MAX
struct live_file_key {
	uint64_t inode;
	uint32_t device, group;                /* enum live_io_group */
};
struct live_file_sums {
	uint64_t count, ns, max_ns, bytes;
};
struct live_file_cell {
	struct live_file_key key;
	struct live_file_sums now, total;
};

struct live_lock_key {
	struct live_key waiter;
	uint64_t address;
	uint32_t holder;                       /* context in the waiter's process; 0 unknown */
	uint32_t lock_class;                   /* enum cprof_lock_class */
};
struct live_lock_cell {
	struct live_lock_key key;
	struct { uint64_t count, ns, max_ns; } now, total;
};

struct live_process_key {
	uint32_t tgid, generation;
};
struct live_process {
	struct live_process_key key;
	uint32_t flags;                        /* CPROF_KERNEL_PROCESS_* */
	char name[16];
};

enum { LIVE_STACK_FRAMES = 16 };
struct live_stack {
	uint64_t key;
	uint32_t count, kernel;
	uint64_t frames[LIVE_STACK_FRAMES];    /* innermost first */
};

struct live_path_key {
	uint64_t inode;
	uint32_t device, reserved;
};
struct live_path {
	struct live_path_key key;
	uint32_t generation;                   /* of the inode */
	bool replaced;                         /* in this window, another file had the number before */
	char text[240];                        /* its end, where it is longer */
};

struct live_modules { /* what a process has mapped */
	uint32_t tgid, generation;
	size_t count;
	struct cprof_module *modules;
	struct live_modules *next;             /* older */
};

struct live_model {
	struct live_table cells, files, locks, processes, stacks, paths;
	struct live_numbers now, total;        /* of all */
	struct live_io io[LIVE_IO_COUNT];
	struct live_modules *modules;          /* since the last take */
	uint64_t qualities[8];                 /* of what was added since the last take, by enum cprof_quality */
	uint64_t window_start_ns, start_ns;
	uint64_t dropped;                      /* names, files, locks, stacks without room: shown without name or not at all */
	bool slow_exact;                       /* slow ones are recorded one by one */
};

/* A copy, with what was collected in the window that it ends. */
struct live_snapshot {
	struct live_model model;
	uint64_t end_ns;
};

void live_model_init(struct live_model *model, uint64_t start_ns);
void live_model_deinit(struct live_model *model);

/* A record of a ring kind; record_bytes holds at least its fixed part, or it is passed over. */
void live_model_sample(struct live_model *model, const struct cprof_kernel_sample *sample);
void live_model_sum(struct live_model *model, const struct cprof_kernel_sum *sum);
void live_model_io(struct live_model *model, const struct cprof_kernel_io *io);
void live_model_block(struct live_model *model, const struct cprof_kernel_block *block);
void live_model_process(struct live_model *model, const struct cprof_kernel_process *process);
void live_model_stack(struct live_model *model, const struct cprof_kernel_stack *stack, size_t bytes);
void live_model_file(struct live_model *model, const struct cprof_kernel_file *file, size_t bytes);
void live_model_modules(struct live_model *model, uint32_t tgid, uint32_t generation, const struct cprof_module *modules, size_t count);

/* To a place that is met now or was before. */
void live_model_add(struct live_model *model, const struct live_key *key, const struct live_numbers *now, const struct live_numbers *total);

/* false: no memory; the window goes on. */
bool live_model_take(struct live_model *model, uint64_t now_ns, struct live_snapshot *ret);
void live_snapshot_deinit(struct live_snapshot *snapshot);

void live_numbers_add(struct live_numbers *to, const struct live_numbers *from);
struct live_key live_key_of(const struct cprof_who *who, uint64_t stack);

/* How long did the quickest `percent` of them take at most? The upper end of a bucket, never above max_ns. 0: there were none. */
uint64_t live_latency_percentile(const struct live_latency *latency, unsigned percent);
enum live_io_group live_io_group_of_syscall(uint32_t number);
extern const char *const live_io_names[], *const live_io_words[];

#endif
