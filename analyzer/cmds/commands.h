/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of cprof-analyze. Each stands in a file of its own with its options; main.c lists them. */
#ifndef CPROF_COMMANDS_H
#define CPROF_COMMANDS_H

#include "options.h"

extern const struct cprof_command overview_command, tree_command, flat_command, info_command, dump_command, check_command, recover_command,
	flamegraph_command, icicle_command, callers_command, callees_command, callgraph_command, threads_command, export_command;
extern const struct cprof_command off_cpu_command, locks_command, io_command, memory_command, leaks_command, cpu_command, why_command, advise_command;
extern const struct cprof_command doctor_command, replay_command, timeline_command;

#endif
