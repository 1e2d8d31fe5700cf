/* SPDX-License-Identifier: BSD-2-Clause */
#include "replay_report.h"

#include <inttypes.h>
#include <string.h>

#include "human.h"

enum { THREAD_COLUMNS = 16, INDENT_COLUMNS = 2, TIME_COLUMNS = 28 };

static uint64_t ticks_ns(const struct replay_report *report, uint64_t ticks)
{
	return report->hz > 0 ? (uint64_t)((long double)ticks * 1e9L / (long double)report->hz + 0.5L) : ticks;
}

static uint64_t line_ns(const struct replay_report *report, const struct replay_line *line)
{
	return ticks_ns(report, line->ticks > report->start_ticks ? line->ticks - report->start_ticks : 0);
}


static const struct cprof_thread *thread_of(const struct replay_report *report, const struct replay_line *line)
{
	return &trace_tables(session_trace(report->session, line->trace))->threads[line->thread];
}

static const char *function_of(const struct replay_report *report, const struct replay_line *line)
{
	return session_names_text(report->names, session_names_function(report->names, line->trace, line->id));
}

static const char *end_name(enum call_end end)
{
	static const char *const names[] = { "returned", "repaired", "cut", "open" };

	return names[end];
}

void replay_report_head(const struct replay_report *report)
{
	fprintf(report->out, "    time (s)   duration  %s%s\n", report->threads ? "thread            " : "", "calls");
}

/* Deep nesting must not push names off the line: from some level on the level is a number. */
static unsigned print_indent(const struct replay_report *report, uint64_t level, unsigned room)
{
	unsigned limit = room / 2;
	char text[32];

	if (level * INDENT_COLUMNS <= limit) {
		text_pad(report->out, (unsigned)level * INDENT_COLUMNS);
		return (unsigned)level * INDENT_COLUMNS;
	}
	int length = snprintf(text, sizeof text, "[%" PRIu64 "] ", level);
	if ((unsigned)length < limit)
		text_pad(report->out, limit - (unsigned)length);
	fputs(text, report->out);
	return (unsigned)length < limit ? limit : (unsigned)length;
}

static void print_label(const struct replay_report *report, const struct replay_line *line)
{
	static const char *const labels[] = { "", "  /* no exit seen */", "  /* cut by a loss */", "  /* still open */" };

	if (line->kind == REPLAY_CLOSE || line->kind == REPLAY_CALL) {
		text_color(report->style, report->out, TEXT_WARM);
		fputs(labels[line->end], report->out);
		text_color(report->style, report->out, TEXT_PLAIN);
	}
	if (line->inherited && line->kind != REPLAY_CLOSE)
		fputs("  /* was open before */", report->out);
}

/* C++ names bring their parameters. */
static void print_call(const struct replay_report *report, const struct replay_line *line, unsigned room)
{
	const char *name = function_of(report, line), *brackets = strchr(name, '(') ? "" : "()";
	FILE *out = report->out;

	if (line->kind == REPLAY_CLOSE) {
		text_color(report->style, out, TEXT_DIM);
		fputs("} ", out);
		text_print_name(report->style, out, name, room > 2 ? room - 2 : 1);
		text_color(report->style, out, TEXT_PLAIN);
		return;
	}
	text_print_name(report->style, out, name, room > 4 ? room - 4 : 1);
	fprintf(out, "%s%s", brackets, line->kind == REPLAY_OPEN ? " {" : ";");
	if (line->calls > 1) {
		fprintf(out, "  x %s", human_count(line->calls).text);
		fprintf(out, " (%s", human_ns(ticks_ns(report, line->min_ticks)).text);
		fprintf(out, " to %s)", human_ns(ticks_ns(report, line->max_ticks)).text);
	}
}

