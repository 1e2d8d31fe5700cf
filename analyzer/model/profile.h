/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The profile of one run: a calling-context tree with exact numbers, and its functions.
 *
 * Built in one streaming pass over a trace (memory grows with contexts, not with events). No printing, no file writing. What the
 * numbers mean is defined in docs/glossary.md; all times here are in ticks, profile_ns() converts. Strings are borrowed from the profile.
 */
#ifndef CPROF_PROFILE_H
#define CPROF_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "call_metrics.h"
#include "error.h"

struct session;    /* trace/session.h: one or several opened traces of one run */
struct symbolizer;

struct profile_options {
	bool unroll;              /* every folding edge becomes a node of its own instead of leading back to its target */
	bool by_thread;           /* a level of thread nodes below the root */
	bool functions_only;      /* nodes of functions and pairs may be left out: who asks shows functions and the root's totals */
	const bool *const *threads; /* [trace][thread]: only these; NULL: all */
	uint64_t from_ticks, to_ticks; /* calls that begin in [from, to), and the time in it; to 0: no end */
	const char *skip_function; /* the first skip_first outermost calls of this function in each thread are left out; or NULL */
	uint64_t skip_first;
	void (*progress)(void *context, uint64_t done_bytes, uint64_t all_bytes); /* or NULL */
	void *progress_context;
};

struct call_numbers {
	uint64_t calls;    /* entered in this trace; inherited calls are not counted */
	uint64_t open;     /* of these, not ended when the trace, or the range, ended */
	uint64_t repaired; /* of these, ended without an exit */
	uint64_t self_ticks;  /* time in which this context was current */
	uint64_t suspended_ticks;  /* in which it was current in a strand that did not run: in no other time */
	uint64_t suspended_total_ticks; /* ... and those of the children */
	uint64_t total_ticks; /* self + totals of the children: always adds up */
	uint64_t span_ticks;  /* time in which at least one call was open */
	uint64_t min_ticks, max_ticks;              /* of single ended calls; 0 when none has ended */
	uint64_t p50_ticks, p90_ticks, p99_ticks;   /* upper bound of a bucket no wider than 3 % */
	const struct call_metrics *metrics;         /* NULL: nothing was recorded beside the trace; which ones count: profile.metrics */
};

/* NODE_SAMPLED: a frame that samples met below the innermost recorded function; its time is in that function's self. */
enum call_node_kind { NODE_ROOT, NODE_PROCESS, NODE_THREAD, NODE_FUNCTION, NODE_OVERFLOW, NODE_SAMPLED };

struct call_function {    /* distinct function: module + entry address */
	const char *name;
	const char *linkage;  /* or NULL */
	const char *module;   /* path as recorded; "" for module 0 */
	const char *file;     /* of its declaration, or NULL */
	uint32_t line;
	bool known;           /* false: name is module+offset */
	uint64_t address;     /* ELF virtual address */
	struct call_numbers numbers; /* flat: self = sum over contexts; total = span = per thread, outermost calls only; calls etc. summed */
};

struct call_node {
	struct call_node *parent, *first_child, *next_sibling; /* children in order of total, descending */
	enum call_node_kind kind;
	uint32_t function;     /* index into profile.functions; UINT32_MAX unless NODE_FUNCTION */
	const char *name;      /* function name, thread name, ... never NULL */
	const char *site_file; /* where it was called from; NULL: unknown, then site_module/site_address */
	uint32_t site_line, site_column;
	const char *site_module;
	uint64_t site_address;
	uint64_t recursive_calls; /* of numbers.calls, those that came back here from deeper in the path (folding edges) */
	struct call_numbers numbers;
};

struct call_pair {         /* caller -> callee, exact: over all contexts and edges */
	uint32_t caller, callee; /* function indices; caller UINT32_MAX: from outside every recorded call */
	uint64_t calls;
};

struct profile_info {      /* what `info` prints: the honest measurement panel */
	uint64_t events, calls, contexts, edges;
	uint64_t threads, strands, processes; /* strands: stacks of coroutines */
	uint64_t duration_ticks;       /* first to last event */
	uint64_t lost_events, repaired_calls, unmatched_exits, open_calls, holes, clock_steps_back;
	uint64_t sched_shrunk;         /* sums of the scheduler's that became smaller: a self-check that failed */
	uint64_t wrong_exits;          /* exits to another context than the stack held: a self-check that failed */
	uint64_t damaged_chunks;       /* whose columns made no sense from some point on */
	uint64_t trace_bytes;          /* all files read */
	uint64_t execs;                /* traces without END whose process went on as another program */
	bool clean_exit;
	double clock_hz;               /* 0 when unknown: times are ticks */
};

struct kernel_facts;
struct kernel_names;

struct profile {
	struct call_node *root;
	size_t nodes;
	struct call_function *functions;
	size_t nr_functions;
	struct call_pair *pairs;       /* sorted by caller, callee */
	size_t nr_pairs;
	struct profile_info info;
	uint32_t metrics;              /* METRIC_BIT()s of what was recorded; the others are absent, not 0 */
	const struct kernel_facts *kernel; /* what the kernel half says in detail; NULL: there is none */
	struct kernel_names *kernel_names; /* and the names of its frames */
	struct profile_private *private_data;
};

/* Streams the session once. The symbolizer must already know the session's modules (session_add_modules()). */
struct cprof_error *profile_create(struct session *session, struct symbolizer *symbolizer, const struct profile_options *options,
				   struct profile **ret) CPROF_MUST_CHECK;
void profile_destroy(struct profile *profile);

/* Tells the symbolizer of the modules of all traces; the ids it uses are the model's own. */
struct cprof_error *session_add_modules(const struct session *session, struct symbolizer *symbolizer) CPROF_MUST_CHECK;

/* The node of a trace's context; NULL: none, or several (by_thread). Only of profiles with kernel facts. */
const struct call_node *profile_node_of(const struct profile *profile, uint32_t trace, uint32_t context);

/* A duration in ns, rounded to nearest. */
uint64_t profile_ns(const struct profile *profile, uint64_t ticks);

#endif
