/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verifies a whole trace; see trace_check.h. The reader collects what is wrong with container and tables; here every chunk is loaded with all its
 * checksums, and every thread's events are followed with a stack.
 */
#include "trace_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "call_stack.h"
#include "sched_figures.h"
#include "trace_internal.h"

/* What can be wrong with items, counted for each chunk so that one cause makes one line. */
#define COMPLAINTS(X) \
	X(ID_RANGE, FINDING_DAMAGE, "enters of contexts that the table does not have") \
	X(DEAD_ID, FINDING_DAMAGE, "enters of contexts that were never in use") \
	X(WRONG_PARENT, FINDING_DAMAGE, "enters of contexts that are not below the current one") \
	X(WRONG_EXIT, FINDING_DAMAGE, "exits to another context than the stack holds") \
	X(EMPTY_EXIT, FINDING_DAMAGE, "exits without an open call") \
	X(EMPTY_REPAIR, FINDING_DAMAGE, "repairs of more calls than are open") \
	X(ESCAPE_KIND, FINDING_DAMAGE, "escapes that a trace file cannot hold") \
	X(SWITCHES, FINDING_DAMAGE, "times suspended or resumed twice") \
	X(SUSPENDED, FINDING_DAMAGE, "events of a strand that is suspended") \
	X(SCHED_SHRUNK, FINDING_DAMAGE, "sums of the scheduler's that are smaller than before") \
	X(CLOSED_WRONG, FINDING_DAMAGE, "calls in the closed column that are not what the stack holds") \
	X(CLOSED_SHORT, FINDING_DAMAGE, "calls closed that the closed column does not name") \
	X(CLOSED_LONG, FINDING_DAMAGE, "calls in the closed column that the chunk does not close")

enum complaint {
#define X(name, severity, text) COMPLAINT_##name,
	COMPLAINTS(X)
#undef X
	NR_COMPLAINTS
};

static const struct {
	enum trace_finding_severity severity;
	const char *text;
} complaints[] = {
#define X(name, severity, text) [COMPLAINT_##name] = { severity, text },
	COMPLAINTS(X)
#undef X
};

struct checker {
	struct trace *trace;
	struct trace_report *report;
	bool went_on;             /* its process did, as another program */
	/* of the thread: */
	struct call_stack stack;
	uint64_t last_tsc;
	bool started;
	uint64_t repaired, unmatched;
	bool suspended;
	struct sched_figures sched;
	/* of the chunk: */
	struct problem_place place;
	struct event_decoder decoder;
	bool closed_is_cut;       /* its closed column has as many entries as there can be */
	uint64_t lowest;          /* open calls that were open before the chunk */
	uint64_t counts[NR_COMPLAINTS];
};

static struct cprof_error *add_finding(struct checker *checker, enum trace_finding_severity severity, const char *text)
{
	checker->place.severity = severity;
	return problems_add(&checker->trace->problems, checker->place, "%s", text);
}

/* --- items --- */

/* The next entry of the closed column must be call. Errors in the column end it: the chunk's other columns go on. */
static void match_closed(struct checker *checker, const struct closed_call *call)
{
	struct closed_call named;
	bool end = true;
	struct cprof_error *error = event_decoder_next_closed(&checker->decoder, &named, &end);

	if (end && !error && checker->closed_is_cut)
		return;
	if (error || end) {
		checker->counts[COMPLAINT_CLOSED_SHORT]++;
		cprof_error_free(error);
	} else if (call->start_ticks != UINT64_MAX && (named.id != call->id || named.start_ticks != call->start_ticks)) {
		checker->counts[COMPLAINT_CLOSED_WRONG]++;
	}
}

/* False when nothing was open. */
static bool close_call(struct checker *checker)
{
	struct call_stack *stack = &checker->stack;
	struct closed_call call;

	if (!call_stack_pop(stack, &checker->trace->tables, &call))
		return false;
	if (stack->unknown + stack->nr < checker->lowest) {
		checker->lowest--;
		match_closed(checker, &call);
	}
	return true;
}

