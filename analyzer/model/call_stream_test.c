/* SPDX-License-Identifier: BSD-2-Clause */
/* Every way in which a call begins and ends, as one line of text per stream. */
#include "call_stream.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_fixture.h"

static int setup(void **state)
{
	(void)state;
	fixture_reset();
	for (uint32_t i = 0; i < 4; i++) /* contexts 1 to 4, each below the one before */
		assert_int_equal(fixture_context(i, 0x1000 * (i + 1), 0x1000 * i + 0x10), i + 1);
	return 0;
}

/* "+1@10" begins, "-1@20" ends (r repaired, c cut, o open), "lost7@30", "hole@30"; depth and nesting are checked here. */
static void expect(uint32_t thread, const char *expected)
{
	static const char ends[] = { '-', 'r', 'c', 'o' };
	struct call_stream *stream;
	struct call_event event;
	uint32_t stack[64];
	uint64_t depth = 0, last = 0;
	bool end = false;
	char text[4096] = "";
	size_t used = 0;

	assert_null(call_stream_create(session_trace(fixture_session(), 0), thread, &stream));
	for (;;) {
		assert_null(call_stream_next(stream, &event, &end));
		if (end)
			break;
		assert_true(event.ticks >= last);
		last = event.ticks;
		if (event.kind == CALL_BEGIN) {
			assert_int_equal(event.depth, depth);
			stack[depth++] = event.id;
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s%u@%" PRIu64, used ? " " : "", event.inherited ? "i" : "+", event.id, event.ticks);
		} else if (event.kind == CALL_END) {
			assert_int_equal(event.depth, --depth);
			assert_int_equal(event.id, stack[depth]);
			assert_true(event.start_ticks <= event.ticks);
			used += (size_t)snprintf(text + used, sizeof text - used, " %c%u@%" PRIu64, ends[event.end], event.id, event.ticks);
		} else if (event.kind == CALL_LOSS) {
			used += (size_t)snprintf(text + used, sizeof text - used, " lost%" PRIu64 "@%" PRIu64, event.lost_events, event.ticks);
		} else {
			used += (size_t)snprintf(text + used, sizeof text - used, "%shole@%" PRIu64, used ? " " : "", event.ticks);
		}
	}
	assert_int_equal(depth, 0);
	call_stream_destroy(stream);
	assert_string_equal(text, expected);
}

static void test_plain_calls_over_chunks(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20 | e3@25 x@30 x@40 | x@50 e1@60 x@70");
	expect(0, "+1@10 +2@20 +3@25 -3@30 -2@40 -1@50 +1@60 -1@70");
}

static void test_repaired_calls_end_with_the_next_event(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20 e3@30 R2 e2@40 x@50 R1 | x@60");
	fixture_events(1, "e1@10 e2@20 R1");
	fixture_end(90, true);
	expect(0, "+1@10 +2@20 +3@30 r3@40 r2@40 +2@40 -2@50 r1@60");
	expect(1, "+1@10 +2@20 r2@90 o1@90");
}

static void test_lost_events(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20 L7 e1@90 x@95");
	expect(0, "+1@10 +2@20 c2@20 c1@20 lost7@20 +1@90 -1@95");
}

static void test_inherited_calls(void **state)
{
	(void)state;
	fixture_events(0, "I2 e1@10 e2@10 | e3@20 x@30 x@40 x@50");
	expect(0, "i1@10 i2@10 +3@20 -3@30 -2@40 -1@50");
}

static void test_open_at_the_end(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20");
	fixture_end(100, false);
	expect(0, "+1@10 +2@20 o2@100 o1@100");
}

/* 1 stays open over the hole, as a later chunk says; 2 is made and left in it; 3 is made in it and ends after it. */
static void test_hole(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20 | x@30 e2@40 x@45 e2@50 e3@55 |! x@60 x@70 x@80");
	expect(0, "+1@10 +2@20 c2@20 hole@20 +2@50 +3@55 -3@60 -2@70 -1@80");
}

static void test_columns_that_make_no_sense(void **state)
{
	static const uint8_t ids[] = { 3, 4, 200, 1 }, times[] = { 10, 10, 10 };

	(void)state;
	fixture_raw_chunk(0, ids, sizeof ids, times, sizeof times);
	expect(0, "+1@10 +2@20 c2@20 c1@20 hole@20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain_calls_over_chunks, setup),
		cmocka_unit_test_setup(test_repaired_calls_end_with_the_next_event, setup),
		cmocka_unit_test_setup(test_lost_events, setup),
		cmocka_unit_test_setup(test_inherited_calls, setup),
		cmocka_unit_test_setup(test_open_at_the_end, setup),
		cmocka_unit_test_setup(test_hole, setup),
		cmocka_unit_test_setup(test_columns_that_make_no_sense, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
