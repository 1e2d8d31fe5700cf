/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording from its first preparation to its last chunk. */
#ifndef CPROF_RECORD_RUN_H
#define CPROF_RECORD_RUN_H

#include "options.h"
#include "record_args.h"

enum { RECORD_NOT_STARTED = 125 }; /* exit status when cprof-record itself fails, as env(1) and timeout(1) have it */

/* *status: the target's exit status, or -N when signal N killed it; also beside an error, when it ran. */
struct cprof_error *record_run(const struct record_args *args, const struct cprof_operands *command, int *status) CPROF_MUST_CHECK;

#endif
