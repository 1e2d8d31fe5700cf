/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_replay.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

struct replay_frame {
	uint64_t start_ticks, level;
	uint32_t id;
	bool inherited;
	struct chosen_call chosen;
	bool visible; /* may have lines, if only because something inside has */
	bool wanted;  /* has a line of its own, if it takes long enough */
	bool printed; /* its REPLAY_OPEN was given */
};

/* One thread's lines. What is due is given before more is read: the run, then the calls that open, then a line that ends or notes something. */
struct replay_thread {
	struct call_stream *stream;
	size_t trace;
	uint32_t thread;
	struct replay_frame *frames;
	size_t depth, capacity;
	size_t opened;            /* frames below this are printed, or never will be */
	uint64_t skipped;

	struct replay_line run;   /* leaf calls alike; .calls 0: none */
	bool flush;               /* the run is due */
	size_t open_to;           /* frames below this are due to open */
	bool has_leaf, has_last;
	struct replay_line leaf;  /* after those: the next run */
	struct replay_line last;

	struct replay_line next;  /* what the merge compares */
};

struct replay_start { /* a thread that was not begun */
	uint64_t ticks;
	size_t trace;
	uint32_t thread;
};

struct call_replay {
	const struct session *session;
	const struct session_names *names;
	const struct call_replay_options *options;
	struct replay_start *starts; /* in order of time */
	size_t nr_starts, next_start;
	struct replay_thread **heap; /* the one with the earliest next line is first */
	size_t nr_heap;
};

static struct cprof_error *frame_push(const struct call_replay *replay, struct replay_thread *thread, const struct call_event *event)
{
	static const struct replay_frame outside = { .level = 0 };
	const struct call_replay_options *options = replay->options;
	const struct replay_frame *parent = thread->depth ? &thread->frames[thread->depth - 1] : &outside;
	uint32_t function = session_names_function(replay->names, thread->trace, event->id);
	struct replay_frame frame = { .start_ticks = event->start_ticks, .id = event->id, .inherited = event->inherited };

	frame.chosen = call_choice_begin(&options->choice, &parent->chosen, function, event->start_ticks, &thread->skipped);
	frame.level = parent->chosen.in_focus ? parent->level + 1 : 0;
	frame.visible = frame.chosen.in_focus && !frame.chosen.excluded && frame.level < options->depth;
	frame.wanted = frame.visible && frame.chosen.in_filter && frame.chosen.in_range;
	if (!vec_reserve(&thread->frames, &thread->capacity, thread->depth + 1, sizeof *thread->frames))
		return &cprof_enomem;
	thread->frames[thread->depth++] = frame;
	return NULL;
}

static struct replay_line line_of(const struct replay_thread *thread, enum replay_line_kind kind, uint64_t ticks)
{
	return (struct replay_line){ .kind = kind, .trace = thread->trace, .thread = thread->thread, .ticks = ticks };
}

static bool run_takes(const struct replay_thread *thread, const struct replay_line *leaf)
{
	const struct replay_line *run = &thread->run;

	return run->calls && run->id == leaf->id && run->level == leaf->level && run->end == CALL_RETURNED && leaf->end == CALL_RETURNED &&
	       !run->inherited && !leaf->inherited && thread->opened >= thread->open_to;
}

static void leaf_take(const struct call_replay *replay, struct replay_thread *thread, const struct replay_line *leaf)
{
	struct replay_line *run = &thread->run;

	thread->open_to = thread->depth;
	while (thread->opened < thread->open_to && !thread->frames[thread->opened].visible)
		thread->opened++;
	if (!replay->options->no_merge && run_takes(thread, leaf)) {
		run->calls++;
		run->duration_ticks += leaf->duration_ticks;
		run->min_ticks = leaf->duration_ticks < run->min_ticks ? leaf->duration_ticks : run->min_ticks;
		run->max_ticks = leaf->duration_ticks > run->max_ticks ? leaf->duration_ticks : run->max_ticks;
		return;
	}
	thread->flush = run->calls > 0;
	thread->has_leaf = true;
	thread->leaf = *leaf;
}

