/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of a view: the places of a snapshot with their names, grouped, filtered and sorted. Pure: names come through a struct of functions. */
#ifndef CPROF_LIVE_ROWS_H
#define CPROF_LIVE_ROWS_H

#include "live_names.h"
#include "live_view.h"

enum live_group { LIVE_BY_FUNCTION, LIVE_BY_PATH, LIVE_BY_PROCESS, LIVE_GROUPS };

struct live_namer {
	void *context;
	struct live_label (*label)(void *context, const struct live_model *model, const struct live_key *key);
	const char *(*text)(void *context, uint32_t id);
};

struct live_choice {
	unsigned view;               /* index in live_views */
	enum live_group group;
	bool total;                  /* since the start, not the last window */
	unsigned sorted;             /* column */
	bool upward;                 /* smallest first */
	const char *filter;          /* part of a name, of a caller's or of the process; "" or NULL: all */
};

struct live_row {
	uint32_t tgid, name;         /* name: text id, 0: see text */
	char process[16];
	struct live_numbers shown, total;
	char *text;                  /* owned */
	bool unclassed;              /* text calls a lock a futex: of what kind it is was not seen so far */
};

struct live_rows {
	struct live_row *rows;
	size_t count, capacity;
	uint64_t window_ns;          /* over which `shown` was counted */
	struct live_numbers all;     /* of what was not filtered out */
	bool several;                /* there is more than one process */
};

/* false: no memory; ret is empty then. */
bool live_rows_build(const struct live_snapshot *snapshot, const struct live_namer *namer, const struct live_choice *choice,
		     struct live_rows *ret);
void live_rows_deinit(struct live_rows *rows);

#endif
