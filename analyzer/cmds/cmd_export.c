/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze export: for the tools of others. */
#include "analysis.h"
#include "commands.h"
#include "export_chrome.h"
#include "exports.h"
#include "output_file.h"

enum export_kind { EXPORT_FOLDED, EXPORT_SPEEDSCOPE, EXPORT_CHROME, EXPORT_PPROF, EXPORT_CALLGRIND };
static const char *const export_names[] = { "folded", "speedscope", "chrome", "pprof", "callgrind", NULL };

#define EXPORT_UNSET UINT32_MAX

struct export_args {
	struct source_args source;
	struct select_args select;
	struct output_args output;
	unsigned to;
	uint64_t depth;
	bool force;
};

static const struct export_args export_defaults = { .to = EXPORT_UNSET, .depth = EXPORT_DEPTH };

static const struct cprof_option export_options[] = {
	OPT_CHOICE("to", 0, export_args, to, export_names, "the format"),
	OUTPUT_OPTIONS(export_args, output),
	OPT_COUNT("depth", 'd', export_args, depth, "folded, pprof: cut paths after N calls (1000)"),
	OPT_FLAG("force", 0, export_args, force, "chrome: write files that are too large for every viewer, too"),
	FILTER_OPTIONS(export_args, select),
	SELECT_OPTIONS(export_args, select),
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

static struct cprof_error *write_export(FILE *out, const struct export_args *args, const struct analysis *analysis)
{
	switch ((enum export_kind)args->to) {
	case EXPORT_FOLDED:
		return export_folded(out, &analysis->view, args->depth);
	case EXPORT_SPEEDSCOPE:
		return export_speedscope(out, &analysis->view, *analysis->run.command ? analysis->run.command : "cprof");
	case EXPORT_PPROF:
		return export_pprof(out, &analysis->view, args->depth, analysis->run.start_realtime_ns);
	case EXPORT_CALLGRIND:
		return write_callgrind(out, analysis);
	case EXPORT_CHROME:
		break;
	}
	return export_chrome(out, analysis->session, analysis->symbolizer, args->force);
}

static struct cprof_error *check_args(const struct export_args *args)
{
	const struct select_args *select = &args->select;

	if (args->to == EXPORT_UNSET)
		return cprof_error_create(CPROF_ERROR_USAGE, "export: say with --to what to write: folded, speedscope, chrome, pprof or callgrind");
	if ((args->to == EXPORT_CHROME || args->to == EXPORT_CALLGRIND) &&
	    (select->filter || select->exclude || select->focus || select->threads || select->by_thread))
		return cprof_error_create(CPROF_ERROR_USAGE, "export --to=%s is of the whole run: no filter, focus or thread with it", export_names[args->to]);
	return NULL;
}

static struct cprof_error *run_export(const void *pointer, const struct cprof_operands *operands)
{
	const struct export_args *args = pointer;
	struct analysis *analysis;
	struct output_file file;
	struct cprof_error *error = check_args(args);

	if (!error)
		error = analysis_create(operands, &args->source, &args->select, CALL_SORT_TOTAL, &analysis);
	if (error)
		return error;
	error = output_file_open(args->output.path, &file);
	if (!error) {
		error = write_export(file.out, args, analysis);
		if (error)
			output_file_abandon(&file);
		else
			error = output_file_close(&file);
	}
	analysis_destroy(analysis);
	return error;
}

const struct cprof_command export_command = {
	.name = "export",
	.operands = "--to=FORMAT [TRACE...]",
	.summary = "write what other tools read",
	.description = "folded: a line for each call path with its self time in ns, for flamegraph.pl, inferno, speedscope. speedscope: the call tree for "
		       "https://www.speedscope.app. pprof: calls and self time of each call path, for go tool pprof and what reads its format. callgrind: functions and "
		       "the calls between them, for kcachegrind and callgrind_annotate. chrome: every single call in time, for Perfetto and chrome://tracing; "
		       "for short runs.",
	.examples = "export --to=folded -o out.folded trace.lz4\nexport --to=pprof -o profile.pb.gz trace.lz4\nexport --to=callgrind -o callgrind.out.1 trace.lz4",
	.options = export_options,
	.defaults = &export_defaults,
	.args_bytes = sizeof export_defaults,
	.run = run_export,
};
