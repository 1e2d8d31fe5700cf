/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze callers, callees and callgraph: functions and the calls between them, all contexts together. */
#include "analysis.h"
#include "call_rows.h"
#include "call_edges.h"
#include "commands.h"
#include "function_match.h"

#include <stdlib.h>

struct callgraph_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format, sort;
	struct select_args select; /* filter, exclude and focus choose functions here */
	double min_percent;
	uint64_t limit;
	unsigned sides; /* of enum call_edges_side; set by the command */
};

static const struct callgraph_args callgraph_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLERS | CALL_EDGES_CALLEES };
static const struct callgraph_args callers_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLERS };
static const struct callgraph_args callees_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLEES };

static const struct cprof_option callgraph_options[] = {
	OPT_CHOICE("format", 0, callgraph_args, format, format_names, "form of the result"),
	OPT_TEXT("focus", 'F', callgraph_args, select.focus, "FUNCTION", "only this function"),
	OPT_TEXT("filter", 'f', callgraph_args, select.filter, "REGEX", "only functions whose name matches"),
	OPT_TEXT("exclude", 'x', callgraph_args, select.exclude, "REGEX", "leave out functions whose name matches"),
	OPT_PERCENT("min-percent", 'm', callgraph_args, min_percent, "leave out functions with less than P % of the total time"),
	RANGE_OPTIONS(callgraph_args, select),
	SKIP_OPTIONS(callgraph_args, select),
	SORT_OPTION(callgraph_args, sort, "order of the functions (total)"),
	OPT_COUNT("limit", 'n', callgraph_args, limit, "the first N functions"),
	OUTPUT_OPTIONS(callgraph_args, output),
	TEXT_OPTIONS(callgraph_args, text),
	SOURCE_OPTIONS(callgraph_args, source),
	OPT_END
};

struct chosen { /* functions in order, and as a set */
	uint32_t *functions;
	bool *wanted;
	size_t count;
};

static void chosen_deinit(struct chosen *chosen)
{
	free(chosen->functions);
	free(chosen->wanted);
}

static void add_chosen(const struct callgraph_args *args, const struct profile *profile, const struct call_row *rows, size_t count, const bool *focus,
		       struct chosen *chosen)
{
	for (size_t i = 0; i < count && chosen->count < args->limit; i++) {
		uint32_t function = (uint32_t)(rows[i].function - profile->functions);

		if (focus && !focus[function])
			continue;
		chosen->functions[chosen->count++] = function;
		chosen->wanted[function] = true;
	}
}

static struct cprof_error *choose(const struct callgraph_args *args, const struct analysis *analysis, struct chosen *chosen)
{
	const struct profile *profile = analysis->profile;
	struct call_row *rows = NULL;
	bool *focus = NULL;
	size_t count;
	struct cprof_error *error = function_match_name(profile->functions, profile->nr_functions, args->select.focus, &focus);

	if (!error)
		error = call_rows_create(&analysis->view, args->sort, &rows, &count);
	if (!error)
		error = call_rows_choose(&analysis->view, args->select.filter, args->select.exclude, args->min_percent, rows, &count);
	if (!error) {
		chosen->functions = calloc(count + 1, sizeof *chosen->functions);
		chosen->wanted = calloc(profile->nr_functions + 1, sizeof *chosen->wanted);
		if (chosen->functions && chosen->wanted)
			add_chosen(args, profile, rows, count, focus, chosen);
		else
			error = &cprof_enomem;
	}
	free(rows);
	free(focus);
	return error;
}

/* Whether some functions are not shown. */
static bool is_part(const struct callgraph_args *args)
{
	const struct select_args *select = &args->select;

	return select->focus || select->filter || select->exclude || args->min_percent > 0 || args->limit != UINT64_MAX;
}

/* The profile and the view are of all functions. */
static struct select_args calls_of(const struct callgraph_args *args)
{
	struct select_args select = args->select;

	select.filter = select.exclude = NULL;
	return select;
}

static void print_edges(FILE *out, const struct callgraph_args *args, const struct analysis *analysis, const struct call_edges *edges,
			const struct chosen *chosen)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	const bool *wanted = is_part(args) ? chosen->wanted : NULL;
	struct json_writer json;

	if (args->format == FORMAT_TEXT) {
		call_edges_text(out, &style, edges, args->sides, chosen->functions, chosen->count);
	} else if (args->format == FORMAT_CSV) {
		call_edges_csv(out, edges, args->sides, wanted);
	} else {
		analysis_json_begin(&json, out, analysis);
		call_edges_json(&json, "edges", edges, args->sides, wanted);
		analysis_json_end(&json);
	}
}

static struct cprof_error *print_callgraph(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct callgraph_args *args = pointer;
	struct chosen chosen = { NULL, NULL, 0 };
	struct call_edges edges = { 0 };
	struct cprof_error *error = choose(args, analysis, &chosen);

	if (!error)
		error = call_edges_create(analysis->profile, &edges);
	if (!error)
		print_edges(out, args, analysis, &edges, &chosen);
	call_edges_destroy(&edges);
	chosen_deinit(&chosen);
	return error;
}

static struct cprof_error *run_callgraph(const void *pointer, const struct cprof_operands *operands)
{
	const struct callgraph_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_callgraph, args };
	const struct select_args select = calls_of(args);

	return analysis_write(operands, &args->source, &select, CALL_SORT_TOTAL, &report);
}

#define CALLGRAPH_TEXT \
	" Calls are exact, over all contexts and recursive calls; total is the time of these calls. A call that recursion leads back to a context further up has its time " \
	"there (shown as -). JSON and CSV list the pairs; a caller that is null or empty is outside of all recorded calls."

const struct cprof_command callgraph_command = {
	.name = "callgraph",
	.operands = "[TRACE...]",
	.summary = "each function with its callers and callees",
	.description = "Prints each function with those that called it above and those it called below." CALLGRAPH_TEXT,
	.examples = "callgraph trace.lz4\ncallgraph --focus=parse trace.lz4\ncallgraph --format=json trace.lz4 | jq -c '.edges[]'",
	.options = callgraph_options,
	.defaults = &callgraph_defaults,
	.args_bytes = sizeof callgraph_defaults,
	.run = run_callgraph,
};

const struct cprof_command callers_command = {
	.name = "callers",
	.operands = "[TRACE...]",
	.summary = "who called each function, how often and for how long",
	.description = "Prints each function with those that called it above it." CALLGRAPH_TEXT,
	.examples = "callers --focus=malloc_wrapper trace.lz4\ncallers --sort=cumtime --limit=10 trace.lz4",
	.options = callgraph_options,
	.defaults = &callers_defaults,
	.args_bytes = sizeof callers_defaults,
	.run = run_callgraph,
};

const struct cprof_command callees_command = {
	.name = "callees",
	.operands = "[TRACE...]",
	.summary = "what each function called, how often and for how long",
	.description = "Prints each function with those it called below it." CALLGRAPH_TEXT,
	.examples = "callees --focus=main trace.lz4",
	.options = callgraph_options,
	.defaults = &callees_defaults,
	.args_bytes = sizeof callees_defaults,
	.run = run_callgraph,
};
