/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze info: about the run and the quality of its record. */
#include "analysis.h"
#include "commands.h"

struct info_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format;
};

static const struct info_args info_defaults;

static const struct cprof_option info_options[] = {
	OPT_CHOICE("format", 0, info_args, format, format_names_json, "form of the result"),
	OUTPUT_OPTIONS(info_args, output),
	TEXT_OPTIONS(info_args, text),
	SOURCE_OPTIONS(info_args, source),
	OPT_END
};

static struct cprof_error *print_info(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct info_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct json_writer json;

	if (args->format == FORMAT_TEXT) {
		run_info_text(out, &style, &analysis->run, analysis->profile);
	} else {
		analysis_json_begin(&json, out, analysis);
		analysis_json_end(&json);
	}
	return NULL;
}

static struct cprof_error *run_info_command(const void *pointer, const struct cprof_operands *operands)
{
	const struct info_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_info, args };

	return analysis_write(operands, &args->source, NULL, CALL_SORT_TOTAL, &report);
}

const struct cprof_command info_command = {
	.name = "info",
	.operands = "[TRACE...]",
	.summary = "about the run, the trace and what is missing in it",
	.examples = "info trace.lz4\ninfo --format=json trace.lz4",
	.options = info_options,
	.defaults = &info_defaults,
	.args_bytes = sizeof info_defaults,
	.run = run_info_command,
};
