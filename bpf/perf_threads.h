/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes records of the kernel half out of the news of perf events: the life of processes and threads, their time on and off the CPU, samples.
 *
 * In which context a thread was, no event says: records have quality TIMED, and the analyzer finds it in the thread's own trace, by time. Every interval
 * off the CPU is a record, however short, because sums by context cannot be made here. What a thread waits for is not known but for waits of which
 * perf_waits.h took a look.
 */
#ifndef CPROF_PERF_THREADS_H
#define CPROF_PERF_THREADS_H

#include "kernel_writer.h"
#include "perf_rings.h"
#include "process_modules.h"

struct perf_thread {
	struct cprof_kernel_thread said;
	uint64_t on_since_ns, off_since_ns; /* 0: it is not there */
	bool preempted;              /* off the CPU, but could run */
	bool adopted;                /* where it is was guessed from /proc, and no switch of it has come yet */
	/* What perf_waits.h saw of this wait, at look_ns. */
	bool looked_at;
	uint64_t look_ns;
	uint8_t blocked_class;       /* enum cprof_blocked_class */
	uint32_t syscall;            /* 0xFFFFFFFF: not known */
	uint32_t device;
	uint64_t object;
};

struct perf_process {
	struct cprof_kernel_process said;
	uint32_t image, threads;
};

struct perf_threads {
	struct kernel_writer *writer;
	struct process_modules *modules;
	uint64_t period_ns, max_samples;
	uint64_t from_ns;            /* nothing that was before is taken: of a process that ran already */
	bool off_cpu;
	struct perf_thread **threads; /* those that live, by tid */
	size_t nr_threads, threads_capacity;
	struct perf_process *processes;
	size_t nr_processes, processes_capacity;
	uint64_t *stacks;            /* keys of those that were written: a hash table, 0 is free */
	size_t nr_stacks, stacks_capacity;
	uint64_t samples, samples_over_limit, intervals, faults, switches_unseen;
	bool no_memory;
};

void perf_threads_deinit(struct perf_threads *threads);
/* The target, before its exec. */
void perf_threads_expect(struct perf_threads *threads, uint32_t pid, uint32_t parent);
/* A process that runs already, with the threads that it has: they may be followed from now_ns on. */
void perf_threads_adopt(struct perf_threads *threads, uint32_t pid, uint64_t now_ns);
/* A perf_rings_take. */
void perf_threads_take(void *threads, const struct perf_news *news, const uint64_t *frames);
/* What has not ended yet, up to until_ns: so that it is in the file if nothing more comes. */
void perf_threads_say_open(struct perf_threads *threads, uint64_t until_ns);
/* At the end of the recording: whatever has not ended is said. */
void perf_threads_finish(struct perf_threads *threads, uint64_t now_ns);

#endif
