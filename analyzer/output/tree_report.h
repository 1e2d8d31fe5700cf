/* SPDX-License-Identifier: BSD-2-Clause */
/* The calling-context tree as text, JSON or CSV. Depth is limited by memory only: nothing here recurses. */
#ifndef CPROF_TREE_REPORT_H
#define CPROF_TREE_REPORT_H

#include "call_view.h"
#include "json_writer.h"
#include "report_columns.h"
#include "text_style.h"

struct tree_limits {
	double min_percent; /* of the root: smaller children are folded into one line */
	uint64_t depth;     /* levels below the root; UINT64_MAX: all */
};

/* The columns of what was recorded, as many as leave room for names. */
void tree_report_columns(const struct profile *profile, unsigned width, struct report_columns *ret);
/* columns NULL: those. wide: recursion in numbers, not just as a mark. */
struct cprof_error *tree_report_text(FILE *out, const struct text_style *style, const struct call_view *view, const struct tree_limits *limits,
				     const struct report_columns *columns, bool wide) CPROF_MUST_CHECK;
/* The root's object as value of key. min_percent and depth leave nodes out: their time stays in their callers' totals. */
void tree_report_json(struct json_writer *json, const char *key, const struct call_view *view, const struct tree_limits *limits);
/* One line per context, callers first, with its depth. */
void tree_report_csv(FILE *out, const struct call_view *view, const struct tree_limits *limits);

/* Whether limits let a child be seen. */
bool tree_shows(const struct call_view *view, const struct tree_limits *limits, const struct call_node *node, size_t depth);

/* "file.c:88", or "module+0x1234" where lines are not known, or "": where the node was called from, without folders. */
struct site_text {
	char text[128];
};
struct site_text call_site_text(const struct call_node *node);

#endif
