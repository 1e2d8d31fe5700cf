/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze timeline: threads over time as an SVG. */
#include "commands.h"
#include "session_view.h"
#include "timeline_svg.h"

struct timeline_args {
	struct source_args source;
	struct select_args select;
	struct output_args output;
	const char *title;
	uint64_t depth, detail;
};

enum { DEPTH = 64, DEPTH_MAX = 256, THREADS_MAX = 256, DETAIL = 100000, ROWS_SHARE = 4 };

static const struct timeline_args timeline_defaults = { .depth = DEPTH, .detail = DETAIL };

static const struct cprof_option timeline_options[] = {
	OUTPUT_OPTIONS(timeline_args, output),
	OPT_TEXT("title", 0, timeline_args, title, "TEXT", "title of the picture (the command that ran)"),
	OPT_COUNT("depth", 'd', timeline_args, depth, "show N levels of calls; default 64, at most 256"),
	OPT_COUNT("detail", 0, timeline_args, detail, "keep about N bars; more can be zoomed further into and make a larger file; default 100k, about 2.5 MB"),
	RANGE_OPTIONS(timeline_args, select),
	SOURCE_OPTIONS(timeline_args, source),
	OPT_END
};

static struct cprof_error *draw_view(FILE *out, const void *pointer, const struct session_view *view)
{
	const struct timeline_args *args = pointer;
	struct timeline_options options = { .threads = (const bool *const *)view->choice.threads, .max_threads = THREADS_MAX,
					    .max_rows = args->depth < DEPTH_MAX ? (size_t)args->depth : DEPTH_MAX, .max_items = (size_t)args->detail,
					    .from_ticks = view->choice.from_ticks, .to_ticks = view->choice.to_ticks };
	const struct trace_meta *meta = trace_meta(session_trace(view->session, 0));
	struct timeline_picture picture = { .session = view->session, .names = view->names, .start_ticks = view->choice.start_ticks, .hz = view->choice.hz };
	struct timeline *timeline;
	struct cprof_error *error;

	/* Each row needs an item, and room to be merged into it. */
	if (options.max_items < options.max_rows * THREADS_MAX * ROWS_SHARE)
		options.max_items = options.max_rows * THREADS_MAX * ROWS_SHARE;
	picture.title = args->title ? args->title : *meta->command_line ? meta->command_line : "timeline";
	error = timeline_create(view->session, view->names, &options, &timeline);
	if (error)
		return error;
	picture.timeline = timeline;
	error = timeline_svg_write(out, &picture);
	timeline_destroy(timeline);
	return error;
}

static struct cprof_error *run_timeline(const void *pointer, const struct cprof_operands *operands)
{
	const struct timeline_args *args = pointer;
	const struct session_report report = { args->output.path, draw_view, args };

	if (!args->depth || args->detail > (1u << 24))
		return cprof_error_create(CPROF_ERROR_USAGE, "timeline: --depth must be at least 1, --detail at most 16M");
	return session_view_write(operands, &args->source, &args->select, &report);
}

const struct cprof_command timeline_command = {
	.name = "timeline",
	.operands = "[TRACE...]",
	.summary = "threads over time as an SVG picture with zoom and search",
	.description = "A self-contained SVG for any browser: a lane for each thread, a row for each level of calls, time to the right. What is wider than a pixel has its "
		       "exact width; shorter calls are merged into shaded runs that know how many they are and which function took most of them, and come apart when one "
		       "zooms in. The wheel zooms, dragging moves, a click zooms to a call, Ctrl-F searches (regular expressions), Escape goes back.",
	.examples = "timeline -o timeline.svg trace.lz4\ntimeline --time=10ms:20ms --thread=io -o io.svg trace.lz4",
	.options = timeline_options,
	.defaults = &timeline_defaults,
	.args_bytes = sizeof timeline_defaults,
	.run = run_timeline,
};
