/* SPDX-License-Identifier: BSD-2-Clause */
/* See mapping_events.h. */
#include "mapping_events.h"

struct cprof_error *mapping_events_open(struct mapping_events *ret)
{
	const struct perf_request request = { .pid = 0 };

	return perf_rings_open(&request, &ret->rings);
}

void mapping_events_close(struct mapping_events *events)
{
	perf_rings_close(&events->rings);
}

static void take(void *context, const struct perf_news *news, const uint64_t *frames)
{
	(void)frames;
	mapped_images_take(context, news);
}

static void drain(struct mapping_events *events, struct process_modules *modules, uint64_t until_ns)
{
	uint64_t full = events->rings.full;
	struct cprof_error *error = perf_rings_drain(&events->rings, until_ns, take, &modules->images);

	if (error || full != events->rings.full)
		process_modules_doubt(modules);
	if (error)
		modules->images.lost++;
	cprof_error_free(error);
}

uint64_t mapping_events_drain(struct mapping_events *events, struct process_modules *modules, uint64_t now_ns)
{
	if (!events->rings.nr) /* nothing is told, what can be read is read at once */
		return now_ns;
	drain(events, modules, now_ns - PERF_SETTLE_NS);
	return now_ns - PERF_SETTLE_NS;
}

void mapping_events_finish(struct mapping_events *events, struct process_modules *modules)
{
	perf_rings_stop(&events->rings);
	drain(events, modules, UINT64_MAX);
	modules->images.lost += events->rings.lost_notes + events->rings.malformed;
}
