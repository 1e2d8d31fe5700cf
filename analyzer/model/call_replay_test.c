/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of small runs, as text: thread:level:, then "{1@10" opens, "}1@40=30" closes, "1@20=5" is a call, "x3[2,7]" three alike of 2 to 7 ticks. */
#include "call_replay.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_fixture.h"

static const struct call_replay_options everything = { .depth = UINT64_MAX, .choice = { .to_ticks = UINT64_MAX } };

static int setup(void **state)
{
	(void)state;
	fixture_reset();
	for (uint32_t i = 0; i < 4; i++) { /* contexts 1 to 4, each below the one before, of functions 0 to 3 */
		assert_int_equal(fixture_context(i, 0x1000 * (i + 1), 0x1000 * i + 0x10), i + 1);
		fixture_function(0x1000 * (i + 1), "f");
	}
	return 0;
}

static void line_print(const struct replay_line *line, char *text, size_t bytes)
{
	static const char ends[] = { ' ', 'r', 'c', 'o' };
	char what[64];

	switch (line->kind) {
	case REPLAY_OPEN:
		snprintf(what, sizeof what, "{%u@%" PRIu64, line->id, line->ticks);
		break;
	case REPLAY_CLOSE:
		snprintf(what, sizeof what, "}%u@%" PRIu64 "=%" PRIu64, line->id, line->ticks, line->duration_ticks);
		break;
	case REPLAY_CALL:
		snprintf(what, sizeof what, "%u@%" PRIu64 "=%" PRIu64, line->id, line->ticks, line->duration_ticks);
		break;
	default:
		snprintf(what, sizeof what, "%s@%" PRIu64, line->kind == REPLAY_LOSS ? "lost" : "hole", line->ticks);
	}
	size_t used = strlen(text);
	used += (size_t)snprintf(text + used, bytes - used, "%s%u:%" PRIu64 ":%s", used ? " " : "", line->thread, line->level, what);
	if (line->calls > 1)
		used += (size_t)snprintf(text + used, bytes - used, "x%" PRIu64 "[%" PRIu64 ",%" PRIu64 "]", line->calls, line->min_ticks, line->max_ticks);
	if (line->end)
		snprintf(text + used, bytes - used, "%c", ends[line->end]);
}

static void expect(const struct call_replay_options *options, const char *expected)
{
	struct session_names *names;
	struct call_replay *replay;
	struct replay_line line;
	char text[4096] = "";
	uint64_t last = 0;
	bool end = false;

	assert_null(session_names_create(fixture_session(), fixture_symbolizer(), &names));
	assert_null(call_replay_create(fixture_session(), names, options, &replay));
	for (;;) {
		assert_null(call_replay_next(replay, &line, &end));
		if (end)
			break;
		assert_true(line.ticks >= last);
		last = line.ticks;
		line_print(&line, text, sizeof text);
	}
	call_replay_destroy(replay);
	session_names_destroy(names);
	assert_string_equal(text, expected);
}

static void test_leaf_calls_are_one_line_and_alike_ones_too(void **state)
{
	struct call_replay_options options = everything;

	(void)state;
	fixture_events(0, "e1@10 e2@20 x@25 e2@30 x@37 | e2@40 x@42 e2@50 e3@60 x@61 x@70 e2@80 x@90 x@100");
	expect(&options, "0:0:{1@10 0:1:2@20=14x3[2,7] 0:1:{2@50 0:2:3@60=1 0:1:}2@70=20 0:1:2@80=10 0:0:}1@100=90");
	options.no_merge = true;
	expect(&options, "0:0:{1@10 0:1:2@20=5 0:1:2@30=7 0:1:2@40=2 0:1:{2@50 0:2:3@60=1 0:1:}2@70=20 0:1:2@80=10 0:0:}1@100=90");
}

static void test_threads_are_merged_by_time(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@40 x@45 x@100");
	fixture_events(1, "e1@20 x@30 e1@50 e2@60 x@70 x@80");
	fixture_events(2, "e1@45 x@46");
	expect(&everything, "0:0:{1@10 1:0:1@20=10 0:1:2@40=5 2:0:1@45=1 1:0:{1@50 1:1:2@60=10 1:0:}1@80=30 0:0:}1@100=90");
}

static void test_short_calls_are_left_out(void **state)
{
	struct call_replay_options options = everything;

	(void)state;
	options.min_ticks = 10;
	fixture_events(0, "e1@10 e2@20 x@25 e2@30 e3@31 x@35 x@60 e2@61 e3@70 x@80 x@90 x@95 e1@96 x@99");
	expect(&options, "0:0:{1@10 0:1:2@30=30 0:1:{2@61 0:2:3@70=10 0:1:}2@90=29 0:0:}1@95=85");
}

static void test_a_range_shows_the_way_to_its_calls(void **state)
{
	struct call_replay_options options = everything;

	(void)state;
	options.choice.from_ticks = 30;
	options.choice.to_ticks = 60;
	fixture_events(0, "e1@10 e2@20 x@29 e2@30 e3@35 x@70 x@71 e2@75 x@80 x@95 e1@96 x@99");
	expect(&options, "0:0:{1@10 0:1:{2@30 0:2:3@35=35 0:1:}2@71=41 0:0:}1@95=85");
}

static void test_functions(void **state)
{
	const bool third[] = { false, false, true, false }, second[] = { false, true, false, false };
	struct call_replay_options options = everything;

	(void)state;
	fixture_events(0, "e1@10 e2@20 x@25 e2@30 e3@35 e4@36 x@37 x@70 x@71 x@95");
	options.choice.filter = third;
	expect(&options, "0:0:{1@10 0:1:{2@30 0:2:{3@35 0:3:4@36=1 0:2:}3@70=35 0:1:}2@71=41 0:0:}1@95=85");
	options = everything;
	options.choice.exclude = third;
	expect(&options, "0:0:{1@10 0:1:2@20=46x2[5,41] 0:0:}1@95=85");
	options = everything;
	options.choice.focus = second;
	expect(&options, "0:0:2@20=5 0:0:{2@30 0:1:{3@35 0:2:4@36=1 0:1:}3@70=35 0:0:}2@71=41");
	options.depth = 2;
	expect(&options, "0:0:2@20=5 0:0:{2@30 0:1:3@35=35 0:0:}2@71=41");
	options = everything;
	options.choice.focus = second;
	options.choice.skip_first = 1;
	expect(&options, "0:0:{2@30 0:1:{3@35 0:2:4@36=1 0:1:}3@70=35 0:0:}2@71=41");
	options.choice.from_ticks = 25; /* the first one in the range, and what it calls */
	expect(&options, "");
}

static void test_repairs_losses_and_the_end(void **state)
{
	(void)state;
	fixture_events(0, "e1@10 e2@20 R1 e2@30 x@35 L9 e1@50 e2@55");
	fixture_end(90, true);
	expect(&everything, "0:0:{1@10 0:1:2@20=10r 0:1:2@30=5 0:0:}1@35=25c 0:0:lost@35 0:0:{1@50 0:1:2@55=35o 0:0:}1@90=40o");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_leaf_calls_are_one_line_and_alike_ones_too, setup),
		cmocka_unit_test_setup(test_threads_are_merged_by_time, setup),
		cmocka_unit_test_setup(test_short_calls_are_left_out, setup),
		cmocka_unit_test_setup(test_a_range_shows_the_way_to_its_calls, setup),
		cmocka_unit_test_setup(test_functions, setup),
		cmocka_unit_test_setup(test_repairs_losses_and_the_end, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
