/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze flat: the table of functions. */
#include "analysis.h"
#include "call_rows.h"
#include "commands.h"
#include "flat_report.h"
#include "session.h"

#include <stdlib.h>

struct flat_args {
	struct source_args source;
	struct select_args select; /* filter and exclude choose rows here */
	struct text_args text;
	struct output_args output;
	unsigned format, sort;
	double min_percent;
	uint64_t limit;
	const char *columns;
	bool wide;
};

static const struct flat_args flat_defaults = { .sort = CALL_SORT_SELF, .limit = UINT64_MAX };

static const struct cprof_option flat_options[] = {
	OPT_CHOICE("format", 0, flat_args, format, format_names, "form of the result"),
	SORT_OPTION(flat_args, sort, "order of the functions (self)"),
	OPT_TEXT("columns", 0, flat_args, columns, "LIST", REPORT_COLUMNS_HELP),
	OPT_COUNT("limit", 'n', flat_args, limit, "show the first N functions"),
	OPT_PERCENT("min-percent", 'm', flat_args, min_percent, "leave out functions with less than P % of the total time"),
	OPT_FLAG("wide", 0, flat_args, wide, "show all columns, however wide the terminal is"),
	OPT_TEXT("filter", 'f', flat_args, select.filter, "REGEX", "only functions whose name matches: rows of the table, whose times stay what they are"),
	OPT_TEXT("exclude", 'x', flat_args, select.exclude, "REGEX", "leave out rows whose name matches; what they took stays in the times of their callers"),
	SELECT_OPTIONS(flat_args, select),
	SKIP_OPTIONS(flat_args, select),
	OPT_FLAG("by-thread", 0, flat_args, select.by_thread, "a table for each thread; JSON, CSV: with the thread"),
	OUTPUT_OPTIONS(flat_args, output),
	TEXT_OPTIONS(flat_args, text),
	SOURCE_OPTIONS(flat_args, source),
	OPT_END
};

struct flat_output {
	FILE *out;
	const struct flat_args *args;
	struct json_writer json;
	struct report_columns columns; /* of --columns */
	bool any; /* something has been printed */
};

/* thread: NULL where the rows are of all. */
static void print_rows(struct flat_output *output, const char *thread, const struct call_view *view, const struct call_row *rows, size_t count)
{
	const struct flat_args *args = output->args;
	struct text_style style = text_style_of(output->out, args->text.color, args->text.width);
	size_t shown = count < args->limit ? count : (size_t)args->limit;

	if (args->format == FORMAT_CSV) {
		flat_report_csv(output->out, thread, view, rows, shown);
	} else if (args->format == FORMAT_JSON) {
		flat_report_json(&output->json, thread, view, rows, shown);
	} else {
		if (output->any)
			fputc('\n', output->out);
		if (thread) {
			text_print(&style, output->out, thread, style.width);
			fputc('\n', output->out);
		}
		if (args->columns)
			flat_report_columns(output->out, &style, view, rows, shown, count - shown, &output->columns);
		else
			flat_report_text(output->out, &style, view, rows, shown, count - shown, args->wide);
	}
	output->any = true;
}

static struct cprof_error *print_view(struct flat_output *output, const char *thread, const struct call_view *view)
{
	const struct flat_args *args = output->args;
	struct call_row *rows;
	size_t count;
	struct cprof_error *error = call_rows_create(view, args->sort, &rows, &count);

	if (error)
		return error;
	error = call_rows_choose(view, args->select.filter, args->select.exclude, args->min_percent, rows, &count);
	if (!error && (count || !thread))
		print_rows(output, thread, view, rows, count);
	free(rows);
	return error;
}

static struct cprof_error *print_threads(struct flat_output *output, const struct analysis *analysis)
{
	struct cprof_error *error = NULL;

	for (size_t trace = 0; trace < session_nr_traces(analysis->session); trace++) {
		size_t nr_threads = trace_tables(session_trace(analysis->session, trace))->nr_threads;

		for (size_t i = 0; !error && i < nr_threads && !ferror(output->out); i++) {
			struct thread_analysis *thread = NULL;

			error = thread_analysis_create(analysis, &output->args->select, trace, i, &thread);
			if (!error && thread)
				error = print_view(output, thread->name, &thread->view);
			thread_analysis_destroy(thread);
		}
	}
	return error;
}

static struct cprof_error *print_flat(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct flat_args *args = pointer;
	struct flat_output output = { .out = out, .args = args };
	struct cprof_error *error = args->columns ? report_columns_parse(args->columns, analysis->profile->metrics, &output.columns) : NULL;

	if (error)
		return error;
	if (args->format == FORMAT_JSON) {
		analysis_json_begin(&output.json, out, analysis);
		json_begin_array(&output.json, "functions");
	} else if (args->format == FORMAT_CSV) {
		flat_report_csv_head(out, analysis->profile->metrics, args->select.by_thread);
	}
	error = args->select.by_thread ? print_threads(&output, analysis) : print_view(&output, NULL, &analysis->view);
	if (args->format == FORMAT_JSON) {
		json_end_array(&output.json);
		analysis_json_end(&output.json);
	}
	return error;
}

static struct cprof_error *run_flat(const void *pointer, const struct cprof_operands *operands)
{
	const struct flat_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_flat, args };
	struct select_args select = args->select;

	select.filter = select.exclude = NULL; /* choose rows here, not calls */
	select.by_thread = false;
	select.functions_only = true;
	return analysis_write(operands, &args->source, &select, CALL_SORT_TOTAL, &report);
}

const struct cprof_command flat_command = {
	.name = "flat",
	.operands = "[TRACE...]",
	.summary = "all functions with their times, calls and percentiles",
	.description = "Prints a table of functions. self is time in the function itself, total the time during which at least one call of it was open "
		       "(recursion is not counted twice). avg is total by calls; min, p50, p90, p99 and max are of single calls, "
		       "percentiles are at most 3 % too high.\n\n--filter and --exclude choose rows here, and percentages are still of the whole run; in tree and the pictures they "
		       "choose call paths. --focus, --thread, --time and --skip-first choose calls: then all numbers are of these alone.",
	.examples = "flat trace.lz4\nflat --sort=calls --limit=20 trace.lz4\nflat --wide --filter='^lua' trace.lz4\nflat --format=csv -o functions.csv trace.lz4",
	.options = flat_options,
	.defaults = &flat_defaults,
	.args_bytes = sizeof flat_defaults,
	.run = run_flat,
};
