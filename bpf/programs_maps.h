/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the loaded object is used by name. */
#ifndef CPROF_PROGRAMS_MAPS_H
#define CPROF_PROGRAMS_MAPS_H

#include "record_programs.h"

enum { PROGRAMS_UPROBE_MULTI = 48 }; /* BPF_TRACE_UPROBE_MULTI, which Debian 12 has no name for */

struct bpf_program *programs_sampler(const struct record_programs *programs);
int programs_memory_entered(const struct record_programs *programs); /* descriptors */
int programs_memory_returned(const struct record_programs *programs);
volatile uint32_t *programs_sums_active(const struct record_programs *programs); /* the programs' own variables */
volatile uint32_t *programs_sums_keys(const struct record_programs *programs); /* two, of the even and the odd copy */
/* Adds a process to those that are followed. */
struct cprof_error *programs_follow(const struct record_programs *programs, const struct process_record *process) CPROF_MUST_CHECK;

#endif