static void frame_pop(const struct call_replay *replay, struct replay_thread *thread, const struct call_event *event)
{
	struct replay_frame frame = thread->frames[--thread->depth];
	uint64_t ticks = event->ticks - frame.start_ticks;
	struct replay_line line = line_of(thread, frame.printed ? REPLAY_CLOSE : REPLAY_CALL, frame.printed ? event->ticks : frame.start_ticks);

	if (thread->opened > thread->depth)
		thread->opened = thread->depth;
	line.id = frame.id;
	line.level = frame.level;
	line.duration_ticks = line.min_ticks = line.max_ticks = ticks;
	line.calls = 1;
	line.end = event->end;
	line.inherited = frame.inherited;
	if (frame.printed) {
		thread->flush = thread->run.calls > 0;
		thread->has_last = true;
		thread->last = line;
	} else if (frame.wanted && ticks >= replay->options->min_ticks) {
		leaf_take(replay, thread, &line);
	}
}

static void note_take(struct replay_thread *thread, const struct call_event *event)
{
	thread->flush = thread->run.calls > 0;
	thread->has_last = true;
	thread->last = line_of(thread, event->kind == CALL_LOSS ? REPLAY_LOSS : REPLAY_HOLE, event->ticks);
	thread->last.lost_events = event->lost_events;
}

/* The next line that is due. False: more must be read. */
static bool line_due(struct replay_thread *thread, struct replay_line *ret)
{
	if (thread->flush) {
		thread->flush = false;
		*ret = thread->run;
		thread->run.calls = 0;
		return true;
	}
	while (thread->opened < thread->open_to) {
		struct replay_frame *frame = &thread->frames[thread->opened++];

		if (!frame->visible)
			continue;
		frame->printed = true;
		*ret = line_of(thread, REPLAY_OPEN, frame->start_ticks);
		ret->id = frame->id;
		ret->level = frame->level;
		ret->inherited = frame->inherited;
		return true;
	}
	thread->open_to = 0;
	if (thread->has_leaf) {
		thread->has_leaf = false;
		thread->run = thread->leaf;
	}
	if (thread->has_last) {
		thread->has_last = false;
		*ret = thread->last;
		return true;
	}
	return false;
}

/* Into thread->next. */
static struct cprof_error *line_read(const struct call_replay *replay, struct replay_thread *thread, bool *end)
{
	struct call_event event;
	struct cprof_error *error;

	while (!line_due(thread, &thread->next)) {
		if (thread->stream) {
			error = call_stream_next(thread->stream, &event, end);
			if (error)
				return error;
			if (*end) {
				call_stream_destroy(thread->stream);
				thread->stream = NULL;
				thread->flush = thread->run.calls > 0;
				continue;
			}
		} else {
			*end = true;
			return NULL;
		}
		if (event.kind == CALL_BEGIN)
			error = frame_push(replay, thread, &event);
		else if (event.kind == CALL_END)
			frame_pop(replay, thread, &event);
		else if (event.ticks >= replay->options->choice.from_ticks && event.ticks < replay->options->choice.to_ticks)
			note_take(thread, &event);
		if (error)
			return error;
	}
	*end = false;
	return NULL;
}

static void thread_destroy(struct replay_thread *thread)
{
	if (!thread)
		return;
	call_stream_destroy(thread->stream);
	free(thread->frames);
	free(thread);
}

/* The heap. */

static bool comes_before(const struct replay_thread *a, const struct replay_thread *b)
{
	if (a->next.ticks != b->next.ticks)
		return a->next.ticks < b->next.ticks;
	return a->trace != b->trace ? a->trace < b->trace : a->thread < b->thread;
}

static void heap_sink(struct call_replay *replay, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < replay->nr_heap; child++)
			if (comes_before(replay->heap[child], replay->heap[least]))
				least = child;
		if (least == i)
			return;
		struct replay_thread *swapped = replay->heap[i];
		replay->heap[i] = replay->heap[least];
		replay->heap[least] = swapped;
		i = least;
	}
}

