/* SPDX-License-Identifier: BSD-2-Clause */
/* Ingest every line, then compress the shard in blocks. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "huffman.h"
#include "line.h"

static struct stats *stats_of(struct worker *worker, const struct slice *path)
{
	uint32_t number = dict_intern(&worker->paths, path->start, path->bytes)->value;

	if (number >= worker->stats_capacity) {
		size_t capacity = worker->stats_capacity ? worker->stats_capacity * 2 : 64;

		worker->stats = must_grow(worker->stats, capacity * sizeof(*worker->stats));
		memset(worker->stats + worker->stats_capacity, 0, (capacity - worker->stats_capacity) * sizeof(*worker->stats));
		worker->stats_capacity = capacity;
	}
	return &worker->stats[number];
}

static void ingest_line(struct worker *worker, const struct line *line)
{
	if (!line->status) {
		worker->malformed++;
		return;
	}
	stats_add(stats_of(worker, &line->path), line->status, line->sent_bytes, line->latency_us);
	session_track(&worker->sessions, line);
	text_index_add(&worker->index, (uint32_t)worker->lines, line->words);
}

static void ingest(struct worker *worker)
{
	const char *cursor = worker->text;
	struct line line;

	while (line_next(&cursor, worker->text + worker->text_bytes, &line)) {
		ingest_line(worker, &line);
		worker->lines++;
	}
}

static void compress(struct worker *worker)
{
	enum { BLOCK_BYTES = 65536 };

	for (size_t at = 0; at < worker->text_bytes; at += BLOCK_BYTES) {
		size_t rest = worker->text_bytes - at;

		worker->coded_bytes += huffman_encode(worker->text + at, rest < BLOCK_BYTES ? rest : BLOCK_BYTES, &worker->checksum);
	}
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	ingest(worker);
	compress(worker);
	return NULL;
}

void worker_start(struct worker *worker, const char *text, size_t text_bytes)
{
	memset(worker, 0, sizeof(*worker));
	worker->text = text;
	worker->text_bytes = text_bytes;
	worker->checksum = 0xcbf29ce484222325u;
	dict_init(&worker->paths, &worker->arena, 64, true);
	session_table_init(&worker->sessions, &worker->arena);
	text_index_init(&worker->index, &worker->arena);
	if (pthread_create(&worker->thread, NULL, worker_main, worker)) {
		fprintf(stderr, "logstat: cannot start a thread\n");
		exit(1);
	}
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
}

void worker_deinit(struct worker *worker)
{
	for (size_t i = 0; i < worker->stats_capacity; i++)
		stats_deinit(&worker->stats[i]);
	free(worker->stats);
	dict_deinit(&worker->paths);
	session_table_deinit(&worker->sessions);
	text_index_deinit(&worker->index);
	arena_deinit(&worker->arena);
}
