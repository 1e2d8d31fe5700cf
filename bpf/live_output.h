/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a launched program writes to the terminal that the dashboard occupies: kept in a file without a name, shown when the terminal is free again. The
 * program never waits for us.
 */
#ifndef CPROF_LIVE_OUTPUT_H
#define CPROF_LIVE_OUTPUT_H

#include <stdint.h>

#include "error.h"

struct live_output {
	int redirections[3];         /* of the program's descriptors 0, 1, 2; -1: not redirected */
	int file, null;              /* -1: none */
	int terminal;                /* where it is shown: our own 1 or 2 */
	uint64_t shown_bytes;
};

void live_output_init(struct live_output *output);
/* Redirects what is a terminal. */
struct cprof_error *live_output_open(struct live_output *output) CPROF_MUST_CHECK;
void live_output_close(struct live_output *output);
void live_output_show(struct live_output *output); /* what is new */

#endif
