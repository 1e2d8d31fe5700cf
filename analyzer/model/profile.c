/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams a session into a profile: for each trace its contexts are named, then its threads go through one tally, one after the other.
 */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_registry.h"
#include "call_tally.h"
#include "call_tree.h"
#include "context_map.h"
#include "function_match.h"
#include "function_sums.h"
#include "kernel_facts.h"
#include "kernel_ticks.h"
#include "module_map.h"
#include "sampled_path.h"
#include "sched_figures.h"
#include "session.h"
#include "text_store.h"
#include "thread_holes.h"

struct profile_private {
	struct text_store store;
	struct module_map modules;
	struct kernel_names names;
	struct kernel_facts *facts;
	struct call_node ***context_nodes; /* [trace][context]; [trace] NULL: of that trace nothing is known */
	size_t nr_traces;
};

struct profile_build {
	struct session *session;
	const struct profile_options *options;
	struct profile *profile;
	struct call_registry registry;
	struct call_tree tree;
	uint64_t first_tsc, last_tsc;
	uint64_t blocks_done, blocks_all, bytes_all;
	bool functions_only;
};

/* One trace of it. */
struct trace_build {
	struct profile_build *build;
	struct trace *trace;
	size_t index;
	const struct trace_tables *tables;
	struct call_node *top;
	struct context_map map;
	struct call_tally tally;
};

/* Bytes as the share of chunks: where in the file a chunk lies is the trace house's business. */
static void progress_report(struct profile_build *build)
{
	const struct profile_options *options = build->options;
	uint64_t done = ++build->blocks_done < build->blocks_all ? build->blocks_done : build->blocks_all;

	if (options->progress && build->blocks_done % 16 == 0)
		options->progress(options->progress_context, (uint64_t)((double)build->bytes_all * (double)done / (double)build->blocks_all),
				  build->bytes_all);
}

static void progress_prepare(struct profile_build *build)
{
	for (size_t i = 0; i < session_nr_traces(build->session); i++) {
		const struct trace *trace = session_trace(build->session, i);
		const struct trace_tables *tables = trace_tables(trace);

		build->bytes_all += trace_state(trace)->file_bytes;
		for (size_t thread = 0; thread < tables->nr_threads; thread++)
			build->blocks_all += tables->threads[thread].blocks;
	}
	build->blocks_all += !build->blocks_all;
}

/* The hole before chunk. The first one of a thread makes us read its chunks once more, ahead. */
static struct cprof_error *hole_take(struct trace_build *trace, uint32_t thread, const struct events_chunk *chunk, struct thread_holes *holes,
				     size_t *nr_taken)
{
	struct cprof_error *error = NULL;

	if (!holes->nr_holes)
		error = thread_holes_init(holes, trace->trace, thread);
	if (error || *nr_taken >= holes->nr_holes)
		return error;

	const struct thread_hole *hole = &holes->holes[(*nr_taken)++];
	trace->build->profile->info.holes += chunk->hole_before;
	return call_tally_hole(&trace->tally, &(struct tally_hole){ .keep = hole->keep,
								     .keep_until = hole->keep_until,
								     .opened = hole->opened,
								     .nr_opened = hole->nr_opened,
								     .context = chunk->header.context,
								     .resume_tsc = chunk->header.first_tsc });
}

static struct cprof_error *chunks_stream(struct trace_build *trace, uint32_t thread, struct trace_cursor *cursor, uint64_t *end_sequence)
{
	struct thread_holes holes = { 0 };
	size_t nr_taken = 0;
	struct cprof_error *error = NULL;

	for (bool first = true; !trace->tally.after_range; first = false) {
		struct events_chunk chunk;
		bool end = false;

		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		if (thread_hole_before(&chunk, first))
			error = hole_take(trace, thread, &chunk, &holes, &nr_taken);
		if (!error)
			error = call_tally_add_chunk(&trace->tally, &chunk);
		if (error)
			break;
		*end_sequence = chunk.header.sequence + 1;
		progress_report(trace->build);
	}
	thread_holes_deinit(&holes);
	return error;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Adds what the tally saw since it was last reset, and what only the thread's own record knows. */
static void thread_count(struct trace_build *trace, const struct cprof_thread *thread, const struct call_tally_totals *before, bool cut)
{
	struct profile_info *info = &trace->build->profile->info;
	const struct call_tally_totals *after = &trace->tally.totals;

	info->lost_events += larger(after->lost_events - before->lost_events, thread->lost_events);
	info->unmatched_exits += larger(after->unmatched_exits - before->unmatched_exits, thread->unmatched_exits);
	info->clock_steps_back += thread->clock_steps_back;
	info->holes += cut;
}

/* When what the scheduler did to the thread is known; nothing to set in runs that were not followed. */
static struct cprof_error *cover_set(struct trace_build *trace, const struct cprof_thread *thread)
{
	const struct kernel_facts *facts = trace->build->profile->kernel;
	const struct facts_of_trace *of = facts ? &facts->traces[trace->index] : NULL;
	struct tally_cover cover = { 0, 0 };

