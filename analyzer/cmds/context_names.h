/* SPDX-License-Identifier: BSD-2-Clause */
/* Function names of a trace's context and edge ids, looked up when first asked for: for the commands that go through single events. */
#ifndef CPROF_CONTEXT_NAMES_H
#define CPROF_CONTEXT_NAMES_H

#include "module_map.h"
#include "session.h"
#include "symbolizer.h"

struct context_names {
	struct symbolizer *symbolizer;
	const struct trace_tables *tables;
	struct module_map map;
	size_t trace;
	const char **names; /* by id; borrowed from the symbolizer */
};

/* The symbolizer must know the session's modules. */
struct cprof_error *context_names_init(struct context_names *names, const struct session *session, size_t trace, struct symbolizer *symbolizer) CPROF_MUST_CHECK;
void context_names_deinit(struct context_names *names);
/* "?" for an id that the trace's tables do not have. */
const char *context_names_get(struct context_names *names, uint64_t id);

#endif
