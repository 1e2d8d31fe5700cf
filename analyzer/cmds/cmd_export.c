/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze export: for the tools of others. */
#include "analysis.h"
#include "commands.h"
#include "exports.h"
#include "timed_export.h"

enum export_kind { EXPORT_FOLDED, EXPORT_SPEEDSCOPE, EXPORT_CHROME, EXPORT_PERFETTO, EXPORT_PPROF, EXPORT_CALLGRIND };
static const char *const export_names[] = { "folded", "speedscope", "chrome", "perfetto", "pprof", "callgrind", NULL };

#define EXPORT_UNSET UINT32_MAX
/* JSON in a browser ends at 512 M characters, and well before that in patience. */
#define EXPORT_MAX_BYTES 400000000
#define EXPORT_SIZE_UNSET UINT64_MAX

struct export_args {
	struct source_args source;
	struct select_args select;
	struct output_args output;
	unsigned to, sampled;
	uint64_t depth, max_bytes;
};

static const struct export_args export_defaults = { .to = EXPORT_UNSET, .depth = UINT64_MAX, .max_bytes = EXPORT_SIZE_UNSET };

static const struct cprof_option export_options[] = {
	OPT_CHOICE("to", 0, export_args, to, export_names, "the format"),
	OUTPUT_OPTIONS(export_args, output),
	OPT_COUNT("depth", 'd', export_args, depth, "N levels of calls (folded, pprof: 1000; others: all)"),
	OPT_COUNT("max-size", 0, export_args, max_bytes, "chrome, speedscope: fail when the file gets larger than N bytes (400M); 0: never"),
	SAMPLED_OPTION(export_args, sampled, "hide (default), so that every time is exact, or show them (folded, speedscope, pprof), named ..._[s] and ..._[k]"),
	FILTER_OPTIONS(export_args, select),
	SELECT_OPTIONS(export_args, select),
	SKIP_OPTIONS(export_args, select),
	TREE_OPTIONS(export_args, select),
	SOURCE_OPTIONS(export_args, source),
	OPT_END
};

static struct cprof_error *write_callgrind(FILE *out, const struct analysis *analysis)
{
	struct call_edges edges;
	struct cprof_error *error = call_edges_create(analysis->profile, &edges);

	if (error)
		return error;
	error = export_callgrind(out, &edges, analysis->run.command);
	call_edges_destroy(&edges);
	return error;
}

static uint64_t or_default(uint64_t value, uint64_t unset, uint64_t standard)
{
	return value == unset ? standard : value;
}

static uint64_t max_bytes(const struct export_args *args)
{
	return or_default(args->max_bytes, EXPORT_SIZE_UNSET, args->to == EXPORT_PERFETTO ? 0 : EXPORT_MAX_BYTES);
}

static struct cprof_error *write_sums(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct export_args *args = pointer;
	uint64_t path_depth = or_default(args->depth, UINT64_MAX, EXPORT_DEPTH);

	switch ((enum export_kind)args->to) {
	case EXPORT_FOLDED:
		return export_folded(out, &analysis->view, path_depth);
	case EXPORT_SPEEDSCOPE:
		return export_speedscope(out, &analysis->view, args->depth, max_bytes(args), *analysis->run.command ? analysis->run.command : "cprof");
	case EXPORT_PPROF:
		return export_pprof(out, &analysis->view, path_depth, analysis->run.start_realtime_ns);
	default:
		return write_callgrind(out, analysis);
	}
}

static struct cprof_error *write_calls(FILE *out, const void *pointer, const struct session_view *view)
{
	const struct export_args *args = pointer;
	const struct timed_export_options options = {
		.format = args->to == EXPORT_CHROME ? TIMED_CHROME : TIMED_PERFETTO,
		.filter = args->select.filter, .exclude = args->select.exclude, .focus = args->select.focus,
		.skip_first = args->select.skip_first, .depth = args->depth, .max_bytes = max_bytes(args),
	};

	return timed_export(out, view, &options);
}

static bool has_time_axis(unsigned to)
{
	return to == EXPORT_CHROME || to == EXPORT_PERFETTO;
}

static struct cprof_error *check_args(const struct export_args *args)
{
	const struct select_args *select = &args->select;
	const char *name = args->to == EXPORT_UNSET ? "" : export_names[args->to];

	if (args->to == EXPORT_UNSET)
		return cprof_error_create(CPROF_ERROR_USAGE, "export: say with --to what to write: folded, speedscope, chrome, perfetto, pprof or callgrind");
	if (args->to == EXPORT_CALLGRIND && (select->filter || select->exclude || select->focus || select->by_thread || args->depth != UINT64_MAX))
		return cprof_error_create(CPROF_ERROR_USAGE, "export --to=%s is of functions, not of paths: --filter, --exclude, --focus, --depth and --by-thread have no meaning there", name);
	if (args->sampled == SAMPLED_SHOW && (has_time_axis(args->to) || args->to == EXPORT_CALLGRIND))
		return cprof_error_create(CPROF_ERROR_USAGE, "export --to=%s is of recorded calls alone: --sampled=show has no meaning there", name);
	if (has_time_axis(args->to) && (select->by_thread || select->recursion == RECURSION_UNROLL))
		return cprof_error_create(CPROF_ERROR_USAGE, "export --to=%s has every call in its thread as it was: neither --by-thread nor --recursion", name);
	return NULL;
}

static struct cprof_error *run_export(const void *pointer, const struct cprof_operands *operands)
{
	const struct export_args *args = pointer;
	const struct analysis_report sums = { args->output.path, write_sums, args };
	const struct session_report calls = { args->output.path, write_calls, args };
	struct select_args select = args->select;
	struct cprof_error *error = check_args(args);

	select.sampled = args->sampled == SAMPLED_SHOW ? SAMPLED_TIMED : SAMPLED_LEFT_OUT;
	if (error)
		return error;
	return has_time_axis(args->to) ? session_view_write(operands, &args->source, &args->select, &calls) :
					 analysis_write(operands, &args->source, &select, CALL_SORT_TOTAL, &sums);
}

const struct cprof_command export_command = {
	.name = "export",
	.operands = "--to=FORMAT [TRACE...]",
	.summary = "write what other tools read",
	.description = "folded: a line for each call path with its self time in ns, for flamegraph.pl, inferno, speedscope. speedscope: the call tree for "
		       "https://www.speedscope.app. pprof: calls and self time of each call path, for go tool pprof and what reads its format. callgrind: functions and "
		       "the calls between them, for kcachegrind and callgrind_annotate. perfetto: every single call in time, for https://ui.perfetto.dev. chrome: the "
		       "same for whatever reads Chrome's trace events; files are five times as large. In these two, --filter and --focus show the chosen calls and "
		       "what they call, without what led there. --sampled=show shares a function's own time on a processor among the frames that CPU samples "
		       "of cprof-record met below it: those times are estimates, and the names say so.",
	.examples = "export --to=folded -o out.folded trace.lz4\nexport --to=pprof -o profile.pb.gz trace.lz4\n"
		    "export --to=callgrind -o callgrind.out.1 trace.lz4",
	.options = export_options,
	.defaults = &export_defaults,
	.args_bytes = sizeof export_defaults,
	.run = run_export,
};
