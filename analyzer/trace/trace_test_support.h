/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of this folder: a thread's events as one flat array, to be compared with another reading of the same events.
 */
#ifndef CPROF_TRACE_TEST_SUPPORT_H
#define CPROF_TRACE_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "event_decoder.h"
#include "session.h"
#include "trace_builder.h"

struct event_list {
	struct event_item *items;
	size_t nr;
	size_t chunks, holes, bad_chunks;
};

/* Fails the test on errors other than in the columns. */
static inline struct event_list read_events(struct trace *trace, uint32_t thread)
{
	struct event_list list = { 0 };
	struct trace_cursor *cursor;

	assert_null(trace_cursor_create(trace, thread, &cursor));
	for (;;) {
		struct events_chunk chunk;
		struct event_decoder decoder;
		bool end;

		assert_null(trace_cursor_next(cursor, &chunk, &end));
		if (end)
			break;
		list.chunks++;
		list.holes += chunk.hole_before;
		decoder = event_decoder_make(&chunk);
		list.items = realloc(list.items, (list.nr + chunk.header.items + 1) * sizeof *list.items);
		assert_non_null(list.items);
		for (;;) {
			struct cprof_error *error = event_decoder_next(&decoder, &list.items[list.nr], &end);

			if (error)
				list.bad_chunks++;
			cprof_error_free(error);
			if (error || end)
				break;
			list.nr++;
		}
	}
	trace_cursor_destroy(cursor);
	return list;
}

static inline void assert_item(const struct event_item *item, enum event_kind kind, uint32_t id, uint64_t ticks)
{
	assert_int_equal(item->kind, kind);
	assert_int_equal(item->id, id);
	assert_int_equal(item->ticks, ticks);
}

static inline void assert_same_events(const struct event_list *left, const struct event_list *right)
{
	assert_int_equal(left->nr, right->nr);
	for (size_t i = 0; i < left->nr; i++) {
		assert_item(&left->items[i], right->items[i].kind, right->items[i].id, right->items[i].ticks);
		assert_int_equal(left->items[i].payload, right->items[i].payload);
	}
}

/* A name in the build folder that only this test uses. */
static inline const char *test_path(const char *test)
{
	static char path[256];

	snprintf(path, sizeof path, "%s.%d.tmp.lz4", test, (int)getpid());
	return path;
}

static inline void remove_test_files(const char *path)
{
	char live_path[300];

	snprintf(live_path, sizeof live_path, "%s.live", path);
	unlink(path);
	unlink(live_path);
}

static inline struct session *open_built(struct trace_builder *builder, const char *path)
{
	struct session *session;

	trace_builder_write(builder, path);
	struct cprof_error *error = session_open(&path, 1, &session);

	if (error)
		cprof_error_print(error, "test");
	assert_null(error);
	return session;
}

#endif
