/* SPDX-License-Identifier: BSD-2-Clause */
#include "report_columns.h"

#include <stdio.h>
#include <string.h>

#include "human_ticks.h"

enum { WIDTH_TIME = 8, WIDTH_PERCENT = 6, WIDTH_CALLS = 5 };

static const char *const kind_words[] = { "total", "%", "self", "%self", "calls", "avg", "min", "p50", "p90", "p99", "max", "span" };

void report_columns_add(struct report_columns *columns, enum column_kind kind)
{
	unsigned width = kind == COLUMN_CALLS ? WIDTH_CALLS : kind == COLUMN_PERCENT || kind == COLUMN_SELF_PERCENT ? WIDTH_PERCENT : WIDTH_TIME;

	if (columns->nr < REPORT_COLUMNS_MAX)
		columns->items[columns->nr++] = (struct report_column){ .kind = kind, .width = width };
}

void report_columns_add_metric(struct report_columns *columns, enum call_metric metric, bool of_self)
{
	struct report_column column = { COLUMN_METRIC, metric, of_self, call_metric_infos[metric].unit == METRIC_UNIT_NS ? WIDTH_TIME : 0 };
	char head[32];

	report_column_widen(&column, report_column_head(&column, head, sizeof head));
	if (columns->nr < REPORT_COLUMNS_MAX)
		columns->items[columns->nr++] = column;
}

void report_column_widen(struct report_column *column, const char *text)
{
	unsigned width = (unsigned)strlen(text);

	if (width > column->width)
		column->width = width;
}

static struct cprof_error *metric_parse(const char *word, uint32_t recorded, struct report_columns *columns)
{
	size_t length = strcspn(word, ".");
	bool of_self = strcmp(word + length, ".self") == 0;

	if (word[length] && !of_self && strcmp(word + length, ".total") != 0)
		length = strlen(word);
	for (int m = 0; m < NR_METRICS; m++) {
		const char *name = call_metric_infos[m].word;

		if (strlen(name) != length || strncmp(name, word, length) != 0)
			continue;
		if (!(recorded & 1u << m))
			return cprof_error_create(CPROF_ERROR_USAGE, "--columns: %s (%s) was not recorded in this run, or not for this part of it", name, call_metric_infos[m].what);
		report_columns_add_metric(columns, (enum call_metric)m, of_self);
		return NULL;
	}
	return cprof_error_create(CPROF_ERROR_USAGE, "--columns: there is no column '%.40s' (see --help)", word);
}

static struct cprof_error *word_parse(const char *word, uint32_t recorded, struct report_columns *columns)
{
	for (size_t i = 0; i < sizeof kind_words / sizeof *kind_words; i++) {
		if (strcmp(word, kind_words[i]) == 0) {
			report_columns_add(columns, (enum column_kind)i);
			return NULL;
		}
	}
	return metric_parse(word, recorded, columns);
}

struct cprof_error *report_columns_parse(const char *list, uint32_t recorded, struct report_columns *ret)
{
	struct report_columns columns = { .nr = 0 };
	struct cprof_error *error = NULL;

	while (*list && !error) {
		size_t length = strcspn(list, ",");
		char word[48];

		snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, list);
		if (columns.nr == REPORT_COLUMNS_MAX)
			error = cprof_error_create(CPROF_ERROR_USAGE, "--columns: more than %d", REPORT_COLUMNS_MAX);
		else if (length)
			error = word_parse(word, recorded, &columns);
		list += length + (list[length] == ',');
	}
	if (!error && !columns.nr)
		error = cprof_error_create(CPROF_ERROR_USAGE, "--columns: names no column (see --help)");
	if (!error)
		*ret = columns;
	return error;
}

const char *report_column_head(const struct report_column *column, char *room, size_t room_bytes)
{
	if (column->kind != COLUMN_METRIC)
		return kind_words[column->kind];
	snprintf(room, room_bytes, "%s%s", call_metric_infos[column->metric].head, column->of_self ? ".self" : "");
	return room;
}

static struct human_text plain_text(const char *text)
{
	struct human_text made;

	snprintf(made.text, sizeof made.text, "%s", text);
	return made;
}

static struct human_text metric_text(const struct call_metrics *metrics, const struct report_column *column)
{
	uint64_t value;

	if (!metrics)
		return plain_text("-");
	value = column->of_self ? metrics->self[column->metric] : metrics->total[column->metric];
	switch (call_metric_infos[column->metric].unit) {
	case METRIC_UNIT_BYTES:
		return value ? human_bytes(value) : plain_text("0");
	case METRIC_UNIT_COUNT:
		return human_count(value);
	default:
		break;
	}
	if ((int64_t)value < 0) { /* unexplained */
		struct human_text text = human_ns(0 - value), made;

		snprintf(made.text, sizeof made.text, "-%.30s", text.text);
		return made;
	}
	return human_ns(value);
}

static struct human_text call_text(const struct call_view *view, const struct call_numbers *numbers, uint64_t ticks)
{
	bool known = ticks != CALL_TICKS_UNKNOWN && numbers->calls > numbers->open;

	return known ? human_ticks(view->profile, ticks) : plain_text("-");
}

struct human_text report_column_text(const struct call_view *view, const struct call_node *node, const struct call_numbers *numbers,
				     const struct report_column *column)
{
	bool sampled = node && node->kind == NODE_SAMPLED;
	uint64_t all = view->root->numbers.total_ticks;

	if (column->kind == COLUMN_METRIC) {
		bool times = METRICS_TIMES & 1u << column->metric;

		return sampled && times ? plain_text("") : metric_text(numbers->metrics, column);
	}
	if (column->kind == COLUMN_CALLS)
		return !node || node->kind == NODE_FUNCTION || numbers->calls ? human_count(numbers->calls) : plain_text("");
	if (sampled)
		return plain_text(""); /* its time is in its caller's self */
	switch (column->kind) {
	case COLUMN_TOTAL:
		return human_ticks(view->profile, numbers->total_ticks);
	case COLUMN_PERCENT:
		return human_percent(numbers->total_ticks, all);
	case COLUMN_SELF_PERCENT:
		return human_percent(numbers->self_ticks, all);
	case COLUMN_SELF:
		return human_ticks(view->profile, numbers->self_ticks);
	case COLUMN_AVERAGE:
		return numbers->calls ? human_ticks(view->profile, call_average_ticks(numbers)) : plain_text("-");
	case COLUMN_SPAN:
		return human_ticks(view->profile, numbers->span_ticks);
	case COLUMN_MIN:
		return call_text(view, numbers, numbers->min_ticks);
	case COLUMN_P50:
		return call_text(view, numbers, numbers->p50_ticks);
	case COLUMN_P90:
		return call_text(view, numbers, numbers->p90_ticks);
	case COLUMN_P99:
		return call_text(view, numbers, numbers->p99_ticks);
	default:
		return call_text(view, numbers, numbers->max_ticks);
	}
}

unsigned report_columns_width(const struct report_columns *columns)
{
	unsigned width = 0;

	for (size_t i = 0; i < columns->nr; i++)
		width += columns->items[i].width + 1;
	return width;
}
