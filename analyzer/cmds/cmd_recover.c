/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze recover: a complete trace from what a killed process or a damaged disk left. */
#include "analysis.h"
#include "commands.h"
#include "human.h"
#include "session.h"
#include "trace_recover.h"

struct recover_args {
	struct output_args output;
};

static const struct recover_args recover_defaults;

static const struct cprof_option recover_options[] = {
	OPT_TEXT("output", 'o', recover_args, output.path, "FILE", "the trace to write; may be the one that is read"),
	OPT_END
};

static struct cprof_error *run_recover(const void *pointer, const struct cprof_operands *operands)
{
	const struct recover_args *args = pointer;
	struct trace_recover_result result;
	struct session_files files = { 0 };
	struct session *session = NULL;
	struct cprof_error *error;

	if (!args->output.path)
		return cprof_error_create(CPROF_ERROR_USAGE, "recover: say with -o FILE what to write");
	error = trace_operands(operands, NULL, &files);
	if (!error && files.nr_paths > 1)
		error = cprof_error_create(CPROF_ERROR_USAGE, "recover: one trace at a time");
	if (!error)
		error = session_open((const char *const *)files.paths, 1, &session);
	if (!error)
		error = trace_recover(session_trace(session, 0), args->output.path, &result);
	session_destroy(session);
	session_files_deinit(&files);
	if (error)
		return error;
	fprintf(stderr, "%s: %s events in %s chunks", args->output.path, human_count(result.events).text, human_count(result.chunks).text);
	if (result.live_chunks)
		fprintf(stderr, ", %s of them from the live file", human_count(result.live_chunks).text);
	if (result.damaged_chunks)
		fprintf(stderr, "; %s damaged chunks could not be kept", human_count(result.damaged_chunks).text);
	fputc('\n', stderr);
	return NULL;
}

const struct cprof_command recover_command = {
	.name = "recover",
	.operands = "-o FILE [TRACE]",
	.summary = "write a complete trace from what a killed process left",
	.description = "Keeps all that is sound of a damaged trace, adds what a killed process left in its live file (TRACE.live), and writes a complete trace. "
		       "Nothing is invented: what is missing stays visible. All commands read a trace with its live file without this; it is for keeping "
		       "or moving a trace.",
	.examples = "recover -o whole.lz4 trace.lz4",
	.options = recover_options,
	.defaults = &recover_defaults,
	.args_bytes = sizeof recover_defaults,
	.run = run_recover,
};
