/* SPDX-License-Identifier: BSD-2-Clause */
#include "timed_export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "call_choice.h"
#include "call_sink.h"
#include "call_stream.h"
#include "human.h"
#include "vec.h"

struct timed_run {
	FILE *out;
	const struct session_view *view;
	const struct timed_export_options *options;
	struct call_sink *sink;
	struct function_choice functions;
	struct call_choice choice;
};

struct timed_call { /* an open one */
	uint32_t function;
	struct chosen_call chosen;
	bool shown;
};

struct timed_thread {
	struct timed_run *run;
	size_t trace;
	struct timed_call *open;
	size_t depth, capacity;
	uint64_t shown;    /* of the open calls */
	uint64_t skipped;
	uint64_t next_ns;  /* earliest time of the next event */
	uint64_t events;
};

static uint64_t run_ns(const struct session_view *view, uint64_t ticks)
{
	uint64_t since = ticks > view->choice.start_ticks ? ticks - view->choice.start_ticks : 0;

	return view->choice.hz > 0 ? (uint64_t)((long double)since * 1e9L / (long double)view->choice.hz + 0.5L) : since;
}

static uint64_t event_ns(struct timed_thread *thread, uint64_t ticks)
{
	const struct session_view *view = thread->run->view;
	uint64_t ns = run_ns(view, ticks < view->choice.to_ticks ? ticks : view->choice.to_ticks);

	ns = ns > thread->next_ns ? ns : thread->next_ns;
	thread->next_ns = ns + 1;
	return ns;
}

static bool in_range(const struct session_view *view, uint64_t ticks)
{
	return ticks >= view->choice.from_ticks && ticks < view->choice.to_ticks;
}

static struct timed_call describe_call(struct timed_thread *thread, const struct call_event *event)
{
	static const struct chosen_call outside;
	const struct timed_run *run = thread->run;
	const struct chosen_call *caller = thread->depth ? &thread->open[thread->depth - 1].chosen : &outside;
	struct timed_call call = { .function = session_names_function(run->view->names, thread->trace, event->id) };

	call.chosen = call_choice_begin(&run->choice, caller, call.function, event->start_ticks, &thread->skipped);
	call.shown = !call.chosen.excluded && call.chosen.in_filter && call.chosen.in_focus && call.chosen.in_range && thread->shown < run->options->depth;
	return call;
}

static struct cprof_error *take_begin(struct timed_thread *thread, const struct call_event *event)
{
	struct call_sink *sink = thread->run->sink;
	struct timed_call call = describe_call(thread, event);

	if (!vec_reserve(&thread->open, &thread->capacity, thread->depth + 1, sizeof *thread->open))
		return &cprof_enomem;
	thread->open[thread->depth++] = call;
	if (call.shown) {
		thread->shown++;
		sink->ops->begin_call(sink, event_ns(thread, event->ticks), call.function);
	}
	return NULL;
}

static void take_end(struct timed_thread *thread, uint64_t ticks)
{
	struct timed_call call = thread->open[--thread->depth];
	struct call_sink *sink = thread->run->sink;

	if (call.shown) {
		thread->shown--;
		sink->ops->end_call(sink, event_ns(thread, ticks), call.function);
	}
}

static void take_note(struct timed_thread *thread, const struct call_event *event)
{
	struct call_sink *sink = thread->run->sink;
	char text[64] = "a part of the trace is missing";

	if (event->kind == CALL_LOSS)
		snprintf(text, sizeof text, "%" PRIu64 " events lost", event->lost_events);
	if (in_range(thread->run->view, event->ticks))
		sink->ops->note(sink, event_ns(thread, event->ticks), text);
}

static struct cprof_error *check_size(struct timed_thread *thread)
{
	enum { CHECK_EVERY = 256 };
	const struct timed_run *run = thread->run;
	uint64_t max_bytes = run->options->max_bytes;

	if (!max_bytes || thread->events++ % CHECK_EVERY || ftello(run->out) <= (off_t)max_bytes)
		return NULL;
	return cprof_error_create(CPROF_ERROR_UNSUPPORTED,
				  "the file would be larger than %s bytes, which is more than its viewers open (--max-size=0 writes it all the same); "
				  "--time, --thread, --focus and --depth choose fewer calls, --to=perfetto takes less room, --to=speedscope sums up",
				  human_count(max_bytes).text);
}