	if (!facts || !(trace->build->profile->metrics & METRIC_BIT(CPU)))
		return NULL;
	if (of->has_sums || (of->has_slots && (thread->kernel_tid || (thread->flags & CPROF_THREAD_STRAND && !of->timed)))) {
		trace->tally.sched.trusts_figures = of->timed;
		cover.from_ticks = of->from_ns ? kernel_ticks(trace->trace, of->from_ns) : 0;
		cover.to_ticks = of->to_ns == UINT64_MAX ? UINT64_MAX : kernel_ticks(trace->trace, of->to_ns);
	}
	return call_tally_set_cover(&trace->tally, cover);
}

/* A thread that waits at its end makes no event after that, so its stream does not tell of it. */
static void tail_add(struct trace_build *trace, uint32_t index)
{
	const struct kernel_facts *facts = trace->build->profile->kernel;
	uint64_t figures[SCHED_FIGURES] = { 0 };

	if (!facts || !facts->traces[trace->index].has_slots)
		return;
	kernel_facts_tail(facts, (uint32_t)trace->index, index, figures);
	call_tally_add_tail(&trace->tally, figures);
}

static struct cprof_error *thread_stream(struct trace_build *trace, uint32_t index)
{
	const struct cprof_thread *thread = &trace->tables->threads[index];
	struct call_tally_totals before = trace->tally.totals;
	uint64_t end_tsc = trace_state(trace->trace)->end_tsc, end_sequence = 0;
	struct trace_cursor *cursor;
	struct cprof_error *error = trace_cursor_create(trace->trace, index, &cursor);
	bool cut;

	if (error)
		return error;
	call_tally_begin_thread(&trace->tally);
	error = cover_set(trace, thread);
	if (!error)
		error = chunks_stream(trace, index, cursor, &end_sequence);
	cut = end_sequence < thread->blocks && !trace->tally.after_range;
	trace_cursor_destroy(cursor);
	if (!error)
		tail_add(trace, index);
	if (!error)
		error = call_tally_end_thread(&trace->tally, thread->end_tsc && thread->end_tsc < end_tsc ? thread->end_tsc : end_tsc);
	if (!error)
		thread_count(trace, thread, &before, cut);
	return error;
}

/* Hands the tally's totals over. */
static void totals_take(struct trace_build *trace)
{
	struct profile_build *build = trace->build;
	struct profile_info *info = &build->profile->info;
	const struct call_tally_totals *totals = &trace->tally.totals;

	info->events += totals->events;
	info->wrong_exits += totals->wrong_exits;
	info->sched_shrunk += totals->sched_shrunk;
	info->damaged_chunks += totals->damaged_chunks;
	uint64_t first_tsc = larger(totals->first_tsc, build->options->from_ticks), last_tsc = totals->last_tsc;

	if (build->options->to_ticks && last_tsc > build->options->to_ticks)
		last_tsc = build->options->to_ticks;
	if (last_tsc <= first_tsc)
		return;
	if (!build->last_tsc || first_tsc < build->first_tsc)
		build->first_tsc = first_tsc;
	build->last_tsc = larger(build->last_tsc, last_tsc);
}

static struct cprof_error *thread_add(struct trace_build *trace, const struct cprof_thread *thread)
{
	struct call_node *top;
	char name[64];
	struct cprof_error *error;

	snprintf(name, sizeof name, "%.16s [%u]", thread->name[0] ? thread->name : "thread", thread->tid);
	error = call_tree_add_top(&trace->build->tree, trace->top, NODE_THREAD, name, &top);
	if (!error)
		error = call_tree_add(&trace->build->tree, &trace->map, &trace->tally, &(struct tree_facts){ NULL, NULL }, top);
	totals_take(trace);
	call_tally_reset(&trace->tally);
	return error;
}

/* The samples of the trace's contexts, and what they met below. */
static struct cprof_error *samples_add(struct profile_build *build, uint32_t trace, struct call_node *top)
{
	const struct kernel_facts *facts = build->profile->kernel;
	struct profile_private *own = build->profile->private_data;
	struct call_node **nodes = trace == FACT_NO_TRACE ? NULL : own->context_nodes[trace];
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < facts->nr_samples; i++) {
		const struct sample_fact *fact = &facts->samples[i];
		struct call_node *node = nodes && fact->place.context ? nodes[fact->place.context] : NULL;

		if (fact->place.trace == trace)
			error = sampled_path_add(&build->tree, &own->names, facts, fact, node ? node : top);
	}
	return error;
}

