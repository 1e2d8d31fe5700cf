/* SPDX-License-Identifier: BSD-2-Clause */
/* See calls_recording.h. */
#include "calls_recording.h"

#include <stdio.h>
#include <string.h>

#include "guest_library.h"
#include "kernel_format.h"
#include "record_report.h"

static uint32_t wanted_sources(struct source_state *states)
{
	return (record_source_state(states, "io")->wanted ? CPROF_CALLS_IO : 0) | (record_source_state(states, "locks")->wanted ? CPROF_CALLS_LOCKS : 0);
}

static struct cprof_error *choose(const struct record_args *args, char **command, uint32_t sources, struct calls_recording *recording)
{
	struct cprof_error *error;

	if (!command)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "a program that runs already cannot be preloaded; needs BPF");
	error = guest_library_check(command[0]);
	if (error)
		return error;
	if (!guest_library_find("libcprof-calls.so", recording->library))
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "libcprof-calls.so is not where cprof is installed; needs BPF without it");
	error = calls_memfd_create(args, sources, &recording->memory);
	if (error)
		recording->library[0] = '\0';
	return error;
}

void calls_recording_choose(const struct record_args *args, char **command, struct source_state *states, struct calls_recording *ret)
{
	uint32_t sources = wanted_sources(states);
	struct cprof_error *error;

	*ret = (struct calls_recording){ .memory = { .fd = -1, .scan = -1 } };
	if (!sources)
		return;
	error = choose(args, command, sources, ret);
	if (error)
		snprintf(ret->why, sizeof ret->why, "%s", error->message);
	cprof_error_free(error);
}

static void state_set(struct source_state *state, const struct calls_recording *recording, const char *how)
{
	if (!state->wanted)
		return;
	state->on = recording->library[0] != '\0';
	state->only = state->on ? CPROF_SOURCE_CALLS : 0;
	snprintf(state->why, sizeof state->why, "%s", state->on ? how : recording->why);
}

bool calls_recording_open(struct calls_recording *recording, struct source_state *states)
{
	state_set(record_source_state(states, "io"), recording, "calls of libc's functions, by file; not stdio's own");
	state_set(record_source_state(states, "locks"), recording, "waits in libc's functions, with who held them");
	return recording->library[0] != '\0';
}

struct cprof_error *calls_recording_start(struct calls_recording *recording, struct kernel_writer *writer, uint32_t pid, bool alone)
{
	struct cprof_error *error;

	calls_processes_init(&recording->memory, writer, pid, alone, &recording->processes);
	error = calls_drain_open(&recording->memory, writer, &recording->processes, &recording->drain);
	if (error)
		calls_processes_deinit(&recording->processes);
	recording->open = !error;
	return error;
}

void calls_recording_tick(struct calls_recording *recording, uint64_t now_ns)
{
	calls_drain_records(&recording->drain, now_ns, false);
}

void calls_recording_window(struct calls_recording *recording)
{
	calls_drain_sums(&recording->drain);
}

void calls_recording_target_ends(struct calls_recording *recording)
{
	if (recording->open)
		calls_processes_ask(&recording->processes);
}

static uint64_t counter(const uint64_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

uint64_t calls_recording_finish(struct calls_recording *recording, uint64_t now_ns)
{
	const struct calls_drain *drain = &recording->drain;
	struct kernel_writer *writer = drain->writer;
	const struct cprof_calls_header *header = recording->memory.at;
	uint64_t lost = 0;

	calls_memfd_stop(&recording->memory, now_ns);
	calls_processes_ask(&recording->processes); /* it may still run */
	calls_drain_records(&recording->drain, now_ns, true);
	calls_recording_window(recording);

	struct calls_tally tally = calls_processes_tally(&recording->processes);

	record_report_counter(writer, "calls.produced", drain->tail + counter(&header->records_lost), false, &lost);
	record_report_counter(writer, "calls.received", drain->records, false, &lost);
	record_report_counter(writer, "calls.lost", counter(&header->records_lost), true, &lost);
	record_report_counter(writer, "calls.unfinished", drain->unfinished, true, &lost);
	record_report_counter(writer, "calls.malformed", drain->malformed, true, &lost);
	record_report_counter(writer, "sums.received", drain->received, false, &lost);
	record_report_counter(writer, "sums.lost", counter(&header->rows_full), true, &lost);
	record_report_counter(writer, "files.received", drain->files, false, &lost);
	record_report_counter(writer, "files.table-full", counter(&header->files_full), true, &lost);
	record_report_counter(writer, "processes.table-full", counter(&header->processes_full) + recording->processes.unsaid, true, &lost);
	record_report_counter(writer, "processes.other-namespace", counter(&header->foreign), true, &lost);
	record_report_counter(writer, "calls.processes", tally.processes, false, &lost);
	if (!tally.asked)
		return lost;
	record_report_counter(writer, "calls.reads-of-kernel", tally.kernel.reads, false, &lost);
	record_report_counter(writer, "calls.reads-seen", tally.seen.reads, false, &lost);
	record_report_counter(writer, "calls.writes-of-kernel", tally.kernel.writes, false, &lost);
	record_report_counter(writer, "calls.writes-seen", tally.seen.writes, false, &lost);
	return lost;
}

void calls_recording_close(struct calls_recording *recording)
{
	if (recording->open) {
		calls_drain_close(&recording->drain);
		calls_processes_deinit(&recording->processes);
	}
	recording->open = false;
	calls_memfd_close(&recording->memory);
}
