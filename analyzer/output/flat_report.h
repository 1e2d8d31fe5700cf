/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of functions as text, JSON or CSV. */
#ifndef CPROF_FLAT_REPORT_H
#define CPROF_FLAT_REPORT_H

#include "call_rows.h"
#include "json_writer.h"
#include "report_columns.h"
#include "text_style.h"

/* With wide, every column; otherwise those that leave room for names. `hidden` rows follow those given: said in a last line. */
void flat_report_text(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count,
		      size_t hidden, bool wide);
/* The same with the columns that were asked for. */
void flat_report_columns(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count, size_t hidden,
			 const struct report_columns *chosen);
/* Items of an array. thread: their "thread", or NULL. */
void flat_report_json(struct json_writer *json, const char *thread, const struct call_view *view, const struct call_row *rows, size_t count);
/* recorded: profile.metrics. by_thread: the first column is the thread's. */
void flat_report_csv_head(FILE *out, uint32_t recorded, bool by_thread);
void flat_report_csv(FILE *out, const char *thread, const struct call_view *view, const struct call_row *rows, size_t count);

#endif
