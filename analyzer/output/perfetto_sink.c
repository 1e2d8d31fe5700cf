/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Perfetto's trace format, written packet by packet: a few bytes per call, and no index that would have to be known at the end.
 *
 * Each thread is a packet sequence of its own: names are sent once per sequence and then stand for a number (interning), and its defaults say once
 * what the clock and the track of all its events are.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "call_sink.h"
#include "proto_writer.h"

enum { /* field numbers */
	TRACE_PACKET = 1,
	PACKET_CLOCK_SNAPSHOT = 6, PACKET_TIMESTAMP = 8, PACKET_SEQUENCE_ID = 10, PACKET_TRACK_EVENT = 11, PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13, PACKET_TIMESTAMP_CLOCK_ID = 58, PACKET_DEFAULTS = 59, PACKET_TRACK_DESCRIPTOR = 60,
	PACKET_FIRST_ON_SEQUENCE = 87,
	SNAPSHOT_CLOCKS = 1, SNAPSHOT_PRIMARY_CLOCK = 2, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2,
	DEFAULTS_TRACK_EVENT = 11, DEFAULTS_TIMESTAMP_CLOCK_ID = 58,
	TRACK_UUID = 1, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT_UUID = 5,
	PROCESS_PID = 1, PROCESS_NAME = 6,
	THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5,
	EVENT_TYPE = 9, EVENT_NAME_IID = 10, EVENT_TRACK_UUID = 11, EVENT_NAME = 23, EVENT_SOURCE_LOCATION_IID = 34,
	INTERNED_EVENT_NAMES = 2, INTERNED_SOURCE_LOCATIONS = 4,
	NAME_IID = 1, NAME_NAME = 2,
	LOCATION_IID = 1, LOCATION_FILE = 2, LOCATION_FUNCTION = 3, LOCATION_LINE = 4,
};

enum { CLOCK_REALTIME_ID = 1, CLOCK_MONOTONIC_ID = 3, CLOCK_BOOTTIME_ID = 6 };
enum { SEQUENCE_CLEARED = 1, SEQUENCE_NEEDS_STATE = 2 };
enum { SLICE_BEGIN = 1, SLICE_END = 2, INSTANT = 3 };

struct perfetto_sink {
	struct call_sink sink;
	FILE *out;
	struct call_sink_functions functions;
	uint64_t start_ns;             /* CLOCK_MONOTONIC at time 0 of the calls */
	struct proto trace, packet, message, part;
	uint32_t *interned;            /* [function], and one for what is unknown: the last sequence it was sent in */
	uint32_t sequence, pid;
	uint64_t last_uuid, process_uuid;
	bool failed;
};

static struct perfetto_sink *perfetto_of(struct call_sink *sink)
{
	return (struct perfetto_sink *)sink;
}

static void write_packet(struct perfetto_sink *perfetto)
{
	proto_message(&perfetto->trace, TRACE_PACKET, &perfetto->packet);
	perfetto->failed |= perfetto->trace.failed;
	if (!perfetto->failed)
		fwrite(perfetto->trace.bytes, 1, perfetto->trace.count, perfetto->out);
	perfetto->trace.count = 0;
}

static void put_clock(struct perfetto_sink *perfetto, unsigned id, uint64_t ns)
{
	proto_number(&perfetto->part, CLOCK_ID, id);
	proto_number(&perfetto->part, CLOCK_TIMESTAMP, ns);
	proto_message(&perfetto->message, SNAPSHOT_CLOCKS, &perfetto->part);
}

/* Readers want BOOTTIME by default. It differs from MONOTONIC by the time this machine was suspended, which only matters beside traces of others. */
static void write_clocks(struct perfetto_sink *perfetto, struct run_clock clock)
{
	put_clock(perfetto, CLOCK_MONOTONIC_ID, clock.monotonic_ns);
	put_clock(perfetto, CLOCK_BOOTTIME_ID, clock.monotonic_ns);
	put_clock(perfetto, CLOCK_REALTIME_ID, clock.realtime_ns);
	proto_number(&perfetto->message, SNAPSHOT_PRIMARY_CLOCK, CLOCK_MONOTONIC_ID);
	proto_number(&perfetto->packet, PACKET_SEQUENCE_ID, ++perfetto->sequence);
	proto_message(&perfetto->packet, PACKET_CLOCK_SNAPSHOT, &perfetto->message);
	write_packet(perfetto);
}

static void begin_process(struct call_sink *sink, uint32_t pid, const char *name)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);

	perfetto->pid = pid;
	perfetto->process_uuid = ++perfetto->last_uuid;
	proto_number(&perfetto->part, PROCESS_PID, pid);
	proto_text(&perfetto->part, PROCESS_NAME, name);
	proto_number(&perfetto->message, TRACK_UUID, perfetto->process_uuid);
	proto_message(&perfetto->message, TRACK_PROCESS, &perfetto->part);
	proto_number(&perfetto->packet, PACKET_SEQUENCE_ID, ++perfetto->sequence);
	proto_message(&perfetto->packet, PACKET_TRACK_DESCRIPTOR, &perfetto->message);
	write_packet(perfetto);
}

