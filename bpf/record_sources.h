/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources of kernel data: what each is called, which option asks for it, which BPF programs it needs. A new source is a row here.
 */
#ifndef CPROF_RECORD_SOURCES_H
#define CPROF_RECORD_SOURCES_H

#include <stddef.h>

#include "error.h"
#include "record_args.h"

struct record_source {
	const char *name;                  /* in KERNEL_SOURCES and --events */
	size_t option;                     /* offset of the bool in struct record_args that asks for it */
	bool by_default;
	const char *const *programs;       /* names, ended by NULL */
	const char *what;                  /* for the line at the start */
};

enum { RECORD_SOURCES_MAX = 16 };

struct source_state {
	bool wanted, on;
	bool elsewhere;                    /* recorded in the target itself: no program of ours is needed */
	uint32_t only;                     /* on: CPROF_SOURCE_CALLS or _USER where it is not all */
	uint32_t value;                    /* as in cprof_kernel_source */
	char why[96];                      /* not on: why; on: how, where that differs */
};

extern const struct record_source record_sources[];
extern const size_t nr_record_sources;
/* Programs that every recording needs: without them there is none. */
extern const char *const record_base_programs[];

/* Which are wanted: those named, or the default ones. */
struct cprof_error *record_sources_choose(const struct record_args *args, struct source_state *states) CPROF_MUST_CHECK;
/* The state of the source of that name, NULL: no such source. */
struct source_state *record_source_state(struct source_state *states, const char *name);

#endif
