/* SPDX-License-Identifier: BSD-2-Clause */
#include "flat_report.h"

#include <inttypes.h>
#include <string.h>

#include "human_ticks.h"
#include "numbers_json.h"

enum { COLUMN_TIME = 8, COLUMN_PERCENT = 6, NAME_MIN = 24 };

enum flat_column { FLAT_TOTAL, FLAT_AVERAGE, FLAT_MIN, FLAT_P50, FLAT_P90, FLAT_P99, FLAT_MAX, FLAT_COLUMNS };

static const char *const column_names[FLAT_COLUMNS] = { "total", "avg", "min", "p50", "p90", "p99", "max" };

static uint64_t column_ticks(const struct call_numbers *numbers, enum flat_column column)
{
	switch (column) {
	case FLAT_TOTAL:
		return numbers->total_ticks;
	case FLAT_AVERAGE:
		return call_average_ticks(numbers);
	case FLAT_MIN:
		return numbers->min_ticks;
	case FLAT_P50:
		return numbers->p50_ticks;
	case FLAT_P90:
		return numbers->p90_ticks;
	case FLAT_P99:
		return numbers->p99_ticks;
	default:
		return numbers->max_ticks;
	}
}

struct flat_layout {
	bool shown[FLAT_COLUMNS];
	unsigned calls_columns, name_columns;
};

/* Columns are added in the order of their use while a name still fits. */
static struct flat_layout lay_out(const struct text_style *style, const struct call_row *rows, size_t count, bool wide)
{
	static const enum flat_column wanted[] = { FLAT_TOTAL, FLAT_AVERAGE, FLAT_P99, FLAT_MAX, FLAT_P50, FLAT_MIN, FLAT_P90 };
	struct flat_layout layout = { { false }, 5, 0 };
	unsigned used;

	for (size_t i = 0; i < count; i++) {
		unsigned calls = (unsigned)strlen(human_count(rows[i].numbers.calls).text);

		layout.calls_columns = calls > layout.calls_columns ? calls : layout.calls_columns;
	}
	used = COLUMN_PERCENT + 1 + COLUMN_TIME + 1 + layout.calls_columns + 2;
	for (size_t i = 0; i < FLAT_COLUMNS; i++) {
		if (wide || used + COLUMN_TIME + 1 + NAME_MIN <= style->width) {
			layout.shown[wanted[i]] = true;
			used += COLUMN_TIME + 1;
		}
	}
	layout.name_columns = style->width > used + NAME_MIN ? style->width - used : NAME_MIN;
	return layout;
}

static void print_row(FILE *out, const struct text_style *style, const struct call_view *view, const struct flat_layout *layout,
		      const struct call_row *row)
{
	uint64_t all = view->root->numbers.total_ticks;
	double fraction = human_fraction(row->numbers.self_ticks, all);

	text_color(style, out, fraction >= 0.2 ? TEXT_HOT : fraction >= 0.05 ? TEXT_WARM : TEXT_PLAIN);
	fprintf(out, "%*s", COLUMN_PERCENT, human_percent(row->numbers.self_ticks, all).text);
	text_color(style, out, TEXT_PLAIN);
	fprintf(out, " %*s", COLUMN_TIME, human_ticks(view->profile, row->numbers.self_ticks).text);
	if (layout->shown[FLAT_TOTAL])
		fprintf(out, " %*s", COLUMN_TIME, human_ticks(view->profile, row->numbers.total_ticks).text);
	fprintf(out, " %*s", (int)layout->calls_columns, human_count(row->numbers.calls).text);
	for (enum flat_column column = FLAT_AVERAGE; column < FLAT_COLUMNS; column++) {
		uint64_t ticks = column_ticks(&row->numbers, column);
		bool known = ticks != CALL_TICKS_UNKNOWN && (column == FLAT_AVERAGE ? row->numbers.calls > 0 : row->numbers.calls > row->numbers.open);

		if (layout->shown[column])
			fprintf(out, " %*s", COLUMN_TIME, known ? human_ticks(view->profile, ticks).text : "-");
	}
	fputs("  ", out);
	text_print_name(style, out, row->function->name, layout->name_columns);
	fputc('\n', out);
}

void flat_report_text(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count,
		      size_t hidden, bool wide)
{
	struct flat_layout layout = lay_out(style, rows, count, wide);

	text_color(style, out, TEXT_BOLD);
	fprintf(out, "%*s %*s", COLUMN_PERCENT, "%self", COLUMN_TIME, "self");
	if (layout.shown[FLAT_TOTAL])
		fprintf(out, " %*s", COLUMN_TIME, column_names[FLAT_TOTAL]);
	fprintf(out, " %*s", (int)layout.calls_columns, "calls");
	for (enum flat_column column = FLAT_AVERAGE; column < FLAT_COLUMNS; column++)
		if (layout.shown[column])
			fprintf(out, " %*s", COLUMN_TIME, column_names[column]);
	fputs("  function", out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	for (size_t i = 0; i < count && !ferror(out); i++)
		print_row(out, style, view, &layout, &rows[i]);
	if (hidden)
		fprintf(out, "(%s more)\n", human_count(hidden).text);
}

void flat_report_json(struct json_writer *json, const char *thread, const struct call_view *view, const struct call_row *rows, size_t count)
{
	for (size_t i = 0; i < count && !ferror(json->out); i++) {
		json_line(json);
		json_begin_object(json, NULL);
		if (thread)
			json_text(json, "thread", thread);
		json_text(json, "name", rows[i].function->name);
		json_text(json, "module", rows[i].function->module);
		json_text(json, "file", rows[i].function->file);
		if (rows[i].function->line)
			json_u64(json, "line", rows[i].function->line);
		else
			json_null(json, "line");
		numbers_json(json, view->profile, &rows[i].numbers);
		json_double(json, "fraction", human_fraction(rows[i].numbers.self_ticks, view->root->numbers.total_ticks));
		json_end_object(json);
	}
}

void flat_report_csv_head(FILE *out, bool by_thread)
{
	fprintf(out, "%sname,module,file,line," NUMBERS_CSV_HEADER "\r\n", by_thread ? "thread," : "");
}

void flat_report_csv(FILE *out, const char *thread, const struct call_view *view, const struct call_row *rows, size_t count)
{
	for (size_t i = 0; i < count && !ferror(out); i++) {
		if (thread) {
			csv_text(out, thread);
			fputc(',', out);
		}
		csv_text(out, rows[i].function->name);
		fputc(',', out);
		csv_text(out, rows[i].function->module);
		fputc(',', out);
		csv_text(out, rows[i].function->file);
		fprintf(out, ",%" PRIu32 ",", rows[i].function->line);
		numbers_csv(out, view->profile, &rows[i].numbers);
		fputs("\r\n", out);
	}
}
