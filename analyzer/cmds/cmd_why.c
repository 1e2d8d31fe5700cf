/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze why FUNCTION: what makes its slowest calls slow. */
#include "causes_report.h"
#include "commands.h"
#include "function_match.h"
#include "session_view.h"

#include <stdlib.h>

struct why_args {
	struct source_args source;
	struct select_args select;
	struct text_args text;
	struct output_args output;
	unsigned format;
	const char *function; /* the first operand */
};

static const struct why_args why_defaults;

static const struct cprof_option why_options[] = {
	OPT_CHOICE("format", 0, why_args, format, format_names_json, "form of the result"),
	RANGE_OPTIONS(why_args, select),
	OUTPUT_OPTIONS(why_args, output),
	TEXT_OPTIONS(why_args, text),
	SOURCE_OPTIONS(why_args, source),
	OPT_END
};

static struct cprof_error *print_why(FILE *out, const void *pointer, const struct session_view *view)
{
	const struct why_args *args = pointer;
	const struct call_registry *registry = &view->names->registry;
	struct cause_choice choice = { (const bool *const *)view->choice.threads, view->choice.from_ticks, view->choice.to_ticks };
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct call_causes *causes = NULL;
	struct json_writer json;
	bool *wanted = NULL;
	struct cprof_error *error = function_match_name(registry->functions, registry->nr_functions, args->function, &wanted);

	if (!error)
		error = call_causes_create(view->session, view->names, wanted, &choice, &causes);
	if (!error) {
		const struct causes_report report = { args->function, causes, view->session, view->names, view->choice.start_ticks, view->choice.hz };

		if (args->format == FORMAT_TEXT) {
			causes_report_text(out, &style, &report);
		} else {
			json_init(&json, out);
			json_begin_object(&json, NULL);
			causes_report_json(&json, &report);
			json_end_object(&json);
			json_finish(&json);
		}
	}
	call_causes_destroy(causes);
	free(wanted);
	return error;
}

static struct cprof_error *run_why(const void *pointer, const struct cprof_operands *operands)
{
	struct why_args args = *(const struct why_args *)pointer;
	const struct session_report report = { args.output.path, print_why, &args };
	struct cprof_operands traces = { operands->items + 1, operands->count ? operands->count - 1 : 0 };

	if (!operands->count)
		return cprof_error_create(CPROF_ERROR_USAGE, "why: which function? (cprof-analyze why FUNCTION [TRACE...])");
	args.function = operands->items[0];
	return session_view_write(&traces, &args.source, &args.select, &report);
}

const struct cprof_command why_command = {
	.name = "why",
	.operands = "FUNCTION [TRACE...]",
	.summary = "why a function's slowest calls are slow",
	.description = "Compares the slowest 1 % of the calls of FUNCTION (those not inside another call of it) with the others: where a call's time goes, itself and in each callee, and, "
		       "in a run under cprof-record, on what: on a processor, waiting for one, blocked by reason. All of it is exact.",
	.examples = "why handle_request trace.lz4\nwhy parse --thread=worker --format=json trace.lz4",
	.options = why_options,
	.defaults = &why_defaults,
	.args_bytes = sizeof why_defaults,
	.run = run_why,
};