static void close_calls(struct checker *checker, uint64_t calls)
{
	struct call_stack *stack = &checker->stack;

	/* The closed column bounds this: a chunk may claim four billion open calls. */
	for (; calls && stack->nr + stack->unknown && !checker->counts[COMPLAINT_CLOSED_SHORT]; calls--) {
		if (!stack->nr && checker->closed_is_cut && !checker->decoder.closed_left) { /* nobody names the rest */
			uint64_t rest = calls < stack->unknown ? calls : stack->unknown;

			stack->unknown -= rest;
			stack->current = 0;
			checker->lowest = stack->unknown;
			calls -= rest;
			break;
		}
		close_call(checker);
	}
	if (checker->counts[COMPLAINT_CLOSED_SHORT])
		call_stack_reset(&checker->stack, 0, 0);
	else if (calls)
		checker->counts[COMPLAINT_EMPTY_REPAIR]++;
}

static struct cprof_error *check_enter(struct checker *checker, const struct event_item *item)
{
	const struct trace_tables *tables = &checker->trace->tables;

	checker->report->enters++;
	if (item->id == 0 || item->id >= tables->nr_contexts) {
		checker->counts[COMPLAINT_ID_RANGE]++;
	} else {
		const struct cprof_context *context = &tables->contexts[item->id];

		if (context->flags & CPROF_CONTEXT_DEAD)
			checker->counts[COMPLAINT_DEAD_ID]++;
		else if (!(context->flags & CPROF_CONTEXT_OVERFLOW) && context->parent != checker->stack.current)
			checker->counts[COMPLAINT_WRONG_PARENT]++;
	}
	return call_stack_push(&checker->stack, tables, item->id, item->ticks);
}

static void check_exit(struct checker *checker, const struct event_item *item)
{
	checker->report->exits++;
	if (!close_call(checker))
		checker->counts[COMPLAINT_EMPTY_EXIT]++;
	else if (item->kind == EVENT_EXIT_EXPLICIT) {
		checker->report->mismatched_exits++;
		checker->counts[COMPLAINT_WRONG_EXIT]++;
	}
}

static void check_escape(struct checker *checker, const struct event_item *item)
{
	struct trace_report *report = checker->report;
	uint32_t figure;
	uint64_t growth, shrunk = checker->sched.shrunk;

	report->escapes++;
	switch (item->id) {
	case CPROF_ESCAPE_REPAIR:
		checker->repaired += item->payload;
		close_calls(checker, item->payload);
		break;
	case CPROF_ESCAPE_LOST:
		report->lost_events += item->payload;
		checker->repaired += checker->stack.unknown + checker->stack.nr;
		close_calls(checker, checker->stack.unknown + checker->stack.nr);
		checker->stack.current = 0;
		break;
	case CPROF_ESCAPE_UNMATCHED:
		checker->unmatched += item->payload;
		break;
	case CPROF_ESCAPE_INHERIT:
	case CPROF_ESCAPE_UNTIMED:
		break;
	case CPROF_ESCAPE_SCHED:
		sched_figures_take(&checker->sched, (uint32_t)item->payload, &figure, &growth);
		checker->counts[COMPLAINT_SCHED_SHRUNK] += checker->sched.shrunk - shrunk;
		break;
	case CPROF_ESCAPE_SUSPEND:
	case CPROF_ESCAPE_RESUME:
		checker->counts[COMPLAINT_SWITCHES] += checker->suspended == (item->id == CPROF_ESCAPE_SUSPEND);
		checker->suspended = item->id == CPROF_ESCAPE_SUSPEND;
		break;
	default:
		checker->counts[COMPLAINT_ESCAPE_KIND]++;
	}
}

/* --- chunks --- */

static struct cprof_error *check_start(struct checker *checker, const struct events_chunk *chunk)
{
	const struct cprof_chunk_header *header = &chunk->header;
	struct call_stack *stack = &checker->stack;
	struct cprof_error *error = NULL;
	bool follows = checker->started && !chunk->hole_before;

