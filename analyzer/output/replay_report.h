/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a replay as text that looks like C, or as records, one in each line. */
#ifndef CPROF_REPLAY_REPORT_H
#define CPROF_REPLAY_REPORT_H

#include "call_replay.h"
#include "record_writer.h"
#include "text_style.h"

struct replay_report {
	FILE *out;
	const struct text_style *style;
	const struct session *session;
	const struct session_names *names;
	uint64_t start_ticks; /* 0 on the time axis */
	double hz;            /* 0: times are ticks */
	bool threads;         /* a column for them */
	struct record_writer record;
};

void replay_report_head(const struct replay_report *report);
void replay_report_text(const struct replay_report *report, const struct replay_line *line);
extern const char *const replay_columns[]; /* of records as CSV */
void replay_report_record(struct replay_report *report, const struct replay_line *line);

#endif
