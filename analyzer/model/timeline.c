/* SPDX-License-Identifier: BSD-2-Clause */
#include "timeline.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

/* A run is at most so many times the resolution long: what it merges then stays near its place. */
enum { RUN_RESOLUTIONS = 4 };

struct timeline_build {
	const struct timeline_options *options;
	const struct session_names *names;
	struct timeline *timeline;
};

/*
 * Shares are what Misra and Gries (1982) keep: never more than a function's true time, and short of it by at most a fifth of the run. So one that
 * holds more than half of the run is the one that does.
 */
static void shares_lower(struct timeline_item *item, uint64_t ticks)
{
	for (size_t i = 0; i < TIMELINE_SHARES; i++) {
		item->shares[i].ticks -= ticks;
		if (!item->shares[i].ticks)
			item->shares[i].function = FUNCTION_NONE;
	}
}

static void share_add(struct timeline_item *item, struct timeline_share share)
{
	while (share.ticks) {
		struct timeline_share *free_share = NULL;
		uint64_t least = share.ticks;

		for (size_t i = 0; i < TIMELINE_SHARES; i++) {
			if (item->shares[i].function == share.function) {
				item->shares[i].ticks += share.ticks;
				return;
			}
			if (item->shares[i].function == FUNCTION_NONE)
				free_share = free_share ? free_share : &item->shares[i];
			else if (item->shares[i].ticks < least)
				least = item->shares[i].ticks;
		}
		if (free_share) {
			*free_share = share;
			return;
		}
		shares_lower(item, least);
		share.ticks -= least;
	}
}

static int share_compare(const void *left, const void *right)
{
	const struct timeline_share *a = left, *b = right;

	if (a->ticks != b->ticks)
		return a->ticks > b->ticks ? -1 : 1;
	return (a->function > b->function) - (a->function < b->function);
}

uint32_t timeline_item_function(const struct timeline_item *item)
{
	if (item->calls == 1)
		return item->shares[0].function;
	return item->shares[0].ticks > item->busy_ticks / 2 ? item->shares[0].function : FUNCTION_NONE;
}

static bool is_short(const struct timeline_item *item, uint64_t resolution)
{
	return item->calls > 1 || item->end_ticks - item->start_ticks < resolution;
}

static bool may_merge(const struct timeline_item *run, const struct timeline_item *item, uint64_t resolution)
{
	return is_short(run, resolution) && is_short(item, resolution) && item->start_ticks - run->end_ticks < resolution &&
	       item->end_ticks - run->start_ticks <= resolution * RUN_RESOLUTIONS;
}

static void merge(struct timeline_item *run, const struct timeline_item *item)
{
	if (item->longest_ticks > run->longest_ticks) {
		run->longest_ticks = item->longest_ticks;
		run->id = item->id;
	}
	run->end_ticks = item->end_ticks;
	run->busy_ticks += item->busy_ticks;
	run->calls += item->calls;
	for (size_t i = 0; i < TIMELINE_SHARES; i++)
		if (item->shares[i].function != FUNCTION_NONE)
			share_add(run, item->shares[i]);
}

/* Everything once more, at a lower resolution. */
static void row_coarsen(struct timeline_row *row, uint64_t resolution)
{
	size_t kept = 0;

	for (size_t i = 0; i < row->nr_items; i++) {
		if (kept && may_merge(&row->items[kept - 1], &row->items[i], resolution))
			merge(&row->items[kept - 1], &row->items[i]);
		else
			row->items[kept++] = row->items[i];
	}
	row->nr_items = kept;
}

static void timeline_coarsen(struct timeline *timeline)
{
	timeline->resolution_ticks += timeline->resolution_ticks / 4 + 1;
	timeline->nr_items = 0;
	for (size_t i = 0; i < timeline->nr_threads; i++) {
		for (size_t k = 0; k < timeline->threads[i].nr_rows; k++) {
			row_coarsen(&timeline->threads[i].rows[k], timeline->resolution_ticks);
			timeline->nr_items += timeline->threads[i].rows[k].nr_items;
		}
	}
}