	if (!checker->started && !chunk->hole_before && header->depth)
		error = add_finding(checker, FINDING_DAMAGE, "the thread's first chunk begins with open calls");
	if (follows && (stack->unknown + stack->nr != header->depth || stack->current != header->context))
		error = add_finding(checker, FINDING_DAMAGE, "depth or context at the chunk's start is not what the chunk before leaves");
	if (!follows || stack->unknown + stack->nr != header->depth || stack->current != header->context)
		call_stack_reset(stack, header->depth, header->context);
	if (!error && header->context >= checker->trace->tables.nr_contexts)
		error = add_finding(checker, FINDING_DAMAGE, "the context at the chunk's start is not in the table");
	if (!error && header->first_tsc < checker->last_tsc)
		error = add_finding(checker, FINDING_DAMAGE, "the chunk begins before the one before it ends");
	checker->started = true;
	checker->suspended &= follows; /* what a hole has swallowed is not known */
	checker->lowest = header->depth;
	return error;
}

static struct cprof_error *check_items(struct checker *checker)
{
	for (;;) {
		struct event_item item;
		bool end;
		struct cprof_error *error = event_decoder_next(&checker->decoder, &item, &end);

		if (error && error->code == CPROF_ERROR_FORMAT) {
			struct cprof_error *column_error = error;

			error = add_finding(checker, FINDING_DAMAGE, column_error->message);
			cprof_error_free(column_error);
			return error;
		}
		if (error || end)
			return error;
		checker->counts[COMPLAINT_SUSPENDED] += checker->suspended && item.kind != EVENT_ESCAPE;
		if (item.kind == EVENT_ENTER)
			error = check_enter(checker, &item);
		else if (item.kind == EVENT_ESCAPE)
			check_escape(checker, &item);
		else
			check_exit(checker, &item);
		if (error)
			return error;
	}
}

static struct cprof_error *check_end_of_chunk(struct checker *checker, const struct events_chunk *chunk)
{
	struct cprof_error *error = NULL;

	if (!checker->counts[COMPLAINT_CLOSED_SHORT])
		checker->counts[COMPLAINT_CLOSED_LONG] = checker->decoder.closed_left;
	for (size_t i = 0; i < NR_COMPLAINTS && !error; i++) {
		if (!checker->counts[i])
			continue;
		checker->place.severity = complaints[i].severity;
		error = problems_add(&checker->trace->problems, checker->place, "%" PRIu64 " %s", checker->counts[i], complaints[i].text);
	}
	if (!error && checker->decoder.ticks != chunk->header.last_tsc)
		error = add_finding(checker, FINDING_DAMAGE, "the chunk's last event is not at the time its header says");
	checker->last_tsc = chunk->header.last_tsc;
	return error;
}

static struct cprof_error *check_chunk(struct checker *checker, const struct events_chunk *chunk, uint64_t offset)
{
	struct cprof_error *error;

	checker->place.offset = offset;
	memset(checker->counts, 0, sizeof checker->counts);
	checker->decoder = event_decoder_make(chunk);
	checker->closed_is_cut = chunk->closed_items == CPROF_CLOSED_MOST;
	checker->report->events_chunks++;
	error = check_start(checker, chunk);
	if (!error)
		error = check_items(checker);
	return error ? error : check_end_of_chunk(checker, chunk);
}

/* The thread's own counters; what a hole swallowed is in them but not in the events. */
static struct cprof_error *check_thread_record(struct checker *checker, const struct cprof_thread *thread)
{
	struct cprof_error *error = NULL;

	checker->report->repaired_calls += checker->repaired;
	checker->report->unmatched_exits += checker->unmatched;
	checker->report->open_calls += checker->stack.unknown + checker->stack.nr;
	checker->place = (struct problem_place){ FINDING_NOTE, CPROF_NO_OFFSET, thread->index };
	if (checker->trace->state.clean && thread->repaired_calls != checker->repaired)
		error = problems_add(&checker->trace->problems, checker->place, "its record counts %" PRIu64 " repaired calls, its events %" PRIu64,
				     thread->repaired_calls, checker->repaired);
	if (!error && checker->trace->state.clean && thread->unmatched_exits != checker->unmatched)
		error = problems_add(&checker->trace->problems, checker->place, "its record counts %" PRIu64 " unmatched exits, its events %" PRIu64,
				     thread->unmatched_exits, checker->unmatched);
	if (!error && thread->clock_steps_back)
		error = problems_add(&checker->trace->problems, checker->place, "the clock stepped back %" PRIu64 " times", thread->clock_steps_back);
	return error;
}

