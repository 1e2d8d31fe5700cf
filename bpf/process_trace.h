/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of a traced process, by the files that it has open: its live file while it runs. Reads the table of contexts, never events.
 */
#ifndef CPROF_PROCESS_TRACE_H
#define CPROF_PROCESS_TRACE_H

#include <stdbool.h>

#include "session.h"

struct process_trace;

/* NULL: it has no live file that could be read. generation: of META, as far as records carry it. */
struct process_trace *process_trace_create(uint32_t tgid, uint32_t generation);
/* One that has ended, by the name of its trace. NULL: there is none, or it is of another process. */
struct process_trace *process_trace_create_ended(const char *path, uint32_t tgid, uint32_t generation);
void process_trace_destroy(struct process_trace *trace);

/* Until the next refresh. */
const struct trace_tables *process_trace_tables(const struct process_trace *trace);
/* Reads them again. false: they are as they were (it has ended, or there is no memory). */
bool process_trace_refresh(struct process_trace *trace);

#endif