/* The first packet of a sequence: its track, and what holds for all that follow. */
static void begin_thread(struct call_sink *sink, uint32_t tid, const char *name)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);
	uint64_t uuid = ++perfetto->last_uuid;

	proto_number(&perfetto->packet, PACKET_SEQUENCE_ID, ++perfetto->sequence);
	proto_number(&perfetto->packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_CLEARED | SEQUENCE_NEEDS_STATE);
	proto_number(&perfetto->packet, PACKET_FIRST_ON_SEQUENCE, 1);

	proto_number(&perfetto->part, EVENT_TRACK_UUID, uuid);
	proto_number(&perfetto->message, DEFAULTS_TIMESTAMP_CLOCK_ID, CLOCK_MONOTONIC_ID);
	proto_message(&perfetto->message, DEFAULTS_TRACK_EVENT, &perfetto->part);
	proto_message(&perfetto->packet, PACKET_DEFAULTS, &perfetto->message);

	proto_number(&perfetto->part, THREAD_PID, perfetto->pid);
	proto_number(&perfetto->part, THREAD_TID, tid);
	proto_text(&perfetto->part, THREAD_NAME, name);
	proto_number(&perfetto->message, TRACK_UUID, uuid);
	proto_number(&perfetto->message, TRACK_PARENT_UUID, perfetto->process_uuid);
	proto_message(&perfetto->message, TRACK_THREAD, &perfetto->part);
	proto_message(&perfetto->packet, PACKET_TRACK_DESCRIPTOR, &perfetto->message);
	write_packet(perfetto);
}

static bool has_location(const struct perfetto_sink *perfetto, size_t index)
{
	return index < perfetto->functions.count && perfetto->functions.items[index].file;
}

/* In the packet that uses it first. Numbers from 1: 0 is no number here. */
static void intern_function(struct perfetto_sink *perfetto, size_t index)
{
	const struct call_function *function = index < perfetto->functions.count ? &perfetto->functions.items[index] : NULL;

	if (perfetto->interned[index] == perfetto->sequence)
		return;
	perfetto->interned[index] = perfetto->sequence;
	proto_number(&perfetto->part, NAME_IID, index + 1);
	proto_text(&perfetto->part, NAME_NAME, function ? function->name : "?");
	proto_message(&perfetto->message, INTERNED_EVENT_NAMES, &perfetto->part);
	if (has_location(perfetto, index)) {
		proto_number(&perfetto->part, LOCATION_IID, index + 1);
		proto_text(&perfetto->part, LOCATION_FILE, function->file);
		proto_text(&perfetto->part, LOCATION_FUNCTION, function->name);
		proto_number(&perfetto->part, LOCATION_LINE, function->line);
		proto_message(&perfetto->message, INTERNED_SOURCE_LOCATIONS, &perfetto->part);
	}
	proto_message(&perfetto->packet, PACKET_INTERNED_DATA, &perfetto->message);
}

/* The event is in message. */
static void write_event(struct perfetto_sink *perfetto, uint64_t ns)
{
	proto_number(&perfetto->packet, PACKET_TIMESTAMP, perfetto->start_ns + ns);
	proto_number(&perfetto->packet, PACKET_SEQUENCE_ID, perfetto->sequence);
	proto_number(&perfetto->packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_NEEDS_STATE);
	proto_message(&perfetto->packet, PACKET_TRACK_EVENT, &perfetto->message);
	write_packet(perfetto);
}

static void begin_call(struct call_sink *sink, uint64_t ns, uint32_t function)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);
	size_t index = function < perfetto->functions.count ? function : perfetto->functions.count;

	intern_function(perfetto, index);
	proto_number(&perfetto->message, EVENT_TYPE, SLICE_BEGIN);
	proto_number(&perfetto->message, EVENT_NAME_IID, index + 1);
	if (has_location(perfetto, index))
		proto_number(&perfetto->message, EVENT_SOURCE_LOCATION_IID, index + 1);
	write_event(perfetto, ns);
}

static void end_call(struct call_sink *sink, uint64_t ns, uint32_t function)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);

	(void)function;
	proto_number(&perfetto->message, EVENT_TYPE, SLICE_END);
	write_event(perfetto, ns);
}

static void write_note(struct call_sink *sink, uint64_t ns, const char *text)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);

	proto_number(&perfetto->message, EVENT_TYPE, INSTANT);
	proto_text(&perfetto->message, EVENT_NAME, text);
	write_event(perfetto, ns);
}

static void perfetto_destroy(struct perfetto_sink *perfetto)
{
	proto_deinit(&perfetto->trace);
	proto_deinit(&perfetto->packet);
	proto_deinit(&perfetto->message);
	proto_deinit(&perfetto->part);
	free(perfetto->interned);
	free(perfetto);
}

static struct cprof_error *finish(struct call_sink *sink)
{
	struct perfetto_sink *perfetto = perfetto_of(sink);
	bool failed = perfetto->failed;

	perfetto_destroy(perfetto);
	return failed ? &cprof_enomem : NULL;
}

static const struct call_sink_ops perfetto_ops = { begin_process, begin_thread, begin_call, end_call, write_note, finish };

struct cprof_error *perfetto_sink_create(FILE *out, struct call_sink_functions functions, struct run_clock clock, struct call_sink **ret)
{
	struct perfetto_sink *perfetto = calloc(1, sizeof *perfetto);

	if (!perfetto)
		return &cprof_enomem;
	*perfetto = (struct perfetto_sink){ .sink = { &perfetto_ops }, .out = out, .functions = functions, .start_ns = clock.monotonic_ns };
	perfetto->interned = calloc(functions.count + 1, sizeof *perfetto->interned);
	if (!perfetto->interned) {
		perfetto_destroy(perfetto);
		return &cprof_enomem;
	}
	write_clocks(perfetto, clock);
	*ret = &perfetto->sink;
	return NULL;
}
