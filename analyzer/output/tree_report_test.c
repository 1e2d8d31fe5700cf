/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree as people see it at 80 columns, and its bounds. The C locale: ASCII. */
#include "tree_report.h"
#include "call_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flat_report.h"
#include "profile_fixture.h"

static const struct text_style plain = { .width = 80 };

static char *tree_text(const struct profile *profile, double min_percent, uint64_t depth)
{
	struct call_view_options options = { 0 };
	struct tree_limits limits = { min_percent, depth };
	struct call_view view;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_null(call_view_create(profile, &options, &view));
	assert_null(tree_report_text(out, &plain, &view, &limits, NULL, true));
	fclose(out);
	call_view_destroy(&view);
	return text;
}

static struct profile *make_profile(void)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *top = profile_fixture_add(profile, NULL, "main", NULL, 1, 12345678);
	struct call_node *run = profile_fixture_add(profile, top, "run", "main.c:660", 1234567, 551230000);
	struct call_node *get = profile_fixture_add(profile, run, "get", "run.c:123", 45678901, 223000000);

	profile_fixture_add(profile, get, "get_text", "table.c:512", 4567890, 33000000);
	profile_fixture_add(profile, run, "a_function_with_a_name_that_is_much_longer_than_the_room_for_it", "a_file_with_a_long_name.cpp:1023", 99,
			    83000000);
	profile_fixture_add(profile, run, "evil\033[31m\nname\xFF", "t.c:1", 1, 20000000);
	profile_fixture_add(profile, run, "small", "t.c:1", 7, 4000);
	profile_fixture_add(profile, run, "smaller", "t.c:2", 7, 40);
	profile_fixture_finish(profile);
	run->recursive_calls = 12345;
	run->numbers.span_ticks += 1000000;
	run->numbers.open = 1;
	return profile;
}

static void test_text(void **state)
{
	struct profile *profile = make_profile();
	char *text = tree_text(profile, 1, UINT64_MAX);

	(void)state;
	assert_string_equal(text,
			    "   total      %     self      calls  function                        called from\n"
			    "922.6 ms  100.0        0             all threads\n"
			    "922.6 ms  100.0 12.35 ms          1  main\n"
			    "910.2 ms   98.7 551.2 ms  1,234,567  `-run                            main.c:660\n"
			    "                                         (+12,345 recursive calls,\n"
			    "                                         span 911.2 ms, 1 not ended)\n"
			    "256.0 ms   27.7 223.0 ms 45,678,901    |-get                           run.c:123\n"
			    "33.00 ms    3.6 33.00 ms  4,567,890    | `-get_text                  table.c:512\n"
			    "83.00 ms    9.0 83.00 ms         99    |-a_functio..om_for_it a_file_w..cpp:1023\n"
			    "20.00 ms    2.2 20.00 ms          1    `-evil?[31m?name?                   t.c:1\n");
	free(text);
	profile_fixture_destroy(profile);
}

static void test_depth_folds(void **state)
{
	struct profile *profile = make_profile();
	char *text = tree_text(profile, 0, 2);

	(void)state;
	assert_non_null(strstr(text, "(5 more, 38.9 %)\n"));
	assert_null(strstr(text, "get"));
	free(text);
	profile_fixture_destroy(profile);
}

static struct profile *make_deep(size_t levels)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *node = NULL;

	for (size_t i = 0; i < levels; i++)
		node = profile_fixture_add(profile, node, "f", "f.c:1", 1, 1);
	profile_fixture_finish(profile);
	return profile;
}

static void test_deep_trees_stay_within_their_columns(void **state)
{
	struct profile *profile = make_deep(100000);
	char *text = tree_text(profile, 0, UINT64_MAX);
	size_t lines = 0;

	(void)state;
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1, lines++)
		assert_true(strcspn(line, "\n") <= 80);
	assert_int_equal(lines, 100002);
	assert_non_null(strstr(text, "[99999] f"));
	free(text);
	profile_fixture_destroy(profile);
}

static void test_deep_trees_as_json_are_balanced(void **state)
{
	enum { LEVELS = 100000 };
	struct profile *profile = make_deep(LEVELS);
	struct call_view_options options = { 0 };
	struct tree_limits limits = { 0, UINT64_MAX };
	struct call_view view;
	struct json_writer json;
	char *text = NULL;
	size_t bytes, depth = 0, deepest = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_null(call_view_create(profile, &options, &view));
	json_init(&json, out);
	tree_report_json(&json, NULL, &view, &limits);
	fclose(out);
	for (size_t i = 0; i < bytes; i++) { /* no name here holds a bracket */
		depth += text[i] == '{' || text[i] == '[';
		deepest = depth > deepest ? depth : deepest;
		if (text[i] == '}' || text[i] == ']')
			assert_true(depth-- > 0);
	}
	assert_int_equal(depth, 0);
	assert_int_equal(deepest, 2 * (LEVELS + 1));
	call_view_destroy(&view);
	free(text);
	profile_fixture_destroy(profile);
}

static void test_json_of_a_node(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct call_view_options options = { 0 };
	struct tree_limits limits = { 0, UINT64_MAX };
	struct call_node *node = profile_fixture_add(profile, NULL, "f\"", "dir/f.c:12", 4, 40);
	struct call_view view;
	struct json_writer json;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	profile_fixture_finish(profile);
	node->recursive_calls = 2;
	assert_null(call_view_create(profile, &options, &view));
	json_init(&json, out);
	tree_report_json(&json, NULL, &view, &limits);
	fclose(out);
	assert_string_equal(text, "{\"name\":\"all threads\",\"kind\":\"root\",\"site\":null,\"calls\":0,\"open\":0,\"repaired\":0,\"span_ns\":40,"
				  "\"wall_ns\":{\"self\":0,\"total\":40},\"call_ns\":null,\"fraction\":1,\"children\":[\n"
				  "{\"name\":\"f\\\"\",\"kind\":\"function\",\"site\":{\"file\":\"dir/f.c\",\"line\":12,\"column\":0},\"calls\":4,\"open\":0,"
				  "\"repaired\":0,\"span_ns\":40,\"wall_ns\":{\"self\":40,\"total\":40},"
				  "\"call_ns\":{\"min\":10,\"max\":10,\"p50\":10,\"p90\":10,\"p99\":10},\"recursive_calls\":2,\"fraction\":1,\"children\":[]}]}");
	call_view_destroy(&view);
	free(text);
	profile_fixture_destroy(profile);
}

static void test_flat_text(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { 0 };
	struct call_view view;
	struct call_row *rows;
	char *text = NULL;
	size_t bytes, count;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_null(call_view_create(profile, &options, &view));
	assert_null(call_rows_create(&view, CALL_SORT_CALLS, &rows, &count));
	flat_report_text(out, &plain, &view, rows, 3, count - 3, false);
	fclose(out);
	assert_string_equal(text, " %self     self    total      calls      avg      p99  function\n"
				  "  24.2 223.0 ms 256.0 ms 45,678,901     6 ns     5 ns  get\n"
				  "   3.6 33.00 ms 33.00 ms  4,567,890     7 ns     7 ns  get_text\n"
				  "  59.7 551.2 ms 910.2 ms  1,234,567   737 ns   737 ns  run\n"
				  "(5 more)\n");
	free(rows);
	call_view_destroy(&view);
	free(text);
	profile_fixture_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_depth_folds),
		cmocka_unit_test(test_deep_trees_stay_within_their_columns),
		cmocka_unit_test(test_deep_trees_as_json_are_balanced),
		cmocka_unit_test(test_json_of_a_node),
		cmocka_unit_test(test_flat_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
