/* SPDX-License-Identifier: BSD-2-Clause */
/* Long calls are exact, short ones merge into runs, and nothing is lost on the way. */
#include "timeline.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_fixture.h"

enum { MAIN = 1, LOOP = 2, TINY = 3, OTHER = 4 };

static const struct timeline_options plenty = { .max_threads = 8, .max_rows = 16, .max_items = 10000, .to_ticks = UINT64_MAX };

static int setup(void **state)
{
	(void)state;
	fixture_reset();
	assert_int_equal(fixture_context(0, 0x1000, 0x10), MAIN);
	assert_int_equal(fixture_context(MAIN, 0x2000, 0x1010), LOOP);
	assert_int_equal(fixture_context(LOOP, 0x3000, 0x2010), TINY);
	assert_int_equal(fixture_context(LOOP, 0x4000, 0x2020), OTHER);
	fixture_function(0x1000, "main");
	fixture_function(0x2000, "loop");
	fixture_function(0x3000, "tiny");
	fixture_function(0x4000, "other");
	return 0;
}

static struct session_names *names;

static struct timeline *timeline_of(const struct timeline_options *options)
{
	struct timeline *timeline;

	assert_null(session_names_create(fixture_session(), fixture_symbolizer(), &names));
	assert_null(timeline_create(fixture_session(), names, options, &timeline));
	return timeline;
}

static void timeline_free(struct timeline *timeline)
{
	timeline_destroy(timeline);
	session_names_destroy(names);
}

/* 20 calls of 2 to 3 ticks, one of 100, 20 more; 5 ticks apart. every: so many of the short ones are other. */
static void make_loop(unsigned every)
{
	char script[4096];
	uint64_t now = 10;
	size_t used = (size_t)snprintf(script, sizeof script, "e1@1 e2@5");

	for (unsigned i = 0; i < 41; i++) {
		uint64_t ticks = i == 20 ? 100 : 2 + i % 2;

		used += (size_t)snprintf(script + used, sizeof script - used, " e%d@%" PRIu64 " x@%" PRIu64, every && i % every == 0 ? OTHER : TINY, now, now + ticks);
		now += ticks + 5;
	}
	snprintf(script + used, sizeof script - used, " x@1000 x@1001");
	fixture_events(0, script);
}

static void row_check(const struct timeline *timeline, const struct timeline_row *row)
{
	for (size_t i = 0; i < row->nr_items; i++) {
		const struct timeline_item *item = &row->items[i];
		uint64_t length = item->end_ticks - item->start_ticks;

		assert_true(item->start_ticks <= item->end_ticks);
		assert_true(!i || item->start_ticks >= row->items[i - 1].end_ticks);
		assert_true(item->busy_ticks <= length);
		if (item->calls == 1)
			assert_int_equal(item->busy_ticks, length);
		else
			assert_true(item->longest_ticks < timeline->resolution_ticks && length <= 4 * timeline->resolution_ticks);
	}
}

static void test_every_call_is_an_item_where_there_is_room(void **state)
{
	struct timeline *timeline;

	(void)state;
	make_loop(0);
	fixture_events(1, "e1@50 x@60");
	timeline = timeline_of(&plenty);
	assert_int_equal(timeline->nr_threads, 2);
	assert_int_equal(timeline->resolution_ticks, 1);
	assert_int_equal(timeline->calls, 44);
	assert_int_equal(timeline->merged_calls, 0);
	assert_int_equal(timeline->first_ticks, 1);
	assert_int_equal(timeline->last_ticks, 1001);
	assert_int_equal(timeline->threads[0].nr_rows, 3);
	assert_int_equal(timeline->threads[0].rows[2].nr_items, 41);
	assert_int_equal(timeline->threads[0].rows[2].items[20].busy_ticks, 100);
	timeline_free(timeline);
}

/* A child's: they are drawn, but another made them. */
static void test_calls_from_before_a_fork(void **state)
{
	struct timeline *timeline;

	(void)state;
	fixture_events(0, "I2 e1@0 e2@0 x@20 e2@30 x@45 x@50");
	timeline = timeline_of(&plenty);
	assert_int_equal(timeline->calls, 3);
	assert_int_equal(timeline->inherited_calls, 2);
	timeline_free(timeline);
}

static void test_short_calls_merge_and_long_ones_stay(void **state)
{
	struct timeline_options options = plenty;
	struct timeline *timeline;
	uint64_t calls = 0, busy = 0;
	bool seen_long = false;

	(void)state;
	make_loop(4);
	options.max_items = 12;
	timeline = timeline_of(&options);
	assert_true(timeline->nr_items <= 12);
	assert_int_equal(timeline->calls, 43);
	for (size_t i = 0; i < 3; i++)
		row_check(timeline, &timeline->threads[0].rows[i]);
	const struct timeline_row *row = &timeline->threads[0].rows[2];
	for (size_t i = 0; i < row->nr_items; i++) {
		calls += row->items[i].calls;
		busy += row->items[i].busy_ticks;
		seen_long |= row->items[i].calls == 1 && row->items[i].busy_ticks == 100;
		if (row->items[i].calls >= 4) { /* three of four are tiny */
			assert_int_equal(timeline_item_function(&row->items[i]), session_names_function(names, 0, TINY));
			assert_true(row->items[i].shares[0].ticks <= row->items[i].busy_ticks);
		}
	}
	assert_int_equal(calls, 41);
	assert_int_equal(busy, 100 + 20 * 2 + 20 * 3);
	assert_true(seen_long);
	assert_true(timeline->merged_calls > 30);
	timeline_free(timeline);
}