static struct cprof_error *trace_tree_add(struct trace_build *trace)
{
	struct profile_build *build = trace->build;
	const struct kernel_facts *facts = build->profile->kernel;
	struct tree_facts of_tree = { NULL, NULL };
	struct cprof_error *error;

	if (build->functions_only)
		return function_sums_add(&build->tree, &trace->map, &trace->tally, trace->top);
	if (facts) {
		of_tree.metrics = (const uint64_t (*)[NR_METRICS])facts->traces[trace->index].metrics;
		of_tree.nodes = calloc(trace->map.nr_contexts, sizeof(*of_tree.nodes));
		build->profile->private_data->context_nodes[trace->index] = of_tree.nodes;
		if (!of_tree.nodes)
			return &cprof_enomem;
	}
	error = call_tree_add(&build->tree, &trace->map, &trace->tally, &of_tree, trace->top);
	return error || !facts ? error : samples_add(build, (uint32_t)trace->index, trace->top);
}

static struct cprof_error *threads_stream(struct trace_build *trace, const bool *wanted)
{
	bool by_thread = trace->build->options->by_thread;
	struct cprof_error *error = NULL;

	for (uint32_t i = 0; !error && i < trace->tables->nr_threads; i++) {
		if (wanted && !wanted[i])
			continue;
		error = thread_stream(trace, i);
		if (!error && by_thread && (trace->tally.totals.events || trace->tally.totals.going_on))
			error = thread_add(trace, &trace->tables->threads[i]);
	}
	if (!error && !by_thread) {
		error = trace_tree_add(trace);
		totals_take(trace);
	}
	return error;
}

static void tables_count(struct trace_build *trace)
{
	struct profile_info *info = &trace->build->profile->info;

	for (size_t i = 0; i < trace->tables->nr_threads; i++) {
		bool strand = trace->tables->threads[i].flags & CPROF_THREAD_STRAND;

		info->strands += strand;
		info->threads += !strand;
	}
	for (uint32_t id = 1; id < trace->map.nr_contexts; id++) {
		if (trace->map.contexts[id].flags & CPROF_CONTEXT_DEAD)
			continue;
		if (context_map_is_edge(&trace->map, id))
			info->edges++;
		else
			info->contexts++;
	}
}

/* After streaming: damage may be found only then. */
static void state_count(const struct trace_build *trace)
{
	struct profile_info *info = &trace->build->profile->info;
	const struct trace_state *state = trace_state(trace->trace);
	bool went_on = !state->clean && !state->active && session_trace_went_on(trace->build->session, trace->index);

	info->trace_bytes += state->file_bytes;
	info->execs += went_on;
	info->clean_exit = info->clean_exit && (state->clean || (went_on && !state->nr_problems));
}

static struct cprof_error *process_add(struct profile_build *build, struct trace *trace, struct call_node **top)
{
	const struct trace_meta *meta = trace_meta(trace);
	char name[256];

	if (session_nr_traces(build->session) == 1) {
		*top = build->tree.root;
		return NULL;
	}
	snprintf(name, sizeof name, "%s [%u]", meta->exe[0] ? meta->exe : "process", meta->fixed.pid);
	return call_tree_add_top(&build->tree, build->tree.root, NODE_PROCESS, name, top);
}

/* What of the trace is summed. A trace that does not have the function whose calls are to be skipped has nothing to skip. */
static struct cprof_error *range_set(struct trace_build *trace)
{
	const struct profile_options *options = trace->build->options;
	const struct call_registry *registry = &trace->build->registry;
	struct call_tally *tally = &trace->tally;
	struct cprof_error *error;
	bool *skipped;

	tally->range = (struct tally_range){ options->from_ticks, options->to_ticks ? options->to_ticks : UINT64_MAX, options->skip_first };
	if (!options->skip_first)
		return NULL;
	error = function_match_name(registry->functions, registry->nr_functions, options->skip_function, &skipped);
	if (error && error->code != CPROF_ERROR_NOT_FOUND)
		return error;
	for (uint32_t id = 1; !error && id < trace->map.nr_contexts; id++)
		if (skipped[trace->map.functions[id]])
			tally->slots[id].flags |= CALL_SLOT_SKIP;
	if (!error)
		free(skipped);
	cprof_error_free(error);
	return NULL;
}

