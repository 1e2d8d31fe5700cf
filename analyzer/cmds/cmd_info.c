/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze info: about the run and the quality of its record. */
#include "analysis.h"
#include "commands.h"
#include "output_file.h"

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

static void print_info(FILE *out, const struct info_args *args, const struct analysis *analysis)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct json_writer json;

	if (args->format == FORMAT_TEXT) {
		run_info_text(out, &style, &analysis->run, analysis->profile);
		return;
	}
	json_init(&json, out);
	json_begin_object(&json, NULL);
	run_info_json(&json, "trace", &analysis->run, analysis->profile);
	json_end_object(&json);
	json_finish(&json);
}

static struct cprof_error *run_info_command(const void *pointer, const struct cprof_operands *operands)
{
	const struct info_args *args = pointer;
	struct analysis *analysis;
	struct output_file file;
	struct cprof_error *error = analysis_create(operands, &args->source, NULL, CALL_SORT_TOTAL, &analysis);

	if (error)
		return error;
	error = output_file_open(args->output.path, &file);
	if (!error) {
		print_info(file.out, args, analysis);
		error = output_file_close(&file);
	}
	analysis_destroy(analysis);
	return error;
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
