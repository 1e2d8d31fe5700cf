/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source "memory": by the interposer or by probes (memory_target.h), as it is chosen for the target; the probes' links.
 *
 * Links are made by the system call itself (BPF_TRACE_UPROBE_MULTI): it needs no right but those that BPF needs, all functions are one link, and the libbpf of
 * Debian 12 does not know it yet.
 */
#ifndef CPROF_MEMORY_PROBES_H
#define CPROF_MEMORY_PROBES_H

#include "memory_target.h"
#include "record_programs.h"

struct memory_probes {
	struct memory_target target;
	int links[2]; /* entries, returns; 0: none */
};

enum { MEMORY_BY_INTERPOSER = 1, MEMORY_BY_PROBES = 2 }; /* value of the source */

/* Before the programs are loaded and the target is made: decides, and has a launched program preload the interposer if that is it. */
void memory_probes_choose(const struct record_args *args, char **command, struct source_state *states, struct memory_probes *ret);
/* With the target there, or 0: any process. */
void memory_probes_attach(struct memory_probes *probes, const struct record_programs *programs, uint32_t pid, struct source_state *states);
void memory_probes_detach(struct memory_probes *probes);

#endif
