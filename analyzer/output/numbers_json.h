/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of one context or function as every JSON result has them, and the columns of every CSV. */
#ifndef CPROF_NUMBERS_JSON_H
#define CPROF_NUMBERS_JSON_H

#include "json_writer.h"
#include "profile.h"

/* "calls", "open", "repaired", "span_ns", "wall_ns", what was recorded of call_metrics.h, "call_ns": members of the object that is open. */
void numbers_json(struct json_writer *json, const struct profile *profile, const struct call_numbers *numbers);

#define NUMBERS_CSV_HEADER "calls,open,repaired,self_ns,total_ns,span_ns,min_ns,p50_ns,p90_ns,p99_ns,max_ns"
void numbers_csv(FILE *out, const struct profile *profile, const struct call_numbers *numbers);
/* More columns at the end of a line, each with a comma before it: self and total of each metric that was recorded. */
void metrics_csv_header(FILE *out, uint32_t recorded);
void metrics_csv(FILE *out, uint32_t recorded, const struct call_metrics *metrics);
/* Quoted as RFC 4180 wants it; NULL is empty. Control characters other than a newline become '?'. */
void csv_text(FILE *out, const char *text);

#endif
