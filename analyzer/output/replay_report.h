/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a replay as text that looks like C, or as JSON objects, one in each line. */
#ifndef CPROF_REPLAY_REPORT_H
#define CPROF_REPLAY_REPORT_H

#include "call_replay.h"
#include "json_writer.h"
#include "text_style.h"

struct replay_report {
	FILE *out;
	const struct text_style *style;
	const struct session *session;
	const struct session_names *names;
	uint64_t start_ticks; /* 0 on the time axis */
	double hz;            /* 0: times are ticks */
	bool threads;         /* a column for them */
};

void replay_report_head(const struct replay_report *report);
void replay_report_text(const struct replay_report *report, const struct replay_line *line);
void replay_report_json(const struct replay_report *report, const struct replay_line *line);

#endif
