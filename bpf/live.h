/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cprof-record --live: a dashboard over what is being recorded, or text at each window where there is no terminal.
 *
 * The thread that drains only adds to the model; names, drawing and keys have a thread of their own, so that neither a slow terminal nor a large DWARF
 * keeps records waiting. What goes to the file is the same as without.
 */
#ifndef CPROF_LIVE_H
#define CPROF_LIVE_H

#include "error.h"
#include "record_args.h"
#include "record_observer.h"
#include "record_sources.h"

struct live;

/* All pointers are borrowed until live_destroy(). command: NULL, none is launched. */
struct cprof_error *live_create(const struct record_args *args, char **command, const struct source_state *sources,
				struct live **ret) CPROF_MUST_CHECK;
void live_destroy(struct live *live);

/* For record_launch_start(): what the program gets instead of the terminal that the dashboard has; -1: keeps what it has. */
const int *live_redirections(const struct live *live);
struct cprof_error *live_start(struct live *live, uint64_t start_ns) CPROF_MUST_CHECK;
/* After the last window: gives the terminal back and prints the sums of all the time, as text. */
void live_stop(struct live *live);
const struct record_observer *live_observer(struct live *live);
/* From the draining thread, now and then. true: the user has left, or nobody reads the text any more. What the program wrote meanwhile is shown then. */
bool live_is_over(struct live *live);

#endif
