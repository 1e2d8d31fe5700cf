/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns of numbers that tree and flat show as text: chosen by name (--columns), or those that fit what was recorded. */
#ifndef CPROF_REPORT_COLUMNS_H
#define CPROF_REPORT_COLUMNS_H

#include "call_view.h"
#include "human_ticks.h"
#include "text_style.h"

enum column_kind {
	COLUMN_TOTAL, COLUMN_PERCENT, COLUMN_SELF, COLUMN_SELF_PERCENT, COLUMN_CALLS, COLUMN_AVERAGE, COLUMN_MIN, COLUMN_P50, COLUMN_P90, COLUMN_P99, COLUMN_MAX,
	COLUMN_SPAN, COLUMN_METRIC
};

struct report_column {
	enum column_kind kind;
	enum call_metric metric;
	bool of_self;          /* of a metric: without what was called */
	unsigned width;        /* at least the head's; the caller widens it to what it shows */
};

enum { REPORT_COLUMNS_MAX = 64 };

struct report_columns {
	struct report_column items[REPORT_COLUMNS_MAX];
	size_t nr;
};

/* What the words of --columns are, for its help. */
#define REPORT_COLUMNS_HELP \
	"numbers to show, separated by commas: total, %, self, %self, calls, avg, min, p50, p90, p99, max, span; and, where recorded, each also as NAME.self: cpu, runq, blocked " \
	"(blocked:lock, :disk, :file, :poll, :sleep, :other), stopped, unexplained, samples, sampled, alloc, allocs, freed, leaked, io, io-time, lock, faults, switches"

/* list: NAME,NAME,... What was not recorded (a bit of `recorded`) or does not exist is an error that says so. */
struct cprof_error *report_columns_parse(const char *list, uint32_t recorded, struct report_columns *ret) CPROF_MUST_CHECK;
void report_columns_add(struct report_columns *columns, enum column_kind kind);
void report_columns_add_metric(struct report_columns *columns, enum call_metric metric, bool of_self);

const char *report_column_head(const struct report_column *column, char *room, size_t room_bytes);
/* "-" where it is not known, "" where there can be none. */
struct human_text report_column_text(const struct call_view *view, const struct call_node *node, const struct call_numbers *numbers,
				     const struct report_column *column);
void report_column_widen(struct report_column *column, const char *text);
/* Of a line: all columns, each with a blank behind it. */
unsigned report_columns_width(const struct report_columns *columns);

#endif
