/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_sources.h. */
#include "record_sources.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OPTION(field) offsetof(struct record_args, field)
#define PROGRAMS(...) (const char *const[]){ __VA_ARGS__, NULL }

/* The scheduler's programs are here because slots and totals of threads need them, whether or not off-CPU records are wanted. */
const char *const record_base_programs[] = { "process_exec", "process_fork", "process_exit", "register_by_prctl", "register_by_syscall",
					     "tasks_walk", "sched_switched", "sched_left", "sched_woken", NULL };

const struct record_source record_sources[] = {
	{ "cpu", OPTION(cpu), true, PROGRAMS("cpu_sampled"), "CPU samples" },
	{ "off-cpu", OPTION(off_cpu), true, PROGRAMS("sched_switched"), "time off the CPU, with its reason" },
	{ "io", OPTION(io), false, PROGRAMS("syscall_entered", "syscall_left"), "file I/O by system call and file" },
	{ "block", OPTION(io), false, PROGRAMS("block_started", "block_issued", "block_merged", "block_completed"), "requests of block devices" },
	{ "locks", OPTION(locks), false, PROGRAMS("syscall_entered", "syscall_left"), "waits for locks, with who held them" },
	{ "memory", OPTION(memory), false, PROGRAMS("memory_entered", "memory_returned"), "allocations" },
	{ "faults", OPTION(faults), true, PROGRAMS("fault_user", "fault_kernel"), "page faults" },
};
const size_t nr_record_sources = sizeof record_sources / sizeof *record_sources;

struct source_state *record_source_state(struct source_state *states, const char *name)
{
	for (size_t i = 0; i < nr_record_sources; i++)
		if (strcmp(record_sources[i].name, name) == 0)
			return &states[i];
	return NULL;
}

static struct cprof_error *choose_named(const char *names, struct source_state *states)
{
	while (*names) {
		size_t length = strcspn(names, ",");
		char name[32];

		snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), names);
		struct source_state *state = record_source_state(states, name);

		if (!state) {
			char known[128] = "";
			size_t used = 0;

			for (size_t i = 0; i < nr_record_sources && used < sizeof known; i++)
				used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", record_sources[i].name);
			return cprof_error_create(CPROF_ERROR_USAGE, "--events: '%s' is not one of %s", name, known);
		}
		state->wanted = true;
		names += length + (names[length] == ',');
	}
	return NULL;
}

struct cprof_error *record_sources_choose(const struct record_args *args, struct source_state *states)
{
	bool any = args->all || args->events;
	struct cprof_error *error = args->events ? choose_named(args->events, states) : NULL;

	for (size_t i = 0; i < nr_record_sources; i++) {
		const bool *asked = (const bool *)((const char *)args + record_sources[i].option);

		states[i].wanted |= *asked || args->all;
		any |= *asked;
	}
	for (size_t i = 0; !any && i < nr_record_sources; i++)
		states[i].wanted = record_sources[i].by_default;
	for (size_t i = 0; i < nr_record_sources; i++)
		if (!states[i].wanted)
			snprintf(states[i].why, sizeof states[i].why, "not asked for");
	return error;
}
