/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session and a symbolizer made of what a test says, behind the interfaces of trace/ and symbols/.
 *
 * Link a test with this and neither of them is used: columns can hold anything, names and inline chains are the test's choice. Events are written as text:
 *
 *	fixture_events(0, "e1@10 e2@20 x@30 | x@40");
 *
 * eN@T enter of N; x@T exit; x>N@T exit that says it returns to N; "|" ends a chunk; "|!" ends one that is lost; RN LN IN UN escapes
 * (REPAIR, LOST, INHERIT, UNMATCHED) with payload N. A chunk's header and closed column follow from what came before, as a writer knows it.
 */
#ifndef CPROF_MODEL_FIXTURE_H
#define CPROF_MODEL_FIXTURE_H

#include "profile.h"
#include "session.h"
#include "symbolizer.h"

void fixture_reset(void);
void fixture_add_trace(void); /* what follows belongs to a further trace; the first is there already */

/* A context whose function is at address; the call site's return address is call_site. Nothing is inlined there unless a chain says so. */
uint32_t fixture_context(uint32_t parent, uint64_t address, uint64_t call_site);
uint32_t fixture_edge(uint32_t parent, uint32_t target, uint64_t call_site);
struct cprof_context *fixture_record(uint32_t id);
void fixture_function(uint64_t address, const char *name);
/* The inline chain of the call before return_address: innermost first, "function file:line:column" each, NULL at the end. */
void fixture_chain(uint64_t return_address, ...) __attribute__((sentinel));

void fixture_events(uint32_t thread, const char *script);
/* A chunk of any columns. */
void fixture_raw_chunk(uint32_t thread, const void *ids, size_t ids_bytes, const void *times, size_t times_bytes);
void fixture_end(uint64_t end_tsc, bool clean);

struct session *fixture_session(void);
struct symbolizer *fixture_symbolizer(void);
/* Builds the profile; fails the test on an error. */
struct profile *fixture_profile(bool unroll, bool by_thread);

/* The node on a path of names below the root: "main/work/leaf". NULL: none. A name may be followed by ":line" of its site. */
const struct call_node *fixture_node(const struct profile *profile, const char *path);
const struct call_function *fixture_flat(const struct profile *profile, const char *name);
uint64_t fixture_pair(const struct profile *profile, const char *caller, const char *callee); /* "" as caller: outside */
/* What is true of every profile: selfs add up, totals are self + children, children are in order, calls agree. */
void fixture_check(const struct profile *profile);
/* What is said of functions is the same without nodes. options: of the profile. */
void fixture_check_functions(const struct profile *profile, struct profile_options options);

#endif
