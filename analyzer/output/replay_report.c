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

const char *const replay_columns[] = { "kind", "ns", "pid", "tid", "thread", "events", "level", "name", "file", "line", "column", "module", "offset", "inherited",
					"duration_ns", "end", "calls", "min_ns", "max_ns", NULL };

/* In JSON an object, or null; in CSV columns of the row. */
static void record_site(struct record_writer *record, const struct call_site *site)
{
	bool json = !record->columns;

	if (json && !site)
		json_null(&record->json, "site");
	if (!site)
		return;
	if (json)
		json_begin_object(&record->json, "site");
	if (site->file) {
		record_text(record, "file", site->file);
		record_u64(record, "line", site->line);
		record_u64(record, "column", site->column);
	} else {
		record_text(record, "module", site->module);
		record_u64(record, "offset", site->address);
	}
	if (json)
		json_end_object(&record->json);
}

void replay_report_record(struct replay_report *report, const struct replay_line *line)
{
	static const char *const kinds[] = { "open", "close", "call", "lost", "hole" };
	const struct cprof_thread *thread = thread_of(report, line);
	char name[sizeof thread->name + 1] = "";
	struct record_writer *record = &report->record;

	memcpy(name, thread->name, sizeof thread->name);
	record_begin(record);
	record_text(record, "kind", kinds[line->kind]);
	record_u64(record, "ns", line_ns(report, line));
	record_u64(record, "pid", trace_meta(session_trace(report->session, line->trace))->fixed.pid);
	record_u64(record, "tid", thread->tid);
	record_text(record, "thread", name);
	if (line->kind == REPLAY_LOSS)
		record_u64(record, "events", line->lost_events);
	if (line->kind <= REPLAY_CALL) {
		record_u64(record, "level", line->level);
		record_text(record, "name", function_of(report, line));
		if (line->kind != REPLAY_CLOSE)
			record_site(record, session_names_site(report->names, line->trace, line->id));
		if (line->inherited)
			record_bool(record, "inherited", true);
	}
	if (line->kind == REPLAY_CLOSE || line->kind == REPLAY_CALL) {
		record_u64(record, "duration_ns", ticks_ns(report, line->duration_ticks));
		record_text(record, "end", end_name(line->end));
	}
	if (line->kind == REPLAY_CALL) {
		record_u64(record, "calls", line->calls);
		record_u64(record, "min_ns", ticks_ns(report, line->min_ticks));
		record_u64(record, "max_ns", ticks_ns(report, line->max_ticks));
	}
	record_end(record);
}
