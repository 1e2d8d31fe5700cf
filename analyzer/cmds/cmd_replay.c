/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze replay: the calls one after the other, indented like the code that made them. */
#include "commands.h"
#include "replay_report.h"
#include "session_view.h"
#include "time_range.h"

#include <stdlib.h>

struct replay_args {
	struct source_args source;
	struct select_args select;
	struct text_args text;
	struct output_args output;
	const char *min_duration;
	unsigned format;
	uint64_t depth, limit;
	bool no_merge;
};

static const struct replay_args replay_defaults = { .depth = UINT64_MAX, .limit = UINT64_MAX };

static const struct cprof_option replay_options[] = {
	OPT_CHOICE("format", 0, replay_args, format, format_names, "form of the result; json: one object in each line"),
	OPT_TEXT("min-duration", 'm', replay_args, min_duration, "TIME", "leave out calls shorter than TIME: 10us, 1.5ms"),
	OPT_COUNT("depth", 'd', replay_args, depth, "show N levels of calls"),
	OPT_COUNT("limit", 'n', replay_args, limit, "stop after N lines"),
	OPT_FLAG("no-merge", 0, replay_args, no_merge, "a line for each call, even if it is like the one before"),
	FILTER_OPTIONS(replay_args, select),
	SELECT_OPTIONS(replay_args, select),
	SKIP_OPTIONS(replay_args, select),
	OUTPUT_OPTIONS(replay_args, output),
	TEXT_OPTIONS(replay_args, text),
	SOURCE_OPTIONS(replay_args, source),
	OPT_END
};

static struct cprof_error *print_lines(FILE *out, const struct replay_args *args, const struct session_view *view, const struct call_replay_options *options)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct replay_report report = { .out = out, .style = &style, .session = view->session, .names = view->names, .start_ticks = view->choice.start_ticks,
					.hz = view->choice.hz, .threads = view->choice.nr_threads > 1 };
	struct call_replay *replay;
	struct cprof_error *error = call_replay_create(view->session, view->names, options, &replay);

	if (error)
		return error;
	report.record = record_writer_make(out, args->format == FORMAT_CSV ? replay_columns : NULL);
	if (args->format == FORMAT_TEXT)
		replay_report_head(&report);
	else
		record_head(&report.record);
	for (uint64_t lines = 0; lines < args->limit && !ferror(out); lines++) {
		struct replay_line line;
		bool end = false;

		error = call_replay_next(replay, &line, &end);
		if (error || end)
			break;
		if (args->format == FORMAT_TEXT)
			replay_report_text(&report, &line);
		else
			replay_report_record(&report, &line);
	}
	call_replay_destroy(replay);
	return error;
}

/* "10us" is the same as the end of the range ":10us". */
static struct cprof_error *parse_duration(const char *text, double hz, uint64_t *ticks)
{
	struct time_range range;
	uint64_t from;
	char *both;
	struct cprof_error *error;

	*ticks = 0;
	if (!text)
		return NULL;
	if (asprintf(&both, ":%s", text) < 0)
		return &cprof_enomem;
	error = time_range_parse("min-duration", both, &range);
	free(both);
	if (error || !range.to.given || range.to.percent) {
		cprof_error_free(error);
		return cprof_error_create(CPROF_ERROR_USAGE, "--min-duration: '%s' is no duration (like 10us, 1.5ms)", text);
	}
	time_range_ticks(&range, 0, 0, hz, &from, ticks);
	return NULL;
}

static struct cprof_error *replay_view(FILE *out, const void *pointer, const struct session_view *view)
{
	const struct replay_args *args = pointer;
	const struct call_registry *registry = &view->names->registry;
	const struct select_args *select = &args->select;
	struct function_choice functions;
	struct call_replay_options options = { .threads = (const bool *const *)view->choice.threads, .depth = args->depth, .no_merge = args->no_merge };
	struct cprof_error *error = function_choice_init(&functions, registry->functions, registry->nr_functions, select->filter, select->exclude, select->focus);

	if (!error)
		error = parse_duration(args->min_duration, view->choice.hz, &options.min_ticks);
	if (!error) {
		options.choice = (struct call_choice){ functions.filter, functions.exclude, functions.focus, select->skip_first, view->choice.from_ticks,
						       view->choice.to_ticks };
		error = print_lines(out, args, view, &options);
	}
	function_choice_deinit(&functions);
	return error;
}

static struct cprof_error *run_replay(const void *pointer, const struct cprof_operands *operands)
{
	const struct replay_args *args = pointer;
	const struct session_report report = { args->output.path, replay_view, args };

	return session_view_write(operands, &args->source, &args->select, &report);
}

const struct cprof_command replay_command = {
	.name = "replay",
	.operands = "[TRACE...]",
	.summary = "the calls one after the other, indented like code",
	.description = "Every call in order of time: where it began, how long it took, in which thread. Calls in which no others are shown stand on one line; "
		       "several alike, one after the other, are one line with their number, their time together, and that of the shortest and the longest. A call that "
		       "ended without an exit, was cut by a loss or was still open at the end says so. With --time, --filter and the like, what led to a call is "
		       "shown with it.",
	.examples = "replay --limit=100 trace.lz4\nreplay --time=10ms:12ms --thread=worker trace.lz4\nreplay --focus=parse --depth=3 --min-duration=9us trace.lz4",
	.options = replay_options,
	.defaults = &replay_defaults,
	.args_bytes = sizeof replay_defaults,
	.run = run_replay,
};
