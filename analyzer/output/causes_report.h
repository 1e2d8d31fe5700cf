/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the slowest calls of a function are slow, as text or JSON. */
#ifndef CPROF_CAUSES_REPORT_H
#define CPROF_CAUSES_REPORT_H

#include <stdio.h>

#include "call_causes.h"
#include "json_writer.h"
#include "text_style.h"

struct causes_report {
	const char *function;
	const struct call_causes *causes;
	const struct session *session;
	const struct session_names *names;
	uint64_t start_ticks;
	double hz;
};

void causes_report_text(FILE *out, const struct text_style *style, const struct causes_report *report);
void causes_report_json(struct json_writer *json, const struct causes_report *report); /* members of the object that is open */

#endif
