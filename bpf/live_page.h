/* SPDX-License-Identifier: BSD-2-Clause */
/* A page of --live as lines of text: for a terminal of some size, or to be printed. Pure. */
#ifndef CPROF_LIVE_PAGE_H
#define CPROF_LIVE_PAGE_H

#include "live_control.h"
#include "record_sources.h"
#include "text_style.h"

enum live_line_kind { LIVE_LINE_PLAIN, LIVE_LINE_TITLE, LIVE_LINE_HEAD, LIVE_LINE_DIM, LIVE_LINE_BAD };

struct live_line {
	char *text;
	enum live_line_kind kind;
};

struct live_page {
	struct live_line *lines;
	size_t count, capacity;
	bool failed;                 /* no memory: lines are missing */
};

/* What the recorder knows of itself at the end of a window. */
struct live_status {
	const char *target;          /* command, "process 17", "the system" */
	const struct source_state *sources;
	uint64_t elapsed_ns;
	uint64_t lost;               /* since the start, all counters of losses */
	char lost_most[40];          /* the counter of most of them */
	uint64_t own_cpu_ns, own_wall_ns; /* of the recorder in the last window */
	bool ended;                  /* the target has */
	bool slow_exact;             /* I/O of 10 ms and more was recorded one by one */
};

/* A page of height lines; 0: as many as there are, with at most `rows` rows. Says in control how many rows fit and where scrolling ends. */
void live_page_make(struct live_page *page, const struct text_style *style, unsigned height, size_t rows,
		    const struct live_snapshot *snapshot, const struct live_status *status, const struct live_namer *namer,
		    struct live_control *control);
void live_page_deinit(struct live_page *page);

#endif
