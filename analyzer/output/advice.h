/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands out in a run and is worth a change, each with its evidence: numbers, the call path, and the command that shows more.
 *
 * No advice without data: what was not recorded is not judged, and nothing is said of less than a stated share.
 */
#ifndef CPROF_ADVICE_H
#define CPROF_ADVICE_H

#include "kernel_views.h"
#include "run_info.h"

/* Text, or the member "findings" of the object that is open. run: for the commands that show more. */
struct cprof_error *advice_show(const struct kernel_view *to, const struct run_info *run) CPROF_MUST_CHECK;

#endif
