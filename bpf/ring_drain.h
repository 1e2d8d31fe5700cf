/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the records out of the ring and gives them to the file. Consumed on a timer, never polled: records do not wake anybody.
 */
#ifndef CPROF_RING_DRAIN_H
#define CPROF_RING_DRAIN_H

#include "kernel_writer.h"
#include "record_shared.h"

struct ring_buffer;

/* Sees each record before it is written. */
typedef void ring_watch(void *context, uint32_t kind, const void *record, size_t bytes);

struct ring_drain {
	struct ring_buffer *ring;
	struct kernel_writer *writer;
	ring_watch *watch;
	void *watch_context;
	uint64_t received[RING_KIND_COUNT];
	uint64_t malformed;
};

/* drain must stay where it is. */
struct cprof_error *ring_drain_open(int map, struct kernel_writer *writer, ring_watch *watch, void *watch_context, struct ring_drain *drain)
	CPROF_MUST_CHECK;
void ring_drain_close(struct ring_drain *drain);
void ring_drain_consume(struct ring_drain *drain);

#endif