static struct cprof_error *check_thread(struct checker *checker, uint32_t index)
{
	struct trace_cursor *cursor;
	struct cprof_error *error = trace_cursor_create(checker->trace, index, &cursor);

	if (error)
		return error;
	trace_cursor_check_all(cursor);
	checker->place.thread = index;
	checker->last_tsc = checker->repaired = checker->unmatched = 0;
	checker->started = checker->suspended = false;
	checker->sched = (struct sched_figures){ 0 };
	call_stack_reset(&checker->stack, 0, 0);
	while (!error) {
		struct events_chunk chunk;
		bool end;

		error = trace_cursor_next(cursor, &chunk, &end);
		if (error || end)
			break;
		error = check_chunk(checker, &chunk, trace_cursor_offset(cursor));
	}
	trace_cursor_destroy(cursor);
	return error ? error : check_thread_record(checker, &checker->trace->tables.threads[index]);
}

/* --- the rest --- */

static struct cprof_error *check_total(struct checker *checker, const char *what, uint64_t said, uint64_t found)
{
	if (said == found)
		return NULL;
	return problems_add(&checker->trace->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "END says %" PRIu64 " %s, the trace has %" PRIu64, said, what,
			    found);
}

static struct cprof_error *check_end(struct checker *checker)
{
	const struct trace *trace = checker->trace;
	const struct trace_report *report = checker->report;
	struct cprof_error *error = NULL;

	if (!trace->has_end)
		return NULL;
	if (trace->chunks.places[trace->chunks.nr - 1].kind != CPROF_CHUNK_END)
		error = problems_add(&checker->trace->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "END is not the last chunk");
	if (!error && trace->end.reason != CPROF_END_EXIT)
		error = problems_add(&checker->trace->problems, PROBLEM_OF_TRACE(FINDING_NOTE), "%s",
				     trace->end.reason == CPROF_END_RECOVERED ? "the trace was put together by recover"
									      : "its writer gave up before the process ended");
	if (error || !trace->state.clean) /* what is missing has been said already */
		return error;
	error = check_total(checker, "events", trace->end.events, report->events);
	if (!error)
		error = check_total(checker, "chunks of events", trace->end.chunks, report->events_chunks);
	if (!error)
		error = check_total(checker, "contexts", trace->end.contexts, trace->tables.nr_contexts);
	return error ? error : check_total(checker, "threads", trace->end.threads, trace->tables.nr_threads);
}

/* The header in the file against the place in the index; unknown kinds are verified here as nobody else loads them. */
static struct cprof_error *check_place(struct checker *checker, const struct chunk_place *place, struct frame_buffer *buffer)
{
	enum frame_status status;
	struct frame frame;
	const uint8_t *payload;
	const char *why = NULL;
	struct cprof_error *error = frame_probe(&checker->trace->file, place->offset, &status, &frame, &why);

	if (error || status != FRAME_OK) /* has been said where it was to be loaded */
		return error;
	if (frame.header.kind != place->kind || frame.header.thread != place->thread || frame.header.sequence != place->sequence ||
	    frame.header.first_tsc != place->first_tsc || frame.header.last_tsc != place->last_tsc)
		error = problems_add(&checker->trace->problems, PROBLEM_AT(FINDING_DAMAGE, place->offset), "the index says otherwise than the chunk's header");
	if (error || place->kind <= CPROF_CHUNK_EVENTS || place->kind == CPROF_CHUNK_LOSS || place->kind == CPROF_CHUNK_END)
		return error;
	error = frame_load(&checker->trace->file, place->offset, place->frame_bytes, true, buffer, &frame, &payload, &why);
	if (!error && why)
		error = problems_add(&checker->trace->problems, PROBLEM_AT(FINDING_DAMAGE, place->offset), "%s", why);
	return error;
}

static struct cprof_error *check_container(struct checker *checker)
{
	struct trace *trace = checker->trace;
	struct frame_buffer buffer = { 0 };
	struct cprof_error *error = NULL;

