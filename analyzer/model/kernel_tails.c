/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_tails.h"

#include <stdlib.h>

#include "kernel_ticks.h"
#include "slots.h"

struct cprof_error *kernel_tails_init(struct kernel_tails *tails, size_t nr_traces)
{
	*tails = (struct kernel_tails){ .traces = calloc(nr_traces + 1, sizeof *tails->traces), .nr_traces = nr_traces };
	return tails->traces ? NULL : &cprof_enomem;
}

void kernel_tails_deinit(struct kernel_tails *tails)
{
	for (size_t i = 0; tails->traces && i < tails->nr_traces; i++) {
		free(tails->traces[i].tails);
		free(tails->traces[i].tail_of);
	}
	free(tails->traces);
	*tails = (struct kernel_tails){ 0 };
}

static int tail_compare(const void *a_, const void *b_)
{
	const struct kernel_tail *a = a_, *b = b_;

	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->last_ns != b->last_ns)
		return a->last_ns < b->last_ns ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

struct cprof_error *kernel_tails_add_trace(struct kernel_tails *tails, uint32_t index, const struct trace *trace)
{
	const struct trace_tables *tables = trace_tables(trace);
	uint64_t trace_end_tsc = trace_state(trace)->end_tsc;
	struct trace_tails *of = &tails->traces[index];

	of->tails = calloc(tables->nr_threads + 1, sizeof *of->tails);
	of->tail_of = malloc((tables->nr_threads + 1) * sizeof *of->tail_of);
	if (!of->tails || !of->tail_of)
		return &cprof_enomem;
	for (uint32_t i = 0; i < tables->nr_threads; i++) {
		const struct cprof_thread *thread = &tables->threads[i];
		uint64_t end_tsc = thread->end_tsc && thread->end_tsc < trace_end_tsc ? thread->end_tsc : trace_end_tsc;

		of->tail_of[i] = KERNEL_TAIL_NONE;
		if (thread->kernel_tid)
			of->tails[of->nr_tails++] = (struct kernel_tail){ .tid = thread->kernel_tid, .thread = i, .end_ns = kernel_ns(trace, end_tsc),
									  .last_ns = kernel_ns(trace, trace_thread_last_tsc(trace, i)) };
	}
	qsort(of->tails, of->nr_tails, sizeof *of->tails, tail_compare);
	for (uint32_t i = 0; i < of->nr_tails; i++)
		of->tail_of[of->tails[i].thread] = i;
	return NULL;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Intervals end with the thread at the latest. */
static void interval_add(struct kernel_tail *tail, const struct cprof_kernel_off_cpu *off)
{
	uint64_t room_ns = tail->end_ns - off->time_ns;
	uint64_t blocked_ns = smaller(off->blocked_ns, room_ns), runq_ns = smaller(off->runq_ns, room_ns - blocked_ns);

	tail->figures[CPROF_SCHED_SWITCHES]++;
	tail->figures[CPROF_SCHED_RUNQ] += runq_ns;
	tail->figures[CPROF_SCHED_BLOCKED + (off->blocked_class < CPROF_BLOCKED_COUNT ? off->blocked_class : CPROF_BLOCKED_OTHER)] += blocked_ns;
}

/* The tail in which this lies; NULL: in none. */
static struct kernel_tail *tail_find(struct kernel_tails *tails, uint32_t trace, uint32_t tid, uint64_t time_ns)
{
	const struct kernel_tail key = { .tid = tid, .last_ns = time_ns, .thread = UINT32_MAX };
	struct trace_tails *of = &tails->traces[trace];
	size_t low = 0, high = of->nr_tails;

	while (low < high) { /* the first that ends its events after the time */
		size_t middle = low + (high - low) / 2;

		if (tail_compare(&of->tails[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && of->tails[low - 1].tid == tid && time_ns < of->tails[low - 1].end_ns ? &of->tails[low - 1] : NULL;
}

void kernel_tails_take(struct kernel_tails *tails, uint32_t trace, const struct cprof_kernel_off_cpu *off)
{
	struct kernel_tail *tail = tail_find(tails, trace, off->who.tid, off->time_ns);

	if (tail)
		interval_add(tail, off);
}

void kernel_tails_take_fault(struct kernel_tails *tails, uint32_t trace, const struct cprof_kernel_fault *fault)
{
	struct kernel_tail *tail = tail_find(tails, trace, fault->tid, fault->time_ns);

	if (tail)
		tail->figures[CPROF_SCHED_FAULTS]++;
}

void kernel_tails_get(const struct kernel_tails *tails, uint32_t trace, uint32_t thread, uint64_t *figures)
{
	const struct trace_tails *of = &tails->traces[trace];
	uint32_t place = of->tail_of ? of->tail_of[thread] : KERNEL_TAIL_NONE;

	for (uint32_t figure = 0; place != KERNEL_TAIL_NONE && figure < SCHED_FIGURES; figure++)
		figures[figure] += of->tails[place].figures[figure];
}
