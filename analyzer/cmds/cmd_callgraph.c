/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze callers, callees and callgraph: functions and the calls between them, all contexts together. */
#include "analysis.h"
#include "call_edges.h"
#include "commands.h"
#include "output_file.h"

#include <stdlib.h>
#include <string.h>

struct callgraph_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format, sort;
	uint64_t limit;
	const char *focus;
	unsigned sides; /* of enum call_edges_side; set by the command */
};

static const struct callgraph_args callgraph_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLERS | CALL_EDGES_CALLEES };
static const struct callgraph_args callers_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLERS };
static const struct callgraph_args callees_defaults = { .limit = UINT64_MAX, .sides = CALL_EDGES_CALLEES };

static const struct cprof_option callgraph_options[] = {
	OPT_CHOICE("format", 0, callgraph_args, format, format_names, "form of the result"),
	OPT_TEXT("focus", 'F', callgraph_args, focus, "FUNCTION", "only this function"),
	OPT_CHOICE("sort", 's', callgraph_args, sort, call_sort_names, "order of the functions (total)"),
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

static bool is_focus(const struct call_function *function, const char *focus)
{
	return !focus || strcmp(function->name, focus) == 0 || (function->linkage && strcmp(function->linkage, focus) == 0);
}

static struct cprof_error *choose(const struct callgraph_args *args, const struct analysis *analysis, struct chosen *chosen)
{
	const struct profile *profile = analysis->profile;
	struct call_row *rows;
	size_t count;
	struct cprof_error *error = call_view_rows(&analysis->view, args->sort, &rows, &count);

	if (error)
		return error;
	chosen->functions = calloc(count + 1, sizeof *chosen->functions);
	chosen->wanted = calloc(profile->nr_functions + 1, sizeof *chosen->wanted);
	if (!chosen->functions || !chosen->wanted)
		error = &cprof_enomem;
	for (size_t i = 0; !error && i < count && chosen->count < args->limit; i++) {
		uint32_t function = (uint32_t)(rows[i].function - profile->functions);

		if (!is_focus(rows[i].function, args->focus))
			continue;
		chosen->functions[chosen->count++] = function;
		chosen->wanted[function] = true;
	}
	free(rows);
	if (!error && args->focus && !chosen->count)
		error = cprof_error_create(CPROF_ERROR_NOT_FOUND, "no call of a function '%s' in this trace (see: cprof-analyze flat)", args->focus);
	return error;
}

static void print_callgraph(FILE *out, const struct callgraph_args *args, const struct analysis *analysis, const struct call_edges *edges,
			    const struct chosen *chosen)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	const bool *wanted = args->focus || args->limit != UINT64_MAX ? chosen->wanted : NULL;
	struct json_writer json;

	if (args->format == FORMAT_TEXT) {
		call_edges_text(out, &style, edges, args->sides, chosen->functions, chosen->count);
	} else if (args->format == FORMAT_CSV) {
		call_edges_csv(out, edges, args->sides, wanted);
	} else {
		json_init(&json, out);
		json_begin_object(&json, NULL);
		run_info_json(&json, "trace", &analysis->run, analysis->profile);
		call_edges_json(&json, "edges", edges, args->sides, wanted);
		json_end_object(&json);
		json_finish(&json);
	}
}

static struct cprof_error *run_callgraph(const void *pointer, const struct cprof_operands *operands)
{
	const struct callgraph_args *args = pointer;
	struct chosen chosen = { NULL, NULL, 0 };
	struct call_edges edges = { 0 };
	struct analysis *analysis;
	struct output_file file;
	struct cprof_error *error = analysis_create(operands, &args->source, NULL, CALL_SORT_TOTAL, &analysis);

	if (error)
		return error;
	error = choose(args, analysis, &chosen);
	if (!error)
		error = call_edges_create(analysis->profile, &edges);
	if (!error)
		error = output_file_open(args->output.path, &file);
	if (!error) {
		print_callgraph(file.out, args, analysis, &edges, &chosen);
		error = output_file_close(&file);
	}
	call_edges_destroy(&edges);
	chosen_deinit(&chosen);
	analysis_destroy(analysis);
	return error;
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
	.examples = "callers --focus=malloc_wrapper trace.lz4",
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
