/* SPDX-License-Identifier: BSD-2-Clause */
/* The first answer: what ran, how well it was recorded, where the time went, what to look at next. For people only. */
#ifndef CPROF_OVERVIEW_REPORT_H
#define CPROF_OVERVIEW_REPORT_H

#include "call_view.h"
#include "run_info.h"

struct cprof_error *overview_report_text(FILE *out, const struct text_style *style, const struct run_info *run, const struct call_view *view,
					 size_t functions, size_t paths) CPROF_MUST_CHECK;

/* The hottest call paths as an array: of each its numbers, and its functions with the places that called them, outermost first. */
struct cprof_error *overview_report_paths_json(struct json_writer *json, const char *key, const struct call_view *view, size_t paths) CPROF_MUST_CHECK;

#endif
