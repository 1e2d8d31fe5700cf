/* SPDX-License-Identifier: BSD-2-Clause */
/* See perf_recording.h. */
#include "perf_recording.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "perf_waits.h"
#include "record_clock.h"
#include "record_report.h"

static void state_set(struct source_state *states, const char *name, bool on, const char *why)
{
	struct source_state *state = record_source_state(states, name);

	state->on = state->wanted && on;
	if (state->wanted)
		snprintf(state->why, sizeof state->why, "%s", why);
}

static void states_set(const struct record_args *args, bool kernel, struct source_state *states)
{
	state_set(states, "cpu", true, kernel ? "by perf events" : "by perf events: user code alone");
	record_source_state(states, "cpu")->value = (uint32_t)(args->interval_ns ? 1000000000u / args->interval_ns : args->frequency_hz);
	state_set(states, "off-cpu", true, "by perf events: a reason where it lasts 15 ms, never who ended it");
	record_source_state(states, "cpu")->only = record_source_state(states, "faults")->only = kernel ? 0 : CPROF_SOURCE_USER;
	record_source_state(states, "off-cpu")->value = 0; /* no threshold: all are recorded */
	state_set(states, "faults", true, kernel ? "by perf events" : "by perf events: of user code alone");
}

struct cprof_error *perf_recording_open(const struct record_args *args, uint32_t pid, struct source_state *states, struct perf_recording *ret)
{
	uint64_t period_ns = args->interval_ns ? args->interval_ns : 1000000000u / args->frequency_hz;
	struct perf_request request = { .pid = pid, .switches = true,
					.running = args->pid != 0, .period_ns = record_source_state(states, "cpu")->wanted ? period_ns : 0,
					.faults = record_source_state(states, "faults")->wanted };
	struct cprof_error *error;

	*ret = (struct perf_recording){ .args = args };
	error = perf_rings_open(&request, &ret->rings);
	if (error)
		return error;
	ret->threads = (struct perf_threads){ .period_ns = period_ns, .max_samples = args->max_samples,
					      .off_cpu = record_source_state(states, "off-cpu")->wanted };
	states_set(args, ret->rings.kernel, states);
	return NULL;
}

void perf_recording_start(struct perf_recording *recording, struct kernel_writer *writer, struct kernel_symbols *symbols, uint32_t pid, uint64_t now_ns)
{
	recording->writer = recording->threads.writer = writer;
	recording->threads.modules = &recording->modules;
	recording->modules.images.everyone = true; /* of whom the rings tell */
	recording->symbols = symbols;
	if (recording->args->pid)
		perf_threads_adopt(&recording->threads, pid, now_ns);
	else
		perf_threads_expect(&recording->threads, pid, (uint32_t)getpid());
}

static void take(void *context, const struct perf_news *news, const uint64_t *frames)
{
	struct perf_recording *recording = context;

	if (news->in_kernel)
		kernel_symbols_note(recording->symbols, news->ip);
	for (size_t i = 0; i < news->nr_kernel; i++)
		kernel_symbols_note(recording->symbols, frames[i]);
	mapped_images_take(&recording->modules.images, news);
	perf_threads_take(&recording->threads, news, frames);
}

static void drain(struct perf_recording *recording, uint64_t until_ns)
{
	uint64_t full = recording->rings.full;
	struct cprof_error *error = perf_rings_drain(&recording->rings, until_ns, take, recording);

	if (full != recording->rings.full)
		process_modules_doubt(&recording->modules);
	if (recording->failed)
		cprof_error_free(error);
	else
		recording->failed = error;
}

void perf_recording_tick(struct perf_recording *recording, uint64_t now_ns)
{
	drain(recording, now_ns - PERF_SETTLE_NS);
	perf_waits_look(&recording->threads, now_ns);
	process_modules_write(&recording->modules, recording->writer, now_ns, now_ns - PERF_SETTLE_NS);
}

uint64_t perf_recording_window(struct perf_recording *recording, uint64_t now_ns)
{
	uint64_t until_ns = now_ns - PERF_SETTLE_NS;

	perf_threads_say_open(&recording->threads, until_ns);
	return until_ns;
}

uint64_t perf_recording_finish(struct perf_recording *recording, uint64_t *end_ns)
{
	const struct perf_threads *threads = &recording->threads;
	struct kernel_writer *writer = recording->writer;
	uint64_t unnamed = 0, lost = 0;
	struct cprof_error *error;

	perf_rings_stop(&recording->rings);
	*end_ns = record_clock_ns(CLOCK_MONOTONIC); /* nothing can come after it */
	drain(recording, UINT64_MAX);
	perf_threads_finish(&recording->threads, *end_ns);
	process_modules_write(&recording->modules, writer, *end_ns, UINT64_MAX);
	error = kernel_symbols_write(recording->symbols, writer, &unnamed);
	if (!recording->failed)
		recording->failed = error;
	else
		cprof_error_free(error);
	record_report_counter(writer, "samples.received", threads->samples, false, &lost);
	record_report_counter(writer, "samples.lost", recording->rings.lost_samples, true, &lost);
	record_report_counter(writer, "samples.over-limit", threads->samples_over_limit, true, &lost);
	record_report_counter(writer, "off-cpu.received", threads->intervals, false, &lost);
	record_report_counter(writer, "faults.received", threads->faults, false, &lost);
	record_report_counter(writer, "faults.lost", recording->rings.lost_faults, true, &lost);
	record_report_counter(writer, "switches.unseen", threads->switches_unseen, true, &lost);
	record_report_counter(writer, "switches.lost", recording->rings.lost_notes, true, &lost);
	record_report_counter(writer, "perf-events.malformed", recording->rings.malformed, true, &lost);
	record_report_counter(writer, "tasks.no-memory", threads->no_memory, true, &lost);
	record_report_counter(writer, "kernel-symbols.unnamed", unnamed, true, &lost);
	record_report_counter(writer, "mappings.lost", recording->modules.images.lost, true, &lost);
	record_report_counter(writer, "modules.unread", recording->modules.unread, true, &lost);
	return lost;
}

void perf_recording_close(struct perf_recording *recording)
{
	perf_rings_close(&recording->rings);
	perf_threads_deinit(&recording->threads);
	process_modules_deinit(&recording->modules);
	cprof_error_free(recording->failed);
	recording->failed = NULL;
}
