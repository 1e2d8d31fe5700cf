/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The join of the kernel half with the traces of a session: every record that has a context is summed there, in one pass over the kernel files.
 *
 * The key is (session, tgid, generation, context); records of processes without a trace keep their stacks instead. Memory grows with contexts, and what they had to do with
 * (files, devices, locks, stacks), not with the number of records. No printing. What could not be attributed is counted by quality, never guessed.
 */
#ifndef CPROF_KERNEL_FACTS_H
#define CPROF_KERNEL_FACTS_H

#include "call_metrics.h"
#include "kernel_names.h"
#include "profile.h"

#define FACT_NO_TRACE UINT32_MAX

struct fact_place {
	struct kernel_image image;
	uint32_t trace;      /* of the session, or FACT_NO_TRACE */
	uint32_t context;    /* of it; 0: outside every recorded call, or not known */
	uint64_t stack;      /* where there is no context: user stack, 0 unknown */
};

struct sum_fact { /* KERNEL_SUMS of all windows */
	struct fact_place place;
	uint32_t kind, sub;  /* enum cprof_sum_kind */
	uint32_t device, other; /* as in cprof_kernel_sum_key */
	uint64_t object;
	uint64_t count, ns, max_ns, bytes;
	uint64_t histogram[CPROF_SUM_BUCKETS];
};

struct sample_fact { /* KERNEL_SAMPLES that are alike */
	struct fact_place place;
	uint64_t kernel_stack;
	uint32_t leaf;       /* frame of kernel_names: where the sample was taken */
	bool in_kernel, probe;
	uint64_t count, ns;
};

struct off_fact { /* KERNEL_OFF_CPU: long intervals that are alike */
	struct fact_place place, waker; /* waker.context 0 and image.tgid 0: not a task, or not known */
	uint64_t kernel_stack;
	struct cprof_file_id object; /* of a futex its address is the inode */
	uint32_t syscall;
	uint8_t blocked_class, state, woken_by;
	uint64_t count, blocked_ns, runq_ns, max_ns, open;
};

struct facts_of_trace {
	uint64_t (*metrics)[NR_METRICS]; /* [context]; NULL: there are none */
	uint32_t nr_contexts;
	struct trace_kernel kernel;
	bool has_slots;          /* the trace itself tells what the scheduler did */
	bool timed;              /* ... because the kernel half was put into it by time: not of coroutines */
	bool has_sums;           /* the kernel half does, by context */
	uint64_t from_ns, to_ns; /* of what is known of the scheduler */
};

enum fact_source { FACTS_SAMPLES, FACTS_OFF_CPU, FACTS_SUMS, NR_FACT_SOURCES };
#define NR_FACT_QUALITIES 9

struct fact_total {
	uint64_t count, ns, bytes;
};

struct kernel_facts {
	uint32_t metrics;        /* METRIC_BIT()s that were recorded for some process */
	struct facts_of_trace *traces; /* of the session */
	size_t nr_traces;
	struct sum_fact *sums;
	size_t nr_sums;
	struct sample_fact *samples;
	size_t nr_samples;
	struct off_fact *offs;
	size_t nr_offs;
	struct fact_place *strangers; /* processes without a trace: context and stack are 0 */
	size_t nr_strangers;
	uint64_t qualities[NR_FACT_SOURCES][NR_FACT_QUALITIES]; /* records, sums by their count */
	bool has_off_cpu;        /* time off the CPU was recorded, even if there was none */
	uint64_t off_own_ns;     /* long intervals of the profiler's own thread in a process: in no fact */
	struct fact_total own_io; /* system calls of that thread, and those on the files of a trace in any thread: in no fact and no metric */
	uint64_t samples_probe;  /* of the samples, in the profiler's own code */
	bool windowed;           /* a time range was asked for: of sums, the windows that lie in it by more than half were taken */
	bool partial;            /* threads were chosen: what the kernel sums up for all of a process was left out */
	struct kernel_facts_private *private_data;
};

/* names must outlive it. What options say of time and threads is kept to as far as the records allow. *ret is NULL when there is nothing of the kind. */
struct cprof_error *kernel_facts_create(const struct session *session, const struct profile_options *options, struct kernel_names *names,
					struct kernel_facts **ret) CPROF_MUST_CHECK;
void kernel_facts_destroy(struct kernel_facts *facts);

/* Time off the CPU behind a thread's last event (kernel_tails.h). figures: SCHED_FIGURES, added to. */
void kernel_facts_tail(const struct kernel_facts *facts, uint32_t trace, uint32_t thread, uint64_t *figures);

/* enum cprof_lock_class of a lock of that process, as most of the waits for it say, whoever waited and when. */
uint32_t kernel_facts_lock_class(const struct kernel_facts *facts, struct kernel_image image, uint64_t address);

#endif