static void heap_add(struct call_replay *replay, struct replay_thread *thread)
{
	size_t i = replay->nr_heap++;

	for (; i && comes_before(thread, replay->heap[(i - 1) / 2]); i = (i - 1) / 2)
		replay->heap[i] = replay->heap[(i - 1) / 2];
	replay->heap[i] = thread;
}

/* The first thread's next line: back into its place, or out of the heap. */
static struct cprof_error *heap_advance(struct call_replay *replay)
{
	bool end;
	struct cprof_error *error = line_read(replay, replay->heap[0], &end);

	if (error)
		return error;
	if (end) {
		thread_destroy(replay->heap[0]);
		replay->heap[0] = replay->heap[--replay->nr_heap];
	}
	heap_sink(replay, 0);
	return NULL;
}

static struct cprof_error *thread_begin(struct call_replay *replay, const struct replay_start *start)
{
	struct replay_thread *thread = calloc(1, sizeof *thread);
	bool end = true;
	struct cprof_error *error;

	if (!thread)
		return &cprof_enomem;
	thread->trace = start->trace;
	thread->thread = start->thread;
	error = call_stream_create(session_trace(replay->session, start->trace), start->thread, &thread->stream);
	if (!error)
		error = line_read(replay, thread, &end);
	if (error || end)
		thread_destroy(thread);
	else
		heap_add(replay, thread);
	return error;
}

static int start_compare(const void *left, const void *right)
{
	const struct replay_start *a = left, *b = right;

	if (a->ticks != b->ticks)
		return a->ticks < b->ticks ? -1 : 1;
	if (a->trace != b->trace)
		return a->trace < b->trace ? -1 : 1;
	return (a->thread > b->thread) - (a->thread < b->thread);
}

static struct cprof_error *starts_collect(struct call_replay *replay)
{
	size_t nr_threads = 0;

	for (size_t i = 0; i < session_nr_traces(replay->session); i++)
		nr_threads += trace_tables(session_trace(replay->session, i))->nr_threads;
	replay->starts = calloc(nr_threads + 1, sizeof *replay->starts);
	replay->heap = calloc(nr_threads + 1, sizeof(*replay->heap));
	if (!replay->starts || !replay->heap)
		return &cprof_enomem;
	for (size_t i = 0; i < session_nr_traces(replay->session); i++) {
		const struct trace_tables *tables = trace_tables(session_trace(replay->session, i));

		for (size_t k = 0; k < tables->nr_threads; k++)
			if (!replay->options->threads || replay->options->threads[i][k])
				replay->starts[replay->nr_starts++] = (struct replay_start){ tables->threads[k].start_tsc, i, (uint32_t)k };
	}
	qsort(replay->starts, replay->nr_starts, sizeof *replay->starts, start_compare);
	return NULL;
}

struct cprof_error *call_replay_create(const struct session *session, const struct session_names *names, const struct call_replay_options *options,
				       struct call_replay **ret)
{
	struct call_replay *replay = calloc(1, sizeof *replay);
	struct cprof_error *error;

	if (!replay)
		return &cprof_enomem;
	*replay = (struct call_replay){ .session = session, .names = names, .options = options };
	error = starts_collect(replay);
	if (error)
		call_replay_destroy(replay);
	else
		*ret = replay;
	return error;
}

void call_replay_destroy(struct call_replay *replay)
{
	if (!replay)
		return;
	for (size_t i = 0; i < replay->nr_heap; i++)
		thread_destroy(replay->heap[i]);
	free(replay->heap);
	free(replay->starts);
	free(replay);
}

struct cprof_error *call_replay_next(struct call_replay *replay, struct replay_line *ret, bool *end)
{
	struct cprof_error *error;

	/* A thread is begun when the others have come to its first event: until then it holds no memory. */
	while (replay->next_start < replay->nr_starts &&
	       (!replay->nr_heap || replay->starts[replay->next_start].ticks <= replay->heap[0]->next.ticks)) {
		error = thread_begin(replay, &replay->starts[replay->next_start++]);
		if (error)
			return error;
	}
	if (!replay->nr_heap) {
		*end = true;
		return NULL;
	}
	*ret = replay->heap[0]->next;
	*end = false;
	return heap_advance(replay);
}