static struct cprof_error *trace_stream(struct profile_build *build, size_t index)
{
	struct trace_build trace = { .build = build, .trace = session_trace(build->session, index), .index = index };
	struct cprof_error *error = process_add(build, trace.trace, &trace.top);

	trace.tables = trace_tables(trace.trace);
	if (!error)
		error = (build->functions_only ? context_map_init_functions : context_map_init)(&trace.map, &build->registry, index, trace.tables);
	if (error)
		return error;
	tables_count(&trace);
	error = context_map_tally_init(&trace.map, build->options->unroll, &trace.tally);
	if (!error)
		error = range_set(&trace);
	if (!error)
		error = threads_stream(&trace, build->options->threads ? build->options->threads[index] : NULL);
	state_count(&trace);
	call_tally_deinit(&trace.tally);
	context_map_deinit(&trace.map);
	return error;
}

/* Tables that the profile keeps. */
static void results_take(struct profile_build *build)
{
	struct profile *profile = build->profile;
	struct profile_info *info = &profile->info;

	profile->root = build->tree.root;
	profile->nodes = build->tree.nr_nodes + 1;
	profile->functions = build->registry.functions;
	profile->nr_functions = build->registry.nr_functions;
	profile->pairs = build->tree.pairs;
	profile->nr_pairs = build->tree.nr_pairs;
	info->calls = build->tree.calls;
	info->open_calls = build->tree.open_calls;
	info->repaired_calls = build->tree.repaired_calls;
	info->duration_ticks = build->last_tsc - build->first_tsc;
}

/* A process that left no trace: what the kernel saw of it, by stacks. */
static struct cprof_error *stranger_add(struct profile_build *build, const struct fact_place *stranger)
{
	const struct kernel_file *file = session_kernel(build->session, stranger->image.kernel);
	const struct cprof_kernel_process *process = kernel_file_process(file, stranger->image.tgid, stranger->image.generation);
	const struct kernel_facts *facts = build->profile->kernel;
	struct profile_private *own = build->profile->private_data;
	struct call_node *top;
	char name[64];
	struct cprof_error *error;

	snprintf(name, sizeof name, "%.16s [%u], not traced", process && process->name[0] ? process->name : "process", stranger->image.tgid);
	error = call_tree_add_top(&build->tree, build->tree.root, NODE_PROCESS, name, &top);
	for (size_t i = 0; !error && i < facts->nr_samples; i++) {
		const struct sample_fact *fact = &facts->samples[i];

		if (fact->place.trace == FACT_NO_TRACE && memcmp(&fact->place.image, &stranger->image, sizeof stranger->image) == 0)
			error = sampled_path_add(&build->tree, &own->names, facts, fact, top);
	}
	for (size_t i = 0; !error && i < facts->nr_sums; i++) {
		const struct sum_fact *fact = &facts->sums[i];

		if (fact->place.trace != FACT_NO_TRACE || memcmp(&fact->place.image, &stranger->image, sizeof stranger->image) != 0)
			continue;
		if (fact->kind == CPROF_SUM_SYSCALL) {
			call_tree_add_metric(top, METRIC_IO_BYTES, fact->bytes);
			call_tree_add_metric(top, METRIC_IO_NS, fact->ns);
		} else if (fact->kind == CPROF_SUM_LOCK) {
			call_tree_add_metric(top, METRIC_LOCK_NS, fact->ns);
		} else if (fact->kind == CPROF_SUM_FAULT) {
			call_tree_add_metric(top, METRIC_FAULTS, fact->count);
		} else if (fact->kind == CPROF_SUM_ALLOC) {
			call_tree_add_metric(top, METRIC_ALLOC_BYTES, fact->bytes);
			call_tree_add_metric(top, METRIC_ALLOC_CALLS, fact->count);
			call_tree_add_metric(top, METRIC_LEAKED_BYTES, fact->bytes);
		} else if (fact->kind == CPROF_SUM_FREE) {
			call_tree_add_metric(top, METRIC_FREED_BYTES, fact->bytes);
			call_tree_add_metric(top, METRIC_LEAKED_BYTES, 0 - fact->bytes);
		}
	}
	return error;
}

static struct cprof_error *strangers_add(struct profile_build *build)
{
	const struct kernel_facts *facts = build->profile->kernel;
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && facts && !build->options->by_thread && i < facts->nr_strangers; i++)
		error = stranger_add(build, &facts->strangers[i]);
	return error;
}

