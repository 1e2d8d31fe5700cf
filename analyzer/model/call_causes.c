/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_causes.h"

#include <stdlib.h>
#include <string.h>

#include "call_stream.h"
#include "kernel_cover.h"
#include "kernel_ticks.h"
#include "vec.h"

struct durations { /* the longest `most`: a heap with the shortest of them first. most 0: the calls are only counted */
	uint64_t *items;
	size_t nr, most, capacity;
	uint64_t calls;
};

/* One thread's calls of the function, one at a time. */
struct cause_walk {
	const struct session_names *names;
	const bool *wanted;
	const struct cause_choice *choice;
	struct call_causes *causes;
	struct number_map callee_of;
	size_t callees_capacity;
	struct durations *durations; /* first and second pass; NULL: third */

	size_t trace;
	uint32_t thread;
	bool known;                  /* the scheduler's doings are told, of what lies between these */
	uint64_t known_from_ticks, known_to_ticks;
	bool inside, counts;
	uint64_t depth, start_ticks, callee_start;
	uint32_t callee;             /* index of the direct callee that is open; 0: none, the function itself */
	struct cause_sums *parts;    /* [callee]: of the call being walked */
	size_t parts_capacity;
};

/* --- the longest --- */

static void heap_sink(struct durations *heap, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap->nr; child++)
			if (heap->items[child] < heap->items[least])
				least = child;
		if (least == i)
			return;
		uint64_t swapped = heap->items[i];

		heap->items[i] = heap->items[least];
		heap->items[least] = swapped;
		i = least;
	}
}

static struct cprof_error *durations_add(struct durations *heap, uint64_t ticks)
{
	size_t i;

	heap->calls++;
	if (!heap->most)
		return NULL;
	if (heap->nr == heap->most) {
		if (ticks > heap->items[0]) {
			heap->items[0] = ticks;
			heap_sink(heap, 0);
		}
		return NULL;
	}
	if (!vec_reserve(&heap->items, &heap->capacity, heap->nr + 1, sizeof *heap->items))
		return &cprof_enomem;
	for (i = heap->nr++; i && heap->items[(i - 1) / 2] > ticks; i = (i - 1) / 2)
		heap->items[i] = heap->items[(i - 1) / 2];
	heap->items[i] = ticks;
	return NULL;
}

/* --- one call --- */

static struct cprof_error *callee_find(struct cause_walk *walk, uint32_t function, uint32_t *ret)
{
	struct number_key key = { function, 0, 0 };
	struct call_causes *causes = walk->causes;
	struct cprof_error *error;

	*ret = number_map_find(&walk->callee_of, key);
	if (*ret != NUMBER_MAP_NONE)
		return NULL;
	if (!vec_reserve(&causes->callees, &walk->callees_capacity, causes->nr_callees + 1, sizeof *causes->callees) ||
	    !vec_reserve(&walk->parts, &walk->parts_capacity, causes->nr_callees + 1, sizeof *walk->parts))
		return &cprof_enomem;
	error = number_map_add(&walk->callee_of, key, (uint32_t)causes->nr_callees);
	if (error)
		return error;
	walk->parts[causes->nr_callees] = (struct cause_sums){ 0 };
	causes->callees[causes->nr_callees] = (struct cause_callee){ .function = function };
	*ret = (uint32_t)causes->nr_callees++;
	return NULL;
}

static void sums_add(struct cause_sums *sum, const struct cause_sums *add)
{
	sum->calls += add->calls;
	sum->wall_ticks += add->wall_ticks;
	sum->runq_ns += add->runq_ns;
	sum->faults += add->faults;
	sum->switches += add->switches;
	sum->unknown_ticks += add->unknown_ticks;
	for (size_t c = 0; c < CPROF_BLOCKED_COUNT; c++)
		sum->blocked_ns[c] += add->blocked_ns[c];
}

static void slowest_note(struct call_causes *causes, struct slow_call call)
{
	size_t at = causes->nr_slowest;

	while (at && causes->slowest[at - 1].ticks < call.ticks)
		at--;
	if (at == SLOW_CALLS_SHOWN)
		return;
	if (causes->nr_slowest < SLOW_CALLS_SHOWN)
		causes->nr_slowest++;
	memmove(causes->slowest + at + 1, causes->slowest + at, (causes->nr_slowest - 1 - at) * sizeof call);
	causes->slowest[at] = call;
}

/* The call of the function has ended: its parts go to its group. */
static void call_take(struct cause_walk *walk, uint64_t ticks)
{
	struct call_causes *causes = walk->causes;
	int group = ticks >= causes->limit_ticks ? CALLS_SLOW : CALLS_REST;
	uint64_t in_callees = 0;

	for (size_t i = 1; i < causes->nr_callees; i++)
		in_callees += walk->parts[i].wall_ticks;
	walk->parts[0].wall_ticks = ticks > in_callees ? ticks - in_callees : 0;
	walk->parts[0].calls = 1;
	for (size_t i = 0; i < causes->nr_callees; i++) {
		if (!walk->known || walk->start_ticks < walk->known_from_ticks || walk->start_ticks + ticks > walk->known_to_ticks)
			walk->parts[i].unknown_ticks = walk->parts[i].wall_ticks;
		sums_add(&causes->callees[i].sums[group], &walk->parts[i]);
		walk->parts[i].calls = 0; /* of the whole, only the function's own count */
		sums_add(&causes->sums[group], &walk->parts[i]);
	}
	causes->sums[group].calls++;
	if (group == CALLS_SLOW)
		slowest_note(causes, (struct slow_call){ walk->trace, walk->thread, walk->start_ticks, ticks });
}

