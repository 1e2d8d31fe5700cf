/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_without.h. */
#include "record_without.h"

#include <stdio.h>

#include "memory_probes.h"
#include "record_clock.h"

static void off(struct source_state *states, const char *name, const char *why)
{
	struct source_state *state = record_source_state(states, name);

	state->on = false;
	if (state->wanted)
		snprintf(state->why, sizeof state->why, "%s", why);
}

static void memory_state_set(struct source_state *memory)
{
	memory->on = memory->wanted && memory->elsewhere;
	memory->value = MEMORY_BY_INTERPOSER;
	if (memory->wanted && !memory->on && !memory->why[0])
		snprintf(memory->why, sizeof memory->why, "needs BPF, or a program built with cprof-cc");
}

void record_without_choose(const struct record_args *args, char **command, struct source_state *states, struct record_without *ret)
{
	*ret = (struct record_without){ .args = args };
	calls_recording_choose(args, command, states, &ret->calls);
}

struct cprof_error *record_without_open(struct record_without *without, uint32_t pid, struct source_state *states)
{
	struct cprof_error *error = perf_recording_open(without->args, pid, states, &without->perf);

	if (error && error->code != CPROF_ERROR_UNSUPPORTED)
		return error;
	without->by_perf = !error;
	without->by_calls = calls_recording_open(&without->calls, states);
	if (error && !without->by_calls)
		return error;
	without->no_perf = error;
	off(states, "block", "needs BPF");
	memory_state_set(record_source_state(states, "memory"));
	if (without->by_perf)
		return NULL;
	off(states, "cpu", "needs BPF or perf events");
	off(states, "off-cpu", "needs BPF or perf events");
	off(states, "faults", "needs BPF or perf events");
	return NULL;
}

struct cprof_error *record_without_start(struct record_without *without, struct kernel_writer *writer, struct kernel_symbols *symbols, uint32_t pid, uint64_t now_ns)
{
	without->writer = writer;
	without->next_window_ns = now_ns + without->args->window_ns;
	if (without->by_perf)
		perf_recording_start(&without->perf, writer, symbols, pid, now_ns);
	return without->by_calls ? calls_recording_start(&without->calls, writer, pid, !without->by_perf) : NULL;
}

void record_without_tick(struct record_without *without, uint64_t now_ns)
{
	uint64_t until_ns = now_ns;

	if (without->by_perf)
		perf_recording_tick(&without->perf, now_ns);
	if (without->by_calls)
		calls_recording_tick(&without->calls, now_ns);
	if (now_ns < without->next_window_ns)
		return;
	if (without->by_calls)
		calls_recording_window(&without->calls);
	if (without->by_perf)
		until_ns = perf_recording_window(&without->perf, now_ns);
	kernel_writer_flush(without->writer, until_ns);
	without->next_window_ns = now_ns + without->args->window_ns;
}

void record_without_target_ends(struct record_without *without)
{
	if (without->by_calls)
		calls_recording_target_ends(&without->calls);
}

uint64_t record_without_finish(struct record_without *without, uint64_t *end_ns, struct cprof_error **failed)
{
	uint64_t lost = 0;

	*end_ns = record_clock_ns(CLOCK_MONOTONIC);
	*failed = NULL;
	if (without->by_calls)
		lost += calls_recording_finish(&without->calls, *end_ns);
	if (without->by_perf) {
		lost += perf_recording_finish(&without->perf, end_ns);
		*failed = without->perf.failed;
		without->perf.failed = NULL;
	}
	return lost;
}

void record_without_close(struct record_without *without)
{
	if (without->by_perf)
		perf_recording_close(&without->perf);
	without->by_perf = without->by_calls = false;
	calls_recording_close(&without->calls);
	cprof_error_free(without->no_perf);
	without->no_perf = NULL;
}
