/* SPDX-License-Identifier: BSD-2-Clause */
/* One shard of the log, worked on by one thread from beginning to end; shards share nothing. */
#ifndef WORKER_H
#define WORKER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dict.h"
#include "session.h"
#include "stats.h"
#include "text_index.h"

struct worker {
	pthread_t thread;
	const char *text; /* of the shard; ends at a line's end */
	size_t text_bytes;
	struct arena arena;
	struct dict paths;
	struct stats *stats; /* by the path's number */
	size_t stats_capacity;
	struct session_table sessions;
	struct text_index index;
	uint64_t lines, malformed, coded_bytes, checksum;
};

void worker_start(struct worker *worker, const char *text, size_t text_bytes);
void worker_join(struct worker *worker);
void worker_deinit(struct worker *worker);

#endif