static void print_note(const struct replay_report *report, const struct replay_line *line)
{
	text_color(report->style, report->out, TEXT_BAD);
	if (line->kind == REPLAY_HOLE)
		fputs("-- a part of the trace is missing here --", report->out);
	else
		fprintf(report->out, "-- %s %s lost here --", human_count(line->lost_events).text, line->lost_events == 1 ? "event" : "events");
	text_color(report->style, report->out, TEXT_PLAIN);
}

void replay_report_text(const struct replay_report *report, const struct replay_line *line)
{
	uint64_t ns = line_ns(report, line);
	unsigned used = TIME_COLUMNS - 4, room;
	char name[64];

	fprintf(report->out, "%2" PRIu64 ".%09" PRIu64, ns / 1000000000, ns % 1000000000);
	if (line->kind == REPLAY_CLOSE || line->kind == REPLAY_CALL)
		fprintf(report->out, "  %9s  ", human_ns(ticks_ns(report, line->duration_ticks)).text);
	else
		text_pad(report->out, 13);
	if (report->threads) {
		const struct cprof_thread *thread = thread_of(report, line);

		snprintf(name, sizeof name, "%.*s [%" PRIu32 "]", (int)sizeof thread->name, thread->name, thread->tid);
		text_pad(report->out, THREAD_COLUMNS - text_print(report->style, report->out, name, THREAD_COLUMNS) + 2);
		used += THREAD_COLUMNS + 2;
	}
	room = report->style->width > used + 20 ? report->style->width - used : 20;
	if (line->kind == REPLAY_LOSS || line->kind == REPLAY_HOLE) {
		print_note(report, line);
	} else {
		used = print_indent(report, line->level, room);
		print_call(report, line, room > used + 8 ? room - used : 8);
		print_label(report, line);
	}
	fputc('\n', report->out);
}

static void json_site(struct json_writer *json, const struct call_site *site)
{
	if (!site) {
		json_null(json, "site");
		return;
	}
	json_begin_object(json, "site");
	if (site->file) {
		json_text(json, "file", site->file);
		json_u64(json, "line", site->line);
		json_u64(json, "column", site->column);
	} else {
		json_text(json, "module", site->module);
		json_u64(json, "offset", site->address);
	}
	json_end_object(json);
}

void replay_report_json(const struct replay_report *report, const struct replay_line *line)
{
	static const char *const kinds[] = { "open", "close", "call", "lost", "hole" };
	const struct cprof_thread *thread = thread_of(report, line);
	char name[sizeof thread->name + 1] = "";
	struct json_writer json;

	memcpy(name, thread->name, sizeof thread->name);
	json_init(&json, report->out);
	json_begin_object(&json, NULL);
	json_text(&json, "kind", kinds[line->kind]);
	json_u64(&json, "ns", line_ns(report, line));
	json_u64(&json, "pid", trace_meta(session_trace(report->session, line->trace))->fixed.pid);
	json_u64(&json, "tid", thread->tid);
	json_text(&json, "thread", name);
	if (line->kind == REPLAY_LOSS)
		json_u64(&json, "events", line->lost_events);
	if (line->kind <= REPLAY_CALL) {
		json_u64(&json, "level", line->level);
		json_text(&json, "name", function_of(report, line));
		if (line->kind != REPLAY_CLOSE)
			json_site(&json, session_names_site(report->names, line->trace, line->id));
		if (line->inherited)
			json_bool(&json, "inherited", true);
	}
	if (line->kind == REPLAY_CLOSE || line->kind == REPLAY_CALL) {
		json_u64(&json, "duration_ns", ticks_ns(report, line->duration_ticks));
		json_text(&json, "end", end_name(line->end));
	}
	if (line->kind == REPLAY_CALL) {
		json_u64(&json, "calls", line->calls);
		json_u64(&json, "min_ns", ticks_ns(report, line->min_ticks));
		json_u64(&json, "max_ns", ticks_ns(report, line->max_ticks));
	}
	json_end_object(&json);
	json_finish(&json);
}