static void timeline_limit(struct timeline_build *build)
{
	struct timeline *timeline = build->timeline;

	/* A quarter of it at once, so that not every further call costs a pass. */
	if (timeline->nr_items <= build->options->max_items)
		return;
	do
		timeline_coarsen(timeline);
	while (timeline->nr_items > build->options->max_items / 4 * 3 && timeline->resolution_ticks < UINT64_MAX / 16);
}

static struct cprof_error *row_add(struct timeline_build *build, struct timeline_row *row, const struct timeline_item *item)
{
	struct timeline *timeline = build->timeline;

	if (row->nr_items && may_merge(&row->items[row->nr_items - 1], item, timeline->resolution_ticks)) {
		merge(&row->items[row->nr_items - 1], item);
		return NULL;
	}
	if (!vec_reserve(&row->items, &row->capacity, row->nr_items + 1, sizeof *row->items))
		return &cprof_enomem;
	row->items[row->nr_items++] = *item;
	timeline->nr_items++;
	timeline_limit(build);
	return NULL;
}

static struct cprof_error *row_find(struct timeline_thread *thread, uint64_t depth, struct timeline_row **ret)
{
	if (depth >= thread->nr_rows) {
		if (!vec_reserve(&thread->rows, &thread->rows_capacity, (size_t)depth + 1, sizeof *thread->rows))
			return &cprof_enomem;
		memset(&thread->rows[thread->nr_rows], 0, ((size_t)depth + 1 - thread->nr_rows) * sizeof *thread->rows);
		thread->nr_rows = (size_t)depth + 1;
	}
	*ret = &thread->rows[depth];
	return NULL;
}

static void time_take(struct timeline_build *build, uint64_t start, uint64_t end)
{
	const struct timeline_options *options = build->options;
	struct timeline *timeline = build->timeline;

	start = start > options->from_ticks ? start : options->from_ticks;
	end = end < options->to_ticks ? end : options->to_ticks;
	timeline->first_ticks = start < timeline->first_ticks ? start : timeline->first_ticks;
	timeline->last_ticks = end > timeline->last_ticks ? end : timeline->last_ticks;
}

static struct cprof_error *call_take(struct timeline_build *build, struct timeline_thread *thread, const struct call_event *event)
{
	uint64_t ticks = event->ticks - event->start_ticks;
	struct timeline_row *row;
	struct cprof_error *error;

	if (event->start_ticks >= build->options->to_ticks || event->ticks < build->options->from_ticks)
		return NULL;
	time_take(build, event->start_ticks, event->ticks);
	thread->calls++;
	if (event->depth >= build->options->max_rows) {
		build->timeline->deep_calls++;
		return NULL;
	}
	build->timeline->inherited_calls += event->inherited;
	struct timeline_item item = { .start_ticks = event->start_ticks, .end_ticks = event->ticks, .busy_ticks = ticks, .calls = 1, .id = event->id,
				      .end = event->end, .longest_ticks = ticks };
	for (size_t i = 0; i < TIMELINE_SHARES; i++)
		item.shares[i].function = FUNCTION_NONE;
	item.shares[0] = (struct timeline_share){ session_names_function(build->names, thread->trace, event->id), ticks };
	error = row_find(thread, event->depth, &row);
	return error ? error : row_add(build, row, &item);
}

static struct cprof_error *mark_take(struct timeline_build *build, struct timeline_thread *thread, const struct call_event *event)
{
	if (event->ticks < build->options->from_ticks || event->ticks >= build->options->to_ticks || thread->nr_marks == TIMELINE_MAX_MARKS)
		return NULL;
	if (!vec_reserve(&thread->marks, &thread->marks_capacity, thread->nr_marks + 1, sizeof *thread->marks))
		return &cprof_enomem;
	thread->marks[thread->nr_marks++] = (struct timeline_mark){ event->ticks, event->lost_events };
	return NULL;
}

static struct cprof_error *thread_stream(struct timeline_build *build, struct timeline_thread *thread, struct trace *trace)
{
	struct call_stream *stream = NULL;
	struct cprof_error *error = call_stream_create(trace, thread->thread, &stream);