static struct cprof_error *begin_take(struct cause_walk *walk, const struct call_event *event)
{
	uint32_t function = session_names_function(walk->names, walk->trace, event->id);
	struct cprof_error *error = NULL;

	if (walk->inside) {
		if (event->depth == walk->depth + 1 && !walk->durations) {
			error = callee_find(walk, function, &walk->callee);
			walk->callee_start = event->ticks;
		}
		return error;
	}
	if (function == FUNCTION_NONE || !walk->wanted[function])
		return NULL;
	walk->inside = true;
	walk->counts = !event->inherited && event->ticks >= walk->choice->from_ticks && event->ticks < walk->choice->to_ticks;
	walk->depth = event->depth;
	walk->start_ticks = event->ticks;
	walk->callee = 0;
	if (!walk->durations)
		memset(walk->parts, 0, walk->causes->nr_callees * sizeof *walk->parts);
	return NULL;
}

static struct cprof_error *end_take(struct cause_walk *walk, const struct call_event *event)
{
	bool ended = event->end == CALL_RETURNED || event->end == CALL_REPAIRED;

	if (!walk->inside)
		return NULL;
	if (event->depth == walk->depth + 1 && !walk->durations) {
		walk->parts[walk->callee].wall_ticks += event->ticks - walk->callee_start;
		walk->parts[walk->callee].calls++;
		walk->callee = 0;
	}
	if (event->depth != walk->depth)
		return NULL;
	walk->inside = false;
	if (!walk->counts || !ended)
		return NULL;
	if (walk->durations)
		return durations_add(walk->durations, event->ticks - event->start_ticks);
	call_take(walk, event->ticks - event->start_ticks);
	return NULL;
}

static void sched_take(struct cause_walk *walk, const struct call_event *event)
{
	struct cause_sums *part = walk->inside && !walk->durations ? &walk->parts[walk->callee] : NULL;

	if (!part)
		return;
	if (event->figure == CPROF_SCHED_SWITCHES)
		part->switches += event->growth;
	else if (event->figure == CPROF_SCHED_FAULTS)
		part->faults += event->growth;
	else if (event->figure == CPROF_SCHED_RUNQ)
		part->runq_ns += event->growth;
	else if (event->figure < CPROF_SCHED_BLOCKED + CPROF_BLOCKED_COUNT)
		part->blocked_ns[event->figure - CPROF_SCHED_BLOCKED] += event->growth;
}

/* --- passes --- */

static struct cprof_error *thread_walk(struct cause_walk *walk, struct trace *trace, struct kernel_cover cover)
{
	struct call_stream *stream;
	struct cprof_error *error = call_stream_create(trace, walk->thread, &stream);

	if (error)
		return error;
	call_stream_tell_sched(stream);
	walk->inside = false;
	walk->known = trace_tables(trace)->threads[walk->thread].kernel_tid != 0;
	walk->known_from_ticks = cover.from_ns ? kernel_ticks(trace, cover.from_ns) : 0;
	walk->known_to_ticks = cover.to_ns == UINT64_MAX ? UINT64_MAX : kernel_ticks(trace, cover.to_ns);
	walk->causes->times |= walk->known;
	while (!error) {
		struct call_event event;
		bool end = false;

		error = call_stream_next(stream, &event, &end);
		if (error || end)
			break;
		if (event.kind == CALL_BEGIN)
			error = begin_take(walk, &event);
		else if (event.kind == CALL_END)
			error = end_take(walk, &event);
		else if (event.kind == CALL_SCHED)
			sched_take(walk, &event);
	}
	call_stream_destroy(stream);
	return error;
}

static struct cprof_error *session_walk(struct cause_walk *walk, const struct session *session)
{
	struct cprof_error *error = NULL;

	for (walk->trace = 0; walk->trace < session_nr_traces(session) && !error; walk->trace++) {
		struct trace *trace = session_trace(session, walk->trace);
		struct kernel_cover cover = kernel_cover_of(session, walk->trace);

		for (walk->thread = 0; walk->thread < trace_tables(trace)->nr_threads && !error; walk->thread++)
			if (!walk->choice->threads || walk->choice->threads[walk->trace][walk->thread])
				error = thread_walk(walk, trace, cover);
	}
	return error;
}

struct cprof_error *call_causes_create(const struct session *session, const struct session_names *names, const bool *wanted, const struct cause_choice *choice,
				       struct call_causes **ret)
{
	struct durations durations = { 0 };
	struct cause_walk walk = { .names = names, .wanted = wanted, .choice = choice, .durations = &durations };
	struct cprof_error *error = NULL;
	uint32_t self;

	walk.causes = calloc(1, sizeof *walk.causes);
	if (!walk.causes)
		return &cprof_enomem;
	error = callee_find(&walk, FUNCTION_NONE, &self);
	if (!error)
		error = session_walk(&walk, session);
	durations.most = (size_t)((durations.calls + 99) / 100); /* how many one in a hundred is, is known only now */
	if (!error && durations.most)
		error = session_walk(&walk, session);
	if (!error && !durations.nr)
		error = cprof_error_create(CPROF_ERROR_NOT_FOUND, "no call of it has ended in this trace, or in the part chosen");
	if (!error) {
		walk.causes->limit_ticks = durations.items[0];
		walk.durations = NULL;
		error = session_walk(&walk, session);
	}
	free(durations.items);
	free(walk.parts);
	number_map_deinit(&walk.callee_of);
	if (error)
		call_causes_destroy(walk.causes);
	else
		*ret = walk.causes;
	return error;
}

void call_causes_destroy(struct call_causes *causes)
{
	if (!causes)
		return;
	free(causes->callees);
	free(causes);
}
