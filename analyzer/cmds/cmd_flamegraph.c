/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze flamegraph and icicle: the tree as an SVG. */
#include "analysis.h"
#include "commands.h"
#include "flamegraph.h"

/* What is narrower cannot be seen, but zooming makes it wider. */
#define MIN_PIXELS 0.02

struct flamegraph_args {
	struct source_args source;
	struct select_args select;
	struct output_args output;
	const char *title;
	double min_percent;
	uint64_t depth;
	unsigned sort, sampled;
	bool icicle;
};

static const struct flamegraph_args flamegraph_defaults = { .depth = FLAMEGRAPH_MAX_DEPTH, .sampled = SAMPLED_SHOW };
static const struct flamegraph_args icicle_defaults = { .depth = FLAMEGRAPH_MAX_DEPTH, .sampled = SAMPLED_SHOW, .icicle = true };

static const struct cprof_option flamegraph_options[] = {
	OUTPUT_OPTIONS(flamegraph_args, output),
	OPT_TEXT("title", 0, flamegraph_args, title, "TEXT", "title of the picture (the command that ran)"),
	SORT_OPTION(flamegraph_args, sort, "order of the callees of a function, from the left"),
	OPT_COUNT("depth", 'd', flamegraph_args, depth, "show N levels of calls"),
	OPT_PERCENT("min-percent", 'm', flamegraph_args, min_percent, "leave out what takes less than P % of the time"),
	SAMPLED_OPTION(flamegraph_args, sampled, "show (default) them hatched, or hide"),
	OPT_FLAG("icicle", 0, flamegraph_args, icicle, "root at the top"),
	FILTER_OPTIONS(flamegraph_args, select),
	SELECT_OPTIONS(flamegraph_args, select),
	SKIP_OPTIONS(flamegraph_args, select),
	TREE_OPTIONS(flamegraph_args, select),
	SOURCE_OPTIONS(flamegraph_args, source),
	OPT_END
};

static struct cprof_error *draw_tree(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct flamegraph_args *args = pointer;
	struct flamegraph_options options = { args->title, args->icicle, MIN_PIXELS, args->min_percent, args->depth };

	if (!options.title)
		options.title = *analysis->run.command ? analysis->run.command : "flame graph";
	return flamegraph_write(out, &analysis->view, &options);
}

static struct cprof_error *run_flamegraph(const void *pointer, const struct cprof_operands *operands)
{
	const struct flamegraph_args *args = pointer;
	const struct analysis_report report = { args->output.path, draw_tree, args };
	struct select_args select = args->select;

	select.sampled = args->sampled == SAMPLED_SHOW ? SAMPLED_TIMED : SAMPLED_LEFT_OUT;
	return analysis_write(operands, &args->source, &select, args->sort, &report);
}

#define PICTURE_TEXT \
	"A self-contained SVG for any browser: the width of a frame is its exact total time. Click a frame to zoom, Ctrl-F or the field at the top " \
	"right searches (regular expressions) and says how much time matches, Escape goes back. With CPU samples of cprof-record, hatched frames share a " \
	"function's own time on a processor by the samples that met them; the rest of it, and all that it waits, stays the function's."

const struct cprof_command flamegraph_command = {
	.name = "flamegraph",
	.operands = "[TRACE...]",
	.summary = "the tree as an SVG picture with zoom and search",
	.description = PICTURE_TEXT,
	.examples = "flamegraph -o flame.svg trace.lz4\nflamegraph --by-thread -o threads.svg trace.lz4",
	.options = flamegraph_options,
	.defaults = &flamegraph_defaults,
	.args_bytes = sizeof flamegraph_defaults,
	.run = run_flamegraph,
};

const struct cprof_command icicle_command = {
	.name = "icicle",
	.operands = "[TRACE...]",
	.summary = "the same with the root at the top",
	.description = PICTURE_TEXT,
	.examples = "icicle -o icicle.svg trace.lz4",
	.options = flamegraph_options,
	.defaults = &icicle_defaults,
	.args_bytes = sizeof icicle_defaults,
	.run = run_flamegraph,
};
