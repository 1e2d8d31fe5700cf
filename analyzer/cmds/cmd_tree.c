/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze tree: the calling-context tree. */
#include "analysis.h"
#include "commands.h"
#include "tree_report.h"

struct tree_args {
	struct source_args source;
	struct select_args select;
	struct text_args text;
	struct output_args output;
	unsigned format, sort;
	double min_percent;
	uint64_t depth;
	const char *columns;
	bool wide;
};

/* All of it goes to programs, what matters to people; an option says otherwise. */
#define MIN_PERCENT_TEXT 1.0
#define MIN_PERCENT_UNSET (-1.0)

static const struct tree_args tree_defaults = { .min_percent = MIN_PERCENT_UNSET, .depth = UINT64_MAX };

static const struct cprof_option tree_options[] = {
	OPT_CHOICE("format", 0, tree_args, format, format_names, "form of the result"),
	SORT_OPTION(tree_args, sort, "order of the callees of a function"),
	OPT_TEXT("columns", 0, tree_args, columns, "LIST", REPORT_COLUMNS_HELP),
	OPT_COUNT("depth", 'd', tree_args, depth, "show N levels of calls"),
	OPT_FLAG("wide", 0, tree_args, wide, "say how many calls are recursive, and the span of time in which they were open"),
	OPT_PERCENT("min-percent", 'm', tree_args, min_percent, "fold what takes less than P % of the time (text: 1, others: 0)"),
	FILTER_OPTIONS(tree_args, select),
	SELECT_OPTIONS(tree_args, select),
	SKIP_OPTIONS(tree_args, select),
	TREE_OPTIONS(tree_args, select),
	OUTPUT_OPTIONS(tree_args, output),
	TEXT_OPTIONS(tree_args, text),
	SOURCE_OPTIONS(tree_args, source),
	OPT_END
};

static struct cprof_error *print_tree(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct tree_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct tree_limits limits = { args->min_percent, args->depth };
	struct report_columns columns;
	struct json_writer json;

	if (args->columns) {
		struct cprof_error *error = report_columns_parse(args->columns, analysis->profile->metrics, &columns);

		if (error)
			return error;
	}
	if (limits.min_percent < 0)
		limits.min_percent = args->format == FORMAT_TEXT ? MIN_PERCENT_TEXT : 0;
	if (args->format == FORMAT_TEXT)
		return tree_report_text(out, &style, &analysis->view, &limits, args->columns ? &columns : NULL, args->wide);
	if (args->format == FORMAT_CSV) {
		tree_report_csv(out, &analysis->view, &limits);
		return NULL;
	}
	analysis_json_begin(&json, out, analysis);
	json_line(&json);
	tree_report_json(&json, "root", &analysis->view, &limits);
	analysis_json_end(&json);
	return NULL;
}

static struct cprof_error *run_tree(const void *pointer, const struct cprof_operands *operands)
{
	const struct tree_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_tree, args };

	return analysis_write(operands, &args->source, &args->select, args->sort, &report);
}

const struct cprof_command tree_command = {
	.name = "tree",
	.operands = "[TRACE...]",
	.summary = "the calling-context tree: time, share and calls of every call path",
	.description = "Prints the calling-context tree. Each line is a function as called along one path: its total time (with all that it called), "
		       "the share of the whole, its own time, the number of calls, its name, and the place that called it. Total is always self plus "
		       "the totals below. A recursive call leads back to the line of the function on its path (see --recursion); where "
		       "that makes the time during which the function was open differ from its total, it is shown as span.",
	.examples = "tree trace.lz4\ntree --focus=parse --depth=4 trace.lz4\ntree --exclude='^mutex_' --min-percent=0.1 trace.lz4\ntree --format=json trace.lz4 | jq .root",
	.options = tree_options,
	.defaults = &tree_defaults,
	.args_bytes = sizeof tree_defaults,
	.run = run_tree,
};
