/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_view.h. */
#include "live_view.h"

#include <stdio.h>
#include <string.h>

#include "human.h"

#define FIELD(field) offsetof(struct live_numbers, field)
#define COLUMN(title, width, format, field) { title, width, format, FIELD(field), 0 }
#define EACH(title, width, format, field, count) { title, width, format, FIELD(field), FIELD(count) }
#define BLOCKED(title, class) { title, 9, LIVE_AS_NS, FIELD(blocked_ns) + (class) * sizeof(uint64_t), 0 }

const struct live_view live_views[] = {
	{ "cpu",
	  LIVE_PLACES,
	  "cpu",
	  "time on the CPU: sampled; all else: counted, exact",
	  { COLUMN("CPU %", 6, LIVE_AS_CPU, sampled_ns), COLUMN("samples", 8, LIVE_AS_COUNT, samples),
	    COLUMN("off-CPU", 9, LIVE_AS_NS, off_cpu_ns), COLUMN("run queue", 9, LIVE_AS_NS, runq_ns),
	    COLUMN("faults", 8, LIVE_AS_COUNT, faults), COLUMN("alloc", 9, LIVE_AS_BYTES, alloc_bytes), COLUMN("I/O", 9, LIVE_AS_NS, io_ns),
	    COLUMN("lock", 9, LIVE_AS_NS, wait_ns) },
	  0 },
	{ "off-cpu",
	  LIVE_PLACES,
	  "off-cpu",
	  "time blocked, by reason: exact; a wait counts when it ends",
	  { COLUMN("off-CPU", 9, LIVE_AS_NS, off_cpu_ns), COLUMN("times", 8, LIVE_AS_COUNT, switches),
	    COLUMN("longest", 9, LIVE_AS_NS, off_cpu_max_ns), COLUMN("run queue", 9, LIVE_AS_NS, runq_ns),
	    BLOCKED("lock", CPROF_BLOCKED_FUTEX), BLOCKED("disk", CPROF_BLOCKED_DISK), BLOCKED("file", CPROF_BLOCKED_FILE),
	    BLOCKED("poll", CPROF_BLOCKED_POLL), BLOCKED("sleep", CPROF_BLOCKED_SLEEP), BLOCKED("other", CPROF_BLOCKED_OTHER) },
	  0 },
	{ "memory",
	  LIVE_PLACES,
	  "memory",
	  "allocations: exact; freed and alive: of what was allocated here",
	  { COLUMN("MB/s", 8, LIVE_AS_RATE, alloc_bytes), COLUMN("count", 10, LIVE_AS_COUNT, allocs),
	    COLUMN("bytes", 9, LIVE_AS_BYTES, alloc_bytes), EACH("average", 9, LIVE_AS_AVERAGE, alloc_bytes, allocs),
	    COLUMN("freed", 9, LIVE_AS_BYTES, freed_bytes), COLUMN("alive", 9, LIVE_AS_ALIVE, alloc_bytes) },
	  0 },
	{ "io",
	  LIVE_PLACES,
	  "io",
	  "system calls on files and sockets, requests of block devices: exact",
	  { COLUMN("calls", 9, LIVE_AS_COUNT, io_calls), COLUMN("time", 9, LIVE_AS_NS, io_ns), COLUMN("longest", 9, LIVE_AS_NS, io_max_ns),
	    COLUMN("bytes", 9, LIVE_AS_BYTES, io_bytes), COLUMN("requests", 8, LIVE_AS_COUNT, requests),
	    COLUMN("dev time", 9, LIVE_AS_NS, request_ns), COLUMN("dev bytes", 9, LIVE_AS_BYTES, request_bytes) },
	  1 },
	{ "latency",
	  LIVE_LATENCIES,
	  "io",
	  "latency of I/O: every call and request counted, exact",
	  { { NULL, 0, LIVE_AS_COUNT, 0, 0 } },
	  0 },
	{ "files",
	  LIVE_FILES,
	  "io",
	  "I/O by file: exact",
	  { COLUMN("calls", 9, LIVE_AS_COUNT, io_calls), COLUMN("time", 9, LIVE_AS_NS, io_ns),
	    EACH("average", 9, LIVE_AS_NS_EACH, io_ns, io_calls), COLUMN("longest", 9, LIVE_AS_NS, io_max_ns),
	    COLUMN("bytes", 9, LIVE_AS_BYTES, io_bytes) },
	  1 },
	{ "locks",
	  LIVE_LOCKS,
	  "locks",
	  "waits for locks, who waited and who held: exact; a wait counts when it ends",
	  { COLUMN("waits", 9, LIVE_AS_COUNT, waits), COLUMN("time", 9, LIVE_AS_NS, wait_ns),
	    EACH("average", 9, LIVE_AS_NS_EACH, wait_ns, waits), COLUMN("longest", 9, LIVE_AS_NS, wait_max_ns) },
	  1 },
};
const unsigned nr_live_views = sizeof live_views / sizeof *live_views;

unsigned live_view_columns(const struct live_view *view)
{
	unsigned columns = 0;

	while (columns < LIVE_COLUMNS_MAX && view->columns[columns].title)
		columns++;
	return columns;
}

static uint64_t field(const struct live_numbers *numbers, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)numbers + offset, sizeof value);
	return value;
}

double live_column_value(const struct live_column *column, const struct live_numbers *shown, const struct live_numbers *total,
			 uint64_t window_ns)
{
	double value = (double)field(shown, column->offset);

	switch (column->format) {
	case LIVE_AS_CPU:
		return window_ns ? 100 * value / (double)window_ns : 0;
	case LIVE_AS_RATE:
		return window_ns ? value * 1e9 / (double)window_ns : 0;
	case LIVE_AS_AVERAGE:
	case LIVE_AS_NS_EACH:
		return field(shown, column->of_offset) ? value / (double)field(shown, column->of_offset) : 0;
	case LIVE_AS_ALIVE:
		return total->alloc_bytes > total->freed_bytes ? (double)(total->alloc_bytes - total->freed_bytes) : 0;
	case LIVE_AS_COUNT:
	case LIVE_AS_NS:
	case LIVE_AS_BYTES:
		break;
	}
	return value;
}

void live_column_print(const struct live_column *column, const struct live_numbers *shown, const struct live_numbers *total,
		       uint64_t window_ns, char *text, size_t bytes)
{
	double value = live_column_value(column, shown, total, window_ns);

	if (value <= 0) {
		snprintf(text, bytes, "-");
		return;
	}
	switch (column->format) {
	case LIVE_AS_COUNT:
		snprintf(text, bytes, "%s", human_count((uint64_t)value).text);
		break;
	case LIVE_AS_NS:
	case LIVE_AS_NS_EACH:
		snprintf(text, bytes, "%s", human_ns((uint64_t)value).text);
		break;
	case LIVE_AS_BYTES:
	case LIVE_AS_AVERAGE:
	case LIVE_AS_ALIVE:
		if (value < 1000)
			snprintf(text, bytes, "%.0f B", value);
		else
			snprintf(text, bytes, "%s", human_bytes((uint64_t)value).text);
		break;
	case LIVE_AS_CPU:
		snprintf(text, bytes, "%.1f", value);
		break;
	case LIVE_AS_RATE:
		snprintf(text, bytes, value < 9950000 ? "%.2f" : "%.1f", value / 1e6);
		break;
	}
}
