/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze flat: the table of functions. */
#include "analysis.h"
#include "call_rows.h"
#include "commands.h"
#include "flat_report.h"
#include "output_file.h"

#include <stdlib.h>

struct flat_args {
	struct source_args source;
	struct select_args select; /* filter and exclude choose rows here */
	struct text_args text;
	struct output_args output;
	unsigned format, sort;
	double min_percent;
	uint64_t limit;
	bool wide;
};

static const struct flat_args flat_defaults = { .sort = CALL_SORT_SELF, .limit = UINT64_MAX };

static const struct cprof_option flat_options[] = {
	OPT_CHOICE("format", 0, flat_args, format, format_names, "form of the result"),
	SORT_OPTION(flat_args, sort, "order of the functions (self)"),
	OPT_COUNT("limit", 'n', flat_args, limit, "show the first N functions"),
	OPT_PERCENT("min-percent", 'm', flat_args, min_percent, "leave out functions with less than P % of the total time"),
	OPT_FLAG("wide", 0, flat_args, wide, "show all columns, however wide the terminal is"),
	OPT_TEXT("filter", 'f', flat_args, select.filter, "REGEX", "only functions whose name matches"),
	OPT_TEXT("exclude", 'x', flat_args, select.exclude, "REGEX", "leave out functions whose name matches"),
	SELECT_OPTIONS(flat_args, select),
	SKIP_OPTIONS(flat_args, select),
	OUTPUT_OPTIONS(flat_args, output),
	TEXT_OPTIONS(flat_args, text),
	SOURCE_OPTIONS(flat_args, source),
	OPT_END
};

static void print_flat(FILE *out, const struct flat_args *args, const struct analysis *analysis, const struct call_row *rows, size_t count)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	size_t shown = count < args->limit ? count : (size_t)args->limit;
	struct json_writer json;

	if (args->format == FORMAT_TEXT) {
		flat_report_text(out, &style, &analysis->view, rows, shown, count - shown, args->wide);
	} else if (args->format == FORMAT_CSV) {
		flat_report_csv(out, &analysis->view, rows, shown);
	} else {
		json_init(&json, out);
		json_begin_object(&json, NULL);
		run_info_json(&json, "trace", &analysis->run, analysis->profile);
		flat_report_json(&json, "functions", &analysis->view, rows, shown);
		json_end_object(&json);
		json_finish(&json);
	}
}

static struct cprof_error *select_rows(const struct flat_args *args, const struct analysis *analysis, struct call_row **rows, size_t *count)
{
	struct cprof_error *error = call_rows_create(&analysis->view, args->sort, rows, count);

	if (error)
		return error;
	error = call_rows_choose(&analysis->view, args->select.filter, args->select.exclude, args->min_percent, *rows, count);
	if (error)
		free(*rows);
	return error;
}

static struct cprof_error *run_flat(const void *pointer, const struct cprof_operands *operands)
{
	const struct flat_args *args = pointer;
	struct select_args select = args->select;
	struct analysis *analysis;
	struct output_file file;
	struct call_row *rows;
	size_t count;

	select.filter = select.exclude = NULL;
	struct cprof_error *error = analysis_create(operands, &args->source, &select, CALL_SORT_TOTAL, &analysis);
	if (error)
		return error;
	error = select_rows(args, analysis, &rows, &count);
	if (!error) {
		error = output_file_open(args->output.path, &file);
		if (!error) {
			print_flat(file.out, args, analysis, rows, count);
			error = output_file_close(&file);
		}
		free(rows);
	}
	analysis_destroy(analysis);
	return error;
}

const struct cprof_command flat_command = {
	.name = "flat",
	.operands = "[TRACE...]",
	.summary = "all functions with their times, calls and percentiles",
	.description = "Prints a table of functions. self is time in the function itself, total the time during which at least one call of it was open "
		       "(recursion is not counted twice). avg is total by calls; min, p50, p90, p99 and max are of single calls, "
		       "percentiles are at most 3 % too high.",
	.examples = "flat trace.lz4\nflat --sort=calls --limit=20 trace.lz4\nflat --wide --filter='^lua' trace.lz4\nflat --format=csv -o functions.csv trace.lz4",
	.options = flat_options,
	.defaults = &flat_defaults,
	.args_bytes = sizeof flat_defaults,
	.run = run_flat,
};