	checker->report->chunks = trace->chunks.nr;
	if (trace->chunks.nr && trace->chunks.places[0].kind != CPROF_CHUNK_META)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "META is not the first chunk");
	for (size_t i = 0; i < trace->chunks.nr && !error; i++)
		error = check_place(checker, &trace->chunks.places[i], &buffer);
	frame_buffer_deinit(&buffer);
	if (!error && trace->state.live_used)
		error = problems_add(&trace->problems, PROBLEM_OF_TRACE(FINDING_NOTE), "%s: read together with its live file (recover makes one file of them)",
				     trace->state.active ? "the process still runs"
				     : checker->went_on  ? "the process went on as another program (exec)"
							 : "the process did not end cleanly");
	return error;
}

static const char *loss_name(uint32_t reason)
{
	switch (reason) {
#define X(name, number, what) \
	case number: \
		return what;
		CPROF_LOSS_REASONS(X)
#undef X
	}
	return "for an unknown reason";
}

static struct cprof_error *check_losses(struct checker *checker)
{
	const struct trace_tables *tables = &checker->trace->tables;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < tables->nr_losses && !error; i++) {
		const struct cprof_loss *loss = &tables->losses[i];
		struct problem_place place = { FINDING_LOSS, CPROF_NO_OFFSET, loss->thread };

		error = problems_add(&checker->trace->problems, place, "%" PRIu64 " events: %s", loss->events, loss_name(loss->reason));
	}
	return error;
}

/* --- report --- */

void trace_report_destroy(struct trace_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->nr_findings; i++)
		free((char *)report->findings[i].text);
	free(report->findings);
	free(report);
}

/* In file order; those without a place first, in the order in which they were found. */
static int compare_findings(const void *left, const void *right)
{
	const struct trace_finding *a = left, *b = right;
	uint64_t a_offset = a->offset + 1, b_offset = b->offset + 1; /* CPROF_NO_OFFSET becomes 0 */

	return a_offset < b_offset ? -1 : a_offset > b_offset;
}

struct cprof_error *trace_report_take(struct trace_report *report, const struct problems *problems)
{
	size_t nr = problems->nr < PROBLEMS_LISTED ? problems->nr : PROBLEMS_LISTED;

	report->findings = calloc(nr + 1, sizeof *report->findings);
	if (!report->findings)
		return &cprof_enomem;
	for (size_t i = 0; i < nr; i++) {
		const struct problem *detail = &problems->details[i];
		char *text = strdup(problems->lines[i] + detail->text_at);

		if (!text)
			return &cprof_enomem;
		report->findings[report->nr_findings++] = (struct trace_finding){ detail->place.severity, detail->place.offset, detail->place.thread, text };
	}
	report->nr_unlisted = problems->unlisted;
	report->nr_damage = problems->nr_by_severity[FINDING_DAMAGE];
	report->nr_loss = problems->nr_by_severity[FINDING_LOSS];
	for (size_t i = 1; i < nr; i++) { /* insertion keeps the order of equals; the list is short */
		struct trace_finding finding = report->findings[i];
		size_t to = i;

		for (; to && compare_findings(&report->findings[to - 1], &finding) > 0; to--)
			report->findings[to] = report->findings[to - 1];
		report->findings[to] = finding;
	}
	return NULL;
}

static struct cprof_error *check_all(struct checker *checker)
{
	struct cprof_error *error = check_container(checker);

	for (size_t i = 0; i < checker->trace->tables.nr_threads && !error; i++)
		error = check_thread(checker, (uint32_t)i);
	checker->report->events = checker->report->enters + checker->report->exits;
	if (!error)
		error = check_end(checker);
	if (!error)
		error = check_losses(checker);
	return error ? error : trace_report_take(checker->report, &checker->trace->problems);
}

struct cprof_error *trace_check(const char *path, bool went_on, struct trace_report **ret)
{
	struct checker checker = { .went_on = went_on, .place = { FINDING_DAMAGE, CPROF_NO_OFFSET, CPROF_NO_THREAD } };
	struct cprof_error *error = trace_open(path, &checker.trace);

	if (error)
		return error;
	checker.report = calloc(1, sizeof *checker.report);
	error = checker.report ? check_all(&checker) : &cprof_enomem;
	call_stack_deinit(&checker.stack);
	trace_close(checker.trace);
	if (error)
		trace_report_destroy(checker.report);
	else
		*ret = checker.report;
	return error;
}
