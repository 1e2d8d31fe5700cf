/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Profiles made by hand for the tests of the renderers. 1 tick = 1 ns. No trace, no symbols, no model.
 */
#ifndef CPROF_PROFILE_FIXTURE_H
#define CPROF_PROFILE_FIXTURE_H

#include "profile.h"

/* An empty root. It ends the test program when there is no memory. */
struct profile *profile_fixture_create(void);
void profile_fixture_destroy(struct profile *profile);
/* A context below parent (NULL: the root); site "file.c:12" or NULL. Every call takes the same time. */
struct call_node *profile_fixture_add(struct profile *profile, struct call_node *parent, const char *function, const char *site, uint64_t calls,
				      uint64_t self_ticks);
struct call_node *profile_fixture_add_thread(struct profile *profile, const char *name);
/* Totals, spans, single calls, functions and the order of children, from calls and self times. */
void profile_fixture_finish(struct profile *profile);

#endif
