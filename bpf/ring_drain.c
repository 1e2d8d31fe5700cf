/* SPDX-License-Identifier: BSD-2-Clause */
/* See ring_drain.h. */
#include "ring_drain.h"

#include <bpf/libbpf.h>
#include <errno.h>

static const uint32_t chunk_kinds[] = {
#define CPROF_X(name, chunk, word) CPROF_CHUNK_##chunk,
	RING_KINDS(CPROF_X)
#undef CPROF_X
};

static int take(void *context, void *data, size_t bytes)
{
	struct ring_drain *drain = context;
	const struct ring_head *head = data;

	if (bytes < sizeof *head || head->kind >= RING_KIND_COUNT) {
		drain->malformed++;
		return 0;
	}
	const uint8_t *record = (const uint8_t *)data + sizeof *head;
	size_t record_bytes = bytes - sizeof *head;

	drain->received[head->kind]++;
	if (drain->watch)
		drain->watch(drain->watch_context, head->kind, record, record_bytes);
	kernel_writer_add(drain->writer, chunk_kinds[head->kind], record, record_bytes);
	return 0;
}

struct cprof_error *ring_drain_open(int map, struct kernel_writer *writer, ring_watch *watch, void *watch_context, struct ring_drain *drain)
{
	*drain = (struct ring_drain){ .writer = writer, .watch = watch, .watch_context = watch_context };
	drain->ring = ring_buffer__new(map, take, drain, NULL);
	return drain->ring ? NULL : cprof_error_os(errno, NULL, "map the ring");
}

void ring_drain_close(struct ring_drain *drain)
{
	ring_buffer__free(drain->ring);
	drain->ring = NULL;
}

void ring_drain_consume(struct ring_drain *drain)
{
	ring_buffer__consume(drain->ring);
}
