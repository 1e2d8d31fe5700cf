/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze TRACE: the first answer. */
#include "analysis.h"
#include "call_rows.h"
#include "commands.h"
#include "flat_report.h"
#include "overview_report.h"

#include <stdlib.h>

struct overview_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format;
	uint64_t limit, paths;
};

static const struct overview_args overview_defaults = { .limit = 10, .paths = 5 };

static const struct cprof_option overview_options[] = {
	OPT_CHOICE("format", 0, overview_args, format, format_names_json, "form of the result"),
	OPT_COUNT("limit", 'n', overview_args, limit, "functions shown (10)"),
	OPT_COUNT("paths", 0, overview_args, paths, "call paths shown (5)"),
	OUTPUT_OPTIONS(overview_args, output),
	TEXT_OPTIONS(overview_args, text),
	SOURCE_OPTIONS(overview_args, source),
	OPT_END
};

static struct cprof_error *print_overview(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct overview_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct json_writer json;
	struct call_row *rows;
	size_t count;

	if (args->format == FORMAT_TEXT)
		return overview_report_text(out, &style, &analysis->run, &analysis->view, (size_t)args->limit, (size_t)args->paths);

	struct cprof_error *error = call_rows_create(&analysis->view, CALL_SORT_SELF, &rows, &count);
	if (error)
		return error;
	analysis_json_begin(&json, out, analysis);
	json_begin_array(&json, "functions");
	flat_report_json(&json, NULL, &analysis->view, rows, count < args->limit ? count : (size_t)args->limit);
	json_end_array(&json);
	free(rows);
	error = overview_report_paths_json(&json, "paths", &analysis->view, (size_t)args->paths);
	analysis_json_end(&json);
	return error;
}

static struct cprof_error *run_overview(const void *pointer, const struct cprof_operands *operands)
{
	const struct overview_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_overview, args };

	return analysis_write(operands, &args->source, NULL, CALL_SORT_TOTAL, &report);
}

const struct cprof_command overview_command = {
	.name = "",
	.operands = "[TRACE...]",
	.summary = "what ran, where the time went, and what to look at next",
	.examples = "\ntrace.lz4\n--format=json trace.lz4",
	.options = overview_options,
	.defaults = &overview_defaults,
	.args_bytes = sizeof overview_defaults,
	.run = run_overview,
};
