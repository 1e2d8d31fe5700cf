/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for the places of the live view, while the processes run.
 *
 * A context's function comes from the process's own live file, which it has mapped (/proc/PID/maps says where), or from its trace once that has
 * ended; code outside of contexts from the files that the process has mapped, or /proc/kallsyms. What is not known stays a number. Names are looked up
 * when a place is shown for the first time, in the thread that draws: reading ELF and DWARF may take its time.
 */
#ifndef CPROF_LIVE_NAMES_H
#define CPROF_LIVE_NAMES_H

#include "error.h"
#include "live_model.h"

struct live_names;
struct trace_tables; /* session.h */

struct live_label { /* text ids; equal ids, equal names */
	uint32_t function;
	uint32_t path;      /* the function, and who called it as far as is known */
};

/* trace_path: of the process that is launched or attached to; borrowed; or NULL. */
struct cprof_error *live_names_create(const char *trace_path, struct live_names **ret) CPROF_MUST_CHECK;
void live_names_destroy(struct live_names *names);

/* Takes over what the model collected for names, and lets each process that has contexts be looked at again. */
void live_names_refresh(struct live_names *names, struct live_model *model);
/* The newest tables of a process with the runtime, until the next call. NULL: they cannot be read. */
const struct trace_tables *live_names_tables(struct live_names *names, uint32_t tgid, uint32_t generation);
struct live_label live_names_label(struct live_names *names, const struct live_model *model, const struct live_key *key);
const char *live_names_text(const struct live_names *names, uint32_t id); /* until live_names_destroy() */

#endif
