/* SPDX-License-Identifier: BSD-2-Clause */
#include "flat_report.h"

#include <inttypes.h>
#include <string.h>

#include "human_ticks.h"
#include "numbers_json.h"

enum { WIDTH_TIME = 8, WIDTH_PERCENT = 6, NAME_MIN = 24 };

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
	struct report_columns metrics; /* after self */
	unsigned calls_columns, name_columns;
};

static void columns_widen(const struct call_view *view, struct report_columns *columns, const struct call_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t c = 0; c < columns->nr; c++)
			report_column_widen(&columns->items[c], report_column_text(view, NULL, &rows[i].numbers, &columns->items[c]).text);
}

static void print_columns(FILE *out, const struct call_view *view, const struct report_columns *columns, const struct call_row *row)
{
	for (size_t c = 0; c < columns->nr; c++) {
		const struct report_column *column = &columns->items[c];
		char head[32];

		fprintf(out, " %*s", (int)column->width,
			row ? report_column_text(view, NULL, &row->numbers, column).text : report_column_head(column, head, sizeof head));
	}
}

/* Columns are added in the order of their use while a name still fits. */
static struct flat_layout lay_out(const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count, bool wide)
{
	static const enum flat_column wanted[] = { FLAT_TOTAL, FLAT_AVERAGE, FLAT_P99, FLAT_MAX, FLAT_P50, FLAT_MIN, FLAT_P90 };
	struct flat_layout layout = { { false }, { .nr = 0 }, 5, 0 };
	unsigned used;

	for (size_t i = 0; i < count; i++) {
		unsigned calls = (unsigned)strlen(human_count(rows[i].numbers.calls).text);

		layout.calls_columns = calls > layout.calls_columns ? calls : layout.calls_columns;
	}
	if (view->profile->metrics & METRIC_BIT(CPU)) {
		report_columns_add_metric(&layout.metrics, METRIC_CPU, true);
		report_columns_add_metric(&layout.metrics, METRIC_BLOCKED, true);
	} else if (view->profile->metrics & METRIC_BIT(SAMPLES)) {
		report_columns_add_metric(&layout.metrics, METRIC_SAMPLES, true);
	}
	for (int m = 0; wide && m < NR_METRICS; m++)
		if (view->profile->metrics & 1u << m && m != METRIC_CPU && m != METRIC_BLOCKED)
			report_columns_add_metric(&layout.metrics, (enum call_metric)m, true);
	columns_widen(view, &layout.metrics, rows, count);
	used = WIDTH_PERCENT + 1 + WIDTH_TIME + 1 + report_columns_width(&layout.metrics) + layout.calls_columns + 2;
	for (size_t i = 0; i < FLAT_COLUMNS; i++) {
		if (wide || used + WIDTH_TIME + 1 + NAME_MIN <= style->width) {
			layout.shown[wanted[i]] = true;
			used += WIDTH_TIME + 1;
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
	fprintf(out, "%*s", WIDTH_PERCENT, human_percent(row->numbers.self_ticks, all).text);
	text_color(style, out, TEXT_PLAIN);
	fprintf(out, " %*s", WIDTH_TIME, human_ticks(view->profile, row->numbers.self_ticks).text);
	print_columns(out, view, &layout->metrics, row);
	if (layout->shown[FLAT_TOTAL])
		fprintf(out, " %*s", WIDTH_TIME, human_ticks(view->profile, row->numbers.total_ticks).text);
	fprintf(out, " %*s", (int)layout->calls_columns, human_count(row->numbers.calls).text);
	for (enum flat_column column = FLAT_AVERAGE; column < FLAT_COLUMNS; column++) {
		uint64_t ticks = column_ticks(&row->numbers, column);
		bool known = ticks != CALL_TICKS_UNKNOWN && (column == FLAT_AVERAGE ? row->numbers.calls > 0 : row->numbers.calls > row->numbers.open);

		if (layout->shown[column])
			fprintf(out, " %*s", WIDTH_TIME, known ? human_ticks(view->profile, ticks).text : "-");
	}
	fputs("  ", out);
	text_print_name(style, out, row->function->name, layout->name_columns);
	fputc('\n', out);
}

void flat_report_text(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count,
		      size_t hidden, bool wide)
{
	struct flat_layout layout = lay_out(style, view, rows, count, wide);

	text_color(style, out, TEXT_BOLD);
	fprintf(out, "%*s %*s", WIDTH_PERCENT, "%self", WIDTH_TIME, "self");
	print_columns(out, view, &layout.metrics, NULL);
	if (layout.shown[FLAT_TOTAL])
		fprintf(out, " %*s", WIDTH_TIME, column_names[FLAT_TOTAL]);
	fprintf(out, " %*s", (int)layout.calls_columns, "calls");
	for (enum flat_column column = FLAT_AVERAGE; column < FLAT_COLUMNS; column++)
		if (layout.shown[column])
			fprintf(out, " %*s", WIDTH_TIME, column_names[column]);
	fputs("  function", out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	for (size_t i = 0; i < count && !ferror(out); i++)
		print_row(out, style, view, &layout, &rows[i]);
	if (hidden)
		fprintf(out, "(%s more)\n", human_count(hidden).text);
}

void flat_report_columns(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count, size_t hidden,
			 const struct report_columns *chosen)
{
	struct report_columns columns = *chosen;
	unsigned used, names;

	columns_widen(view, &columns, rows, count);
	used = report_columns_width(&columns) + 2;
	names = style->width > used + NAME_MIN ? style->width - used : NAME_MIN;
	text_color(style, out, TEXT_BOLD);
	print_columns(out, view, &columns, NULL);
	fputs("  function", out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	for (size_t i = 0; i < count && !ferror(out); i++) {
		print_columns(out, view, &columns, &rows[i]);
		fputs("  ", out);
		text_print_name(style, out, rows[i].function->name, names);
		fputc('\n', out);
	}
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

void flat_report_csv_head(FILE *out, uint32_t recorded, bool by_thread)
{
	fprintf(out, "%sname,module,file,line," NUMBERS_CSV_HEADER, by_thread ? "thread," : "");
	metrics_csv_header(out, recorded);
	fputs("\r\n", out);
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
		metrics_csv(out, view->profile->metrics, rows[i].numbers.metrics);
		fputs("\r\n", out);
	}
}