static struct cprof_error *stream_thread(struct timed_thread *thread, struct call_stream *stream)
{
	struct cprof_error *error = NULL;
	struct call_event event;
	bool end = false;

	while (!error && !ferror(thread->run->out)) {
		error = call_stream_next(stream, &event, &end);
		if (error || end || (event.ticks >= thread->run->view->choice.to_ticks && !thread->shown))
			break;
		if (event.kind == CALL_BEGIN)
			error = take_begin(thread, &event);
		else if (event.kind == CALL_END)
			take_end(thread, event.ticks);
		else
			take_note(thread, &event);
		if (!error)
			error = check_size(thread);
	}
	return error;
}

static struct cprof_error *export_thread(struct timed_run *run, size_t trace, const struct cprof_thread *record)
{
	struct timed_thread thread = { .run = run, .trace = trace };
	char name[sizeof record->name + 1] = "";
	struct call_stream *stream;
	struct cprof_error *error;

	if (run->view->choice.threads && !run->view->choice.threads[trace][record->index])
		return NULL;
	error = call_stream_create(session_trace(run->view->session, trace), record->index, &stream);
	if (error)
		return error;
	memcpy(name, record->name, sizeof record->name);
	run->sink->ops->begin_thread(run->sink, record->tid, *name ? name : "thread");
	error = stream_thread(&thread, stream);
	free(thread.open);
	call_stream_destroy(stream);
	return error;
}

static struct cprof_error *export_trace(struct timed_run *run, size_t index)
{
	const struct trace *trace = session_trace(run->view->session, index);
	const struct trace_tables *tables = trace_tables(trace);
	const struct trace_meta *meta = trace_meta(trace);
	struct cprof_error *error = NULL;

	run->sink->ops->begin_process(run->sink, meta->fixed.pid, *meta->command_line ? meta->command_line : meta->exe);
	for (size_t i = 0; !error && i < tables->nr_threads; i++)
		error = export_thread(run, index, &tables->threads[i]);
	return error;
}

static struct cprof_error *choose_functions(struct timed_run *run)
{
	const struct call_registry *registry = &run->view->names->registry;
	const struct timed_export_options *options = run->options;
	struct cprof_error *error = function_choice_init(&run->functions, registry->functions, registry->nr_functions, options->filter, options->exclude,
							 options->focus);

	run->choice = (struct call_choice){ run->functions.filter, run->functions.exclude, run->functions.focus, options->skip_first,
					    run->view->choice.from_ticks, run->view->choice.to_ticks };
	return error;
}

/* Of the clock pair that is time 0. */
static struct run_clock clock_of(const struct session_view *view)
{
	for (size_t i = 0; i < session_nr_traces(view->session); i++) {
		const struct trace_tables *tables = trace_tables(session_trace(view->session, i));

		if (tables->nr_clocks && tables->clocks[0].tsc == view->choice.start_ticks)
			return (struct run_clock){ tables->clocks[0].monotonic_ns, tables->clocks[0].realtime_ns };
	}
	return (struct run_clock){ 0, 0 };
}

static struct cprof_error *sink_create(FILE *out, const struct session_view *view, enum timed_format format, struct call_sink **ret)
{
	const struct call_sink_functions functions = { view->names->registry.functions, view->names->registry.nr_functions };

	return format == TIMED_CHROME ? chrome_sink_create(out, functions, ret) : perfetto_sink_create(out, functions, clock_of(view), ret);
}

struct cprof_error *timed_export(FILE *out, const struct session_view *view, const struct timed_export_options *options)
{
	struct timed_run run = { .out = out, .view = view, .options = options };
	struct cprof_error *error = choose_functions(&run), *finish_error;

	if (!error)
		error = sink_create(out, view, options->format, &run.sink);
	for (size_t i = 0; !error && i < session_nr_traces(view->session); i++)
		error = export_trace(&run, i);
	finish_error = run.sink ? run.sink->ops->finish(run.sink) : NULL;
	function_choice_deinit(&run.functions);
	if (!error)
		return finish_error;
	cprof_error_free(finish_error);
	return error;
}
