/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions and call sites of every context id of a session, for whatever goes through single calls. Functions are the same number in all traces of
 * the session. The session and the symbolizer, which must know the session's modules, must outlive it.
 */
#ifndef CPROF_SESSION_NAMES_H
#define CPROF_SESSION_NAMES_H

#include "call_registry.h"
#include "context_map.h"

struct session_names {
	struct module_map modules;
	struct text_store store;
	struct call_registry registry;
	struct context_map *maps; /* of each trace */
	size_t nr_maps;
};

struct cprof_error *session_names_create(const struct session *session, struct symbolizer *symbolizer, struct session_names **ret) CPROF_MUST_CHECK;
void session_names_destroy(struct session_names *names);

uint32_t session_names_function(const struct session_names *names, size_t trace, uint32_t id); /* FUNCTION_NONE: nothing is known */
const char *session_names_text(const struct session_names *names, uint32_t function); /* "?" of FUNCTION_NONE */
/* Where the call is made; an edge has its own. NULL: not known at all. */
const struct call_site *session_names_site(const struct session_names *names, size_t trace, uint32_t id);

#endif
