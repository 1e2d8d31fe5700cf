/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze advise: what is worth a change, with evidence. */
#include "advice.h"
#include "analysis.h"
#include "commands.h"
#include "kernel_panel.h"

struct advise_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format;
	uint64_t limit;
};

static const struct advise_args advise_defaults = { .limit = UINT64_MAX };

static const struct cprof_option advise_options[] = {
	OPT_CHOICE("format", 0, advise_args, format, format_names_json, "form of the result"),
	OPT_COUNT("limit", 'n', advise_args, limit, "the first N findings"),
	OUTPUT_OPTIONS(advise_args, output),
	TEXT_OPTIONS(advise_args, text),
	SOURCE_OPTIONS(advise_args, source),
	OPT_END
};

static struct cprof_error *print_advice(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct advise_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct json_writer json;
	struct kernel_view to = { out, &style, &analysis->view, args->format == FORMAT_JSON ? &json : NULL, args->limit };
	struct cprof_error *error;

	if (to.json)
		analysis_json_begin(&json, out, analysis);
	error = advice_show(&to, &analysis->run);
	if (error)
		return error;
	if (to.json)
		analysis_json_end(&json);
	else
		kernel_panel_text(out, &style, analysis->profile);
	return NULL;
}

static struct cprof_error *run_advise(const void *pointer, const struct cprof_operands *operands)
{
	const struct advise_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_advice, args };

	return analysis_write(operands, &args->source, NULL, CALL_SORT_TOTAL, &report);
}

const struct cprof_command advise_command = {
	.name = "advise",
	.operands = "[TRACE...]",
	.summary = "what is worth a change, with the evidence",
	.description = "Prints what stands out, most time first: hot functions, functions too small to be recorded, allocations that are freed at once, leaks, syncs in a loop, small "
		       "writes, locks that are fought for or held across I/O, threads without a processor. Each comes with its numbers, the call path and the command that "
		       "shows more. What was not recorded is not judged, and said.",
	.examples = "advise trace.lz4\nadvise --format=json trace.lz4 | jq -r '.findings[].text'",
	.options = advise_options,
	.defaults = &advise_defaults,
	.args_bytes = sizeof advise_defaults,
	.run = run_advise,
};
