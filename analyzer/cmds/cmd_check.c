/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze check: is all of the trace as it was written? Exit status 1 when it is not. */
#include "analysis.h"
#include "commands.h"
#include "human.h"
#include "output_file.h"
#include "kernel_file.h"
#include "trace_check.h"

#include <inttypes.h>
#include <string.h>

struct check_args {
	struct text_args text;
	struct output_args output;
	unsigned format;
};

static const struct check_args check_defaults;

static const struct cprof_option check_options[] = {
	OPT_CHOICE("format", 0, check_args, format, format_names_json, "form of the result"),
	OUTPUT_OPTIONS(check_args, output),
	TEXT_OPTIONS(check_args, text),
	OPT_END
};

static const char *const severity_names[] = { "note", "loss", "damage" };

static const char *verdict_of(const struct trace_report *report)
{
	return report->nr_damage ? "damaged" : report->nr_loss ? "sound, but not complete" : "sound and complete";
}

static void print_json_events(struct json_writer *json, const struct trace_report *report)
{
	json_u64(json, "events_chunks", report->events_chunks);
	json_u64(json, "events", report->events);
	json_u64(json, "enters", report->enters);
	json_u64(json, "exits", report->exits);
	json_u64(json, "escapes", report->escapes);
	json_u64(json, "open_calls", report->open_calls);
	json_u64(json, "repaired_calls", report->repaired_calls);
	json_u64(json, "unmatched_exits", report->unmatched_exits);
	json_u64(json, "mismatched_exits", report->mismatched_exits);
	json_u64(json, "lost_events", report->lost_events);
}

static void print_json(struct json_writer *json, const char *path, bool kernel, const struct trace_report *report)
{
	json_line(json);
	json_begin_object(json, NULL);
	json_text(json, "path", path);
	json_text(json, "verdict", report->nr_damage ? "damaged" : report->nr_loss ? "incomplete" : "complete");
	json_u64(json, "damage", report->nr_damage);
	json_u64(json, "losses", report->nr_loss);
	json_u64(json, "chunks", report->chunks);
	if (kernel)
		json_u64(json, "records", report->records);
	else
		print_json_events(json, report);
	json_begin_array(json, "findings");
	for (size_t i = 0; i < report->nr_findings; i++) {
		const struct trace_finding *finding = &report->findings[i];

		json_begin_object(json, NULL);
		json_text(json, "severity", severity_names[finding->severity]);
		if (finding->offset != CPROF_NO_OFFSET)
			json_u64(json, "offset", finding->offset);
		if (finding->thread != CPROF_NO_THREAD)
			json_u64(json, "thread", finding->thread);
		json_text(json, "text", finding->text);
		json_end_object(json);
	}
	json_end_array(json);
	json_u64(json, "unlisted_findings", report->nr_unlisted);
	json_end_object(json);
}

static void print_text(FILE *out, const struct text_style *style, const char *path, bool kernel, const struct trace_report *report)
{
	static const enum text_color colors[] = { TEXT_DIM, TEXT_WARM, TEXT_BAD };

	text_print(style, out, path, TEXT_WIDTH_MAX);
	fputs(": ", out);
	text_color(style, out, report->nr_damage ? TEXT_BAD : report->nr_loss ? TEXT_WARM : TEXT_GOOD);
	fputs(verdict_of(report), out);
	text_color(style, out, TEXT_PLAIN);
	fprintf(out, "\n  %s chunks, %s %s", human_count(report->chunks).text, human_count(kernel ? report->records : report->events).text,
		kernel ? "records of the kernel half\n" : "events:");
	if (!kernel) {
		fprintf(out, " %s enters, %s exits", human_count(report->enters).text, human_count(report->exits).text);
		fprintf(out, ", %s calls open at the end\n", human_count(report->open_calls).text);
	}
	for (size_t i = 0; i < report->nr_findings; i++) {
		const struct trace_finding *finding = &report->findings[i];

		fputs("  ", out);
		text_color(style, out, colors[finding->severity]);
		fputs(severity_names[finding->severity], out);
		text_color(style, out, TEXT_PLAIN);
		fputs(": ", out);
		if (finding->offset != CPROF_NO_OFFSET)
			fprintf(out, "offset 0x%" PRIx64 ": ", finding->offset);
		if (finding->thread != CPROF_NO_THREAD)
			fprintf(out, "thread %" PRIu32 ": ", finding->thread);
		text_print(style, out, finding->text, TEXT_WIDTH_MAX);
		fputc('\n', out);
	}
	if (report->nr_unlisted)
		fprintf(out, "  and %s more\n", human_count(report->nr_unlisted).text);
}