static struct cprof_error *session_stream(struct profile_build *build)
{
	struct cprof_error *error = NULL;

	progress_prepare(build);
	for (size_t i = 0; !error && i < session_nr_traces(build->session); i++)
		error = trace_stream(build, i);
	if (!error)
		error = strangers_add(build);
	if (!error)
		error = call_tree_finish(&build->tree);
	if (error)
		return error;
	results_take(build);
	/* They are the profile's now. */
	build->tree.pairs = NULL;
	for (size_t i = 0; i < build->registry.nr_functions; i++)
		histogram_sum_deinit(&build->registry.durations[i]);
	build->registry.functions = NULL;
	return NULL;
}

/* Of a tree by threads, what the kernel sums up for all of a process is no part. */
static struct cprof_error *facts_join(struct profile_build *build, struct symbolizer *symbolizer)
{
	struct profile *profile = build->profile;
	struct profile_private *own = profile->private_data;
	struct cprof_error *error;

	kernel_names_init(&own->names, build->session, symbolizer, &own->modules, &own->store);
	error = kernel_facts_create(build->session, build->options, &own->names, &own->facts);
	if (error || !own->facts)
		return error;
	own->nr_traces = session_nr_traces(build->session);
	own->context_nodes = calloc(own->nr_traces + 1, sizeof *own->context_nodes);
	profile->kernel = own->facts;
	profile->kernel_names = &own->names;
	profile->metrics = own->facts->metrics;
	if (build->options->by_thread)
		profile->metrics &= METRICS_TIMES | METRIC_BIT(FAULTS);
	if (!(profile->info.clock_hz > 0)) /* nothing to compare ns with */
		profile->metrics &= ~METRICS_TIMES;
	return own->context_nodes ? NULL : &cprof_enomem;
}

struct cprof_error *profile_create(struct session *session, struct symbolizer *symbolizer, const struct profile_options *options,
				   struct profile **ret)
{
	struct profile_build build = { .session = session, .options = options };
	struct cprof_error *error;

	build.profile = calloc(1, sizeof *build.profile);
	if (build.profile)
		build.profile->private_data = calloc(1, sizeof *build.profile->private_data);
	if (!build.profile || !build.profile->private_data) {
		profile_destroy(build.profile);
		return &cprof_enomem;
	}
	struct profile_private *own = build.profile->private_data;

	build.profile->info.clean_exit = session_nr_traces(session) > 0;
	build.profile->info.processes = session_nr_processes(session);
	build.profile->info.clock_hz = session_nr_traces(session) ? trace_clock_hz(session_trace(session, 0)) : 0;
	error = module_map_init(&own->modules, session);
	if (!error)
		error = facts_join(&build, symbolizer);
	build.functions_only = options->functions_only && !options->unroll && !options->by_thread && !build.profile->kernel;
	if (!error)
		error = call_registry_init(&build.registry, symbolizer, &own->modules, &own->store);
	if (!error)
		error = call_tree_init(&build.tree, &build.registry, build.profile->metrics, build.profile->info.clock_hz);
	if (!error)
		error = session_stream(&build);
	if (!error) {
		*ret = build.profile;
		build.profile = NULL;
	}
	call_tree_deinit(&build.tree);
	call_registry_deinit(&build.registry);
	profile_destroy(build.profile);
	return error;
}

void profile_destroy(struct profile *profile)
{
	struct profile_private *own = profile ? profile->private_data : NULL;

	if (!profile)
		return;
	if (own) {
		kernel_facts_destroy(own->facts);
		kernel_names_deinit(&own->names);
		module_map_deinit(&own->modules);
		text_store_deinit(&own->store);
		for (size_t i = 0; own->context_nodes && i < own->nr_traces; i++)
			free(own->context_nodes[i]);
		free(own->context_nodes);
	}
	free(own);
	free(profile->functions);
	free(profile->pairs);
	free(profile);
}

const struct call_node *profile_node_of(const struct profile *profile, uint32_t trace, uint32_t context)
{
	const struct profile_private *own = profile->private_data;

	if (!profile->kernel || trace >= own->nr_traces || !own->context_nodes[trace] || context >= profile->kernel->traces[trace].nr_contexts)
		return NULL;
	return own->context_nodes[trace][context];
}

uint64_t profile_ns(const struct profile *profile, uint64_t ticks)
{
	if (!(profile->info.clock_hz > 0))
		return ticks;
	return (uint64_t)((long double)ticks * 1e9L / (long double)profile->info.clock_hz + 0.5L);
}