static void test_a_run_without_a_main_function_names_none(void **state)
{
	struct timeline_options options = plenty;
	struct timeline *timeline;

	(void)state;
	fixture_events(0, "e1@1 e2@5 e3@10 x@12 e4@13 x@15 e3@16 x@18 e4@19 x@21 x@1000 x@1001");
	options.max_items = 3;
	timeline = timeline_of(&options);
	const struct timeline_row *row = &timeline->threads[0].rows[2];
	assert_int_equal(row->nr_items, 1);
	assert_int_equal(row->items[0].calls, 4);
	assert_int_equal(row->items[0].busy_ticks, 8);
	assert_int_equal(row->items[0].end_ticks - row->items[0].start_ticks, 11);
	assert_int_equal(row->items[0].shares[0].ticks, 4);
	assert_int_equal(timeline_item_function(&row->items[0]), FUNCTION_NONE);
	timeline_free(timeline);
}

/* Six functions and room for four: what is said of a share is never more than the truth, and a majority is never missed. */
static void test_shares_are_lower_bounds(void **state)
{
	struct timeline_options options = plenty;
	struct timeline *timeline;
	char script[4096];
	uint64_t now = 10, truth[8] = { 0 };
	size_t used = (size_t)snprintf(script, sizeof script, "e1@1 e2@5");

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(fixture_context(LOOP, 0x5000 + 0x100 * i, 0x2030), 5 + i);
		fixture_function(0x5000 + 0x100 * i, "more");
	}
	for (unsigned i = 0; i < 60; i++) {
		unsigned which = i % 2 ? 0 : 1 + i / 2 % 5, id = which ? 4 + which : TINY, ticks = which ? 2 : 3;

		used += (size_t)snprintf(script + used, sizeof script - used, " e%u@%" PRIu64 " x@%" PRIu64, id, now, now + ticks);
		truth[which] += ticks;
		now += ticks;
	}
	snprintf(script + used, sizeof script - used, " x@100000 x@100001");
	fixture_events(0, script);
	options.max_items = 3;
	timeline = timeline_of(&options);
	const struct timeline_item *item = &timeline->threads[0].rows[2].items[0];
	assert_int_equal(timeline->threads[0].rows[2].nr_items, 1);
	assert_int_equal(item->calls, 60);
	for (size_t i = 0; i < TIMELINE_SHARES; i++)
		for (unsigned which = 0; which < 6; which++)
			if (item->shares[i].function == session_names_function(names, 0, which ? 4 + which : TINY))
				assert_true(item->shares[i].ticks <= truth[which]);
	assert_true(truth[0] > item->busy_ticks / 2);
	assert_int_equal(item->shares[0].function, session_names_function(names, 0, TINY));
	timeline_free(timeline);
}

static void test_range_depth_threads_and_marks(void **state)
{
	struct timeline_options options = plenty;
	struct timeline *timeline;

	(void)state;
	fixture_events(0, "e1@10 e2@20 e3@30 x@40 x@50 e2@60 x@70 L5 e1@80 x@90");
	fixture_events(1, "e1@10 x@15");
	fixture_events(2, "e1@62 x@66");
	options.from_ticks = 45;
	options.to_ticks = 80;
	options.max_rows = 1;
	timeline = timeline_of(&options);
	assert_int_equal(timeline->nr_threads, 2); /* the second one has ended before */
	assert_int_equal(timeline->calls, 2);
	assert_int_equal(timeline->deep_calls, 2);
	assert_int_equal(timeline->first_ticks, 45);
	assert_int_equal(timeline->last_ticks, 70);
	assert_int_equal(timeline->threads[0].rows[0].items[0].start_ticks, 10); /* not cut here */
	assert_int_equal(timeline->threads[0].nr_marks, 1);
	assert_int_equal(timeline->threads[0].marks[0].ticks, 70);
	assert_int_equal(timeline->threads[0].marks[0].lost_events, 5);
	timeline_free(timeline);
	options = plenty;
	options.max_threads = 1;
	timeline = timeline_of(&options);
	assert_int_equal(timeline->nr_threads, 1);
	assert_int_equal(timeline->hidden_threads, 2);
	timeline_free(timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_call_is_an_item_where_there_is_room, setup),
		cmocka_unit_test_setup(test_calls_from_before_a_fork, setup),
		cmocka_unit_test_setup(test_short_calls_merge_and_long_ones_stay, setup),
		cmocka_unit_test_setup(test_a_run_without_a_main_function_names_none, setup),
		cmocka_unit_test_setup(test_shares_are_lower_bounds, setup),
		cmocka_unit_test_setup(test_range_depth_threads_and_marks, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