struct checks {
	FILE *out;
	const struct check_args *args;
	struct text_style style;
	struct json_writer json;
	size_t files, damaged; /* files that are */
};

static struct cprof_error *check_file(struct checks *checks, const char *path, bool kernel, bool went_on)
{
	struct trace_report *report;
	struct cprof_error *error = kernel ? kernel_check(path, &report) : trace_check(path, went_on, &report);

	if (error)
		return error;
	checks->files++;
	checks->damaged += report->nr_damage > 0;
	if (checks->args->format == FORMAT_JSON)
		print_json(&checks->json, path, kernel, report);
	else
		print_text(checks->out, &checks->style, path, kernel, report);
	trace_report_destroy(report);
	return NULL;
}

/* The traces, each with what a session says of it, and the kernel files beside them. */
static struct cprof_error *check_session(struct checks *checks, const struct session *session)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < session_nr_traces(session) && !error; i++)
		if (!session_nr_kernels(session) || strcmp(trace_path(session_trace(session, i)), kernel_file_path(session_kernel(session, 0))) != 0)
			error = check_file(checks, trace_path(session_trace(session, i)), false, session_trace_went_on(session, i));
	for (size_t i = 0; i < session_nr_kernels(session) && !error; i++)
		error = check_file(checks, kernel_file_path(session_kernel(session, i)), true, false);
	return error;
}

static struct cprof_error *check_traces(FILE *out, const struct check_args *args, const struct session_files *traces, struct checks *checks)
{
	struct session *session;
	struct cprof_error *error = session_open((const char *const *)traces->paths, traces->nr_paths, &session);

	if (error)
		return error;
	*checks = (struct checks){ .out = out, .args = args, .style = text_style_of(out, args->text.color, args->text.width) };
	json_init(&checks->json, out);
	if (args->format == FORMAT_JSON) {
		json_begin_object(&checks->json, NULL);
		json_begin_array(&checks->json, "traces");
	}
	error = check_session(checks, session);
	session_destroy(session);
	if (!error && args->format == FORMAT_JSON) {
		json_end_array(&checks->json);
		json_end_object(&checks->json);
		json_finish(&checks->json);
	}
	return error;
}

static struct cprof_error *run_check(const void *pointer, const struct cprof_operands *operands)
{
	const struct check_args *args = pointer;
	struct session_files traces = { 0 };
	struct output_file file;
	struct checks checks = { .files = 0 };
	struct cprof_error *error = trace_operands(operands, NULL, &traces);

	if (!error)
		error = output_file_open(args->output.path, &file);
	if (!error)
		error = output_file_end(&file, check_traces(file.out, args, &traces, &checks));
	if (!error && checks.damaged)
		error = cprof_error_create(CPROF_ERROR_FORMAT, "%zu of %zu traces damaged (recover keeps what is sound)", checks.damaged, checks.files);
	session_files_deinit(&traces);
	return error;
}

const struct cprof_command check_command = {
	.name = "check",
	.operands = "[TRACE...]",
	.summary = "verify a trace: every checksum, event and total",
	.description = "Reads every byte of traces, and of the kernel files beside them, and verifies what can be verified. The exit status is 1 when a trace is damaged; one that is only incomplete, and says "
		       "so, is not damaged.",
	.examples = "check trace.lz4",
	.options = check_options,
	.defaults = &check_defaults,
	.args_bytes = sizeof check_defaults,
	.run = run_check,
};
