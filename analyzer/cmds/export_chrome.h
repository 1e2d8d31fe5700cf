/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every call of a trace as Chrome trace events (Perfetto, chrome://tracing, speedscope): the only export with the run's time axis.
 *
 * Times in a thread are made strictly increasing by 1 ns where they are equal: readers close nested slices in the wrong order otherwise.
 */
#ifndef CPROF_EXPORT_CHROME_H
#define CPROF_EXPORT_CHROME_H

#include <stdio.h>

#include "session.h"
#include "symbolizer.h"

/* Beyond this no known reader opens the file. */
#define EXPORT_CHROME_MAX_BYTES (400u << 20)

/* force: write it however large it becomes. */
struct cprof_error *export_chrome(FILE *out, struct session *session, struct symbolizer *symbolizer, bool force) CPROF_MUST_CHECK;

#endif