	while (!error) {
		struct call_event event;
		bool end = false;

		error = call_stream_next(stream, &event, &end);
		if (error || end)
			break;
		if (event.kind == CALL_END)
			error = call_take(build, thread, &event);
		else if (event.kind != CALL_BEGIN)
			error = mark_take(build, thread, &event);
		else if (event.depth == 0 && event.ticks >= build->options->to_ticks) /* all that reaches into the range has ended */
			break;
	}
	call_stream_destroy(stream);
	return error;
}

static void thread_deinit(struct timeline_thread *thread)
{
	for (size_t i = 0; i < thread->nr_rows; i++)
		free(thread->rows[i].items);
	free(thread->rows);
	free(thread->marks);
}

static struct cprof_error *thread_add(struct timeline_build *build, size_t trace_index, struct trace *trace, uint32_t thread)
{
	struct timeline *timeline = build->timeline;
	struct timeline_thread *added;
	struct cprof_error *error;

	if (timeline->nr_threads == build->options->max_threads) {
		timeline->hidden_threads++;
		return NULL;
	}
	if (!vec_reserve(&timeline->threads, &timeline->threads_capacity, timeline->nr_threads + 1, sizeof *timeline->threads))
		return &cprof_enomem;
	added = &timeline->threads[timeline->nr_threads++];
	*added = (struct timeline_thread){ .trace = trace_index, .thread = thread };
	error = thread_stream(build, added, trace);
	if (!error && !added->calls && !added->nr_marks) { /* nothing of it is in the range */
		thread_deinit(added);
		timeline->nr_threads--;
	}
	return error;
}

static void sums_finish(struct timeline *timeline)
{
	for (size_t i = 0; i < timeline->nr_threads; i++) {
		struct timeline_thread *thread = &timeline->threads[i];

		for (size_t k = 0; k < thread->nr_rows; k++) {
			for (size_t m = 0; m < thread->rows[k].nr_items; m++) {
				struct timeline_item *item = &thread->rows[k].items[m];

				qsort(item->shares, TIMELINE_SHARES, sizeof *item->shares, share_compare);
				timeline->calls += item->calls;
				timeline->merged_calls += item->calls > 1 ? item->calls : 0;
			}
		}
	}
}

static struct cprof_error *session_stream(struct timeline_build *build, const struct session *session)
{
	const struct timeline_options *options = build->options;
	uint64_t done = 0, all = 0;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < session_nr_traces(session); i++)
		for (size_t k = 0; k < trace_tables(session_trace(session, i))->nr_threads; k++)
			all += trace_tables(session_trace(session, i))->threads[k].blocks;
	for (size_t i = 0; i < session_nr_traces(session) && !error; i++) {
		struct trace *trace = session_trace(session, i);

		for (size_t k = 0; k < trace_tables(trace)->nr_threads && !error; k++) {
			if (!options->threads || options->threads[i][k])
				error = thread_add(build, i, trace, (uint32_t)k);
			done += trace_tables(trace)->threads[k].blocks;
			if (options->progress)
				options->progress(options->progress_context, done, all);
		}
	}
	return error;
}

struct cprof_error *timeline_create(const struct session *session, const struct session_names *names, const struct timeline_options *options,
				    struct timeline **ret)
{
	struct timeline_build build = { .options = options, .names = names, .timeline = calloc(1, sizeof *build.timeline) };
	struct cprof_error *error;

	if (!build.timeline)
		return &cprof_enomem;
	build.timeline->max_rows = options->max_rows;
	build.timeline->resolution_ticks = 1;
	build.timeline->first_ticks = UINT64_MAX;
	error = session_stream(&build, session);
	if (error) {
		timeline_destroy(build.timeline);
		return error;
	}
	sums_finish(build.timeline);
	*ret = build.timeline;
	return NULL;
}

void timeline_destroy(struct timeline *timeline)
{
	if (!timeline)
		return;
	for (size_t i = 0; i < timeline->nr_threads; i++)
		thread_deinit(&timeline->threads[i]);
	free(timeline->threads);
	free(timeline);
}
