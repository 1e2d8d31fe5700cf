/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The BPF object: opened, sized, loaded with the programs of the sources that are wanted, attached. A source whose programs this kernel
 * refuses is turned off with the reason; only the base programs are indispensable.
 */
#ifndef CPROF_RECORD_PROGRAMS_H
#define CPROF_RECORD_PROGRAMS_H

#include "record_shared.h"
#include "record_sources.h"

struct programs_bpf; /* the skeleton */
struct bpf_link;
struct bpf_program;

struct record_programs {
	struct programs_bpf *object;
	struct bpf_link *links[32];
	size_t nr_links;
};

/* An error of kind CPROF_ERROR_UNSUPPORTED: the kernel or our rights do not allow BPF at all; the message says what to do. */
struct cprof_error *record_programs_load(const struct record_args *args, const struct record_settings *settings, struct source_state *states,
					 struct record_programs *ret) CPROF_MUST_CHECK;
struct cprof_error *record_programs_attach(struct record_programs *programs, struct source_state *states) CPROF_MUST_CHECK;
void record_programs_detach(struct record_programs *programs);
void record_programs_deinit(struct record_programs *programs);

/*
 * All is attached: tasks are followed from now on. walk: those that are there already are met, twice: a task of which the first time a record could not be made is
 * met the second time.
 */
struct cprof_error *record_programs_meet(struct record_programs *programs, bool walk) CPROF_MUST_CHECK;
/* Runs the walk over all tasks; say: each followed one says its totals. */
struct cprof_error *record_programs_walk(struct record_programs *programs, bool say) CPROF_MUST_CHECK;
/* Calls that the kernel left out because a program of ours was running already on that CPU; the name of the program at index, NULL: no more. */
const char *record_programs_missed(const struct record_programs *programs, size_t index, uint64_t *missed);
int record_programs_map(const struct record_programs *programs, const char *name); /* descriptor */

#endif
