/* SPDX-License-Identifier: BSD-2-Clause */
/* The views of --live as data: what a row is, which columns it has, what it is sorted by. */
#ifndef CPROF_LIVE_VIEW_H
#define CPROF_LIVE_VIEW_H

#include "live_model.h"

enum live_source { LIVE_PLACES, LIVE_FILES, LIVE_LOCKS, LIVE_LATENCIES };

enum live_format {
	LIVE_AS_COUNT,
	LIVE_AS_NS,
	LIVE_AS_BYTES,
	LIVE_AS_CPU,      /* ns, as percent of one CPU */
	LIVE_AS_RATE,     /* bytes, as MB/s */
	LIVE_AS_AVERAGE,  /* bytes of each */
	LIVE_AS_NS_EACH,
	LIVE_AS_ALIVE,    /* allocated and not freed, since the start */
};

struct live_column {
	const char *title;
	unsigned width;
	enum live_format format;
	size_t offset;    /* of a uint64_t in struct live_numbers */
	size_t of_offset; /* averages: of what it is divided by */
};

enum { LIVE_COLUMNS_MAX = 12 };
struct live_view {
	const char *name;           /* also the title of its tab */
	enum live_source source;
	const char *needs;          /* name of the source of records without which it is empty (record_sources.c) */
	const char *what;           /* one line: what is counted, and how sure it is */
	struct live_column columns[LIVE_COLUMNS_MAX]; /* ended by one without title */
	unsigned sorted;            /* column that it is sorted by unless said otherwise */
};

extern const struct live_view live_views[];
extern const unsigned nr_live_views;

/* What a column says of these numbers, as a number to sort by; _format() prints the same. window_ns: over which `shown` was counted. */
double live_column_value(const struct live_column *column, const struct live_numbers *shown, const struct live_numbers *total,
			 uint64_t window_ns);
void live_column_print(const struct live_column *column, const struct live_numbers *shown, const struct live_numbers *total,
		       uint64_t window_ns, char *text, size_t bytes);
unsigned live_view_columns(const struct live_view *view);

#endif
