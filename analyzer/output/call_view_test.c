/* SPDX-License-Identifier: BSD-2-Clause */
/* A view never breaks total = self + totals of the children. */
#include "call_view.h"
#include "call_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile_fixture.h"

/*
 * main 10 -> a 20 -> d 5 (5 calls)
 *         -> b:1 30 -> c 7
 *         -> b:2 40 -> d 11 (5 calls)
 */
static struct profile *make_profile(void)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *top = profile_fixture_add(profile, NULL, "main", NULL, 1, 10);
	struct call_node *a = profile_fixture_add(profile, top, "a", "app.c:1", 1, 20);
	struct call_node *b1 = profile_fixture_add(profile, top, "b", "app.c:2", 1, 30);
	struct call_node *b2 = profile_fixture_add(profile, top, "b", "app.c:3", 1, 40);

	profile_fixture_add(profile, a, "d", "app.c:4", 5, 5);
	profile_fixture_add(profile, b1, "c", "app.c:5", 1, 7);
	profile_fixture_add(profile, b2, "d", "app.c:6", 5, 11);
	profile_fixture_finish(profile);
	return profile;
}

static void assert_adds_up(const struct call_view *view)
{
	size_t depth = 0, nodes = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth)) {
		uint64_t sum = node->numbers.self_ticks;

		for (const struct call_node *child = node->first_child; child; child = child->next_sibling) {
			assert_ptr_equal(child->parent, node);
			sum += child->numbers.total_ticks;
		}
		assert_int_equal(sum, node->numbers.total_ticks);
		nodes++;
	}
	assert_int_equal(nodes, view->nodes);
}

static const struct call_node *find(const struct call_view *view, const char *path)
{
	const struct call_node *node = view->root;

	while (*path) {
		size_t length = strcspn(path, "/");
		const struct call_node *child = node->first_child;

		while (child && (strncmp(child->name, path, length) != 0 || child->name[length]))
			child = child->next_sibling;
		if (!child)
			return NULL;
		node = child;
		path += length + (path[length] == '/');
	}
	return node;
}

static struct call_view make_view(const struct profile *profile, const struct call_view_options *options)
{
	struct call_view view;

	assert_null(call_view_create(profile, options, &view));
	assert_adds_up(&view);
	return view;
}

static void test_whole_view_is_the_profile(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { 0 };
	struct call_view view = make_view(profile, &options);

	(void)state;
	assert_true(view.whole);
	assert_ptr_equal(view.root, profile->root);
	assert_int_equal(view.root->numbers.total_ticks, 123);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_filter_keeps_paths_through_a_match(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .filter = "^d$" };
	struct call_view view = make_view(profile, &options);

	(void)state;
	assert_int_equal(view.root->numbers.total_ticks, 16);
	assert_int_equal(find(&view, "main")->numbers.self_ticks, 0);
	assert_int_equal(find(&view, "main")->numbers.calls, 1);
	assert_int_equal(find(&view, "main/b/d")->numbers.total_ticks, 11);
	assert_ptr_equal(find(&view, "main")->first_child->next_sibling->next_sibling, NULL); /* one b is gone */
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_exclude_takes_subtrees_out(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .exclude = "b" };
	struct call_view view = make_view(profile, &options);

	(void)state;
	assert_int_equal(view.root->numbers.total_ticks, 35);
	assert_null(find(&view, "main/b"));
	assert_non_null(find(&view, "main/a/d"));
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_focus_merges_contexts_and_forgets_their_percentiles(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .focus = "b" };
	struct call_view view = make_view(profile, &options);
	const struct call_node *b = find(&view, "b");

	(void)state;
	assert_int_equal(view.root->numbers.total_ticks, 88);
	assert_null(b->next_sibling);
	assert_int_equal(b->numbers.calls, 2);
	assert_int_equal(b->numbers.self_ticks, 70);
	assert_int_equal(b->numbers.min_ticks, 37);
	assert_int_equal(b->numbers.max_ticks, 51);
	assert_int_equal(b->numbers.p50_ticks, CALL_TICKS_UNKNOWN);
	assert_int_equal(find(&view, "b/d")->numbers.p50_ticks, 2); /* from one context: still known */
	assert_null(b->site_file);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_focus_on_nothing_is_an_error(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .focus = "nothing" };
	struct call_view view;
	struct cprof_error *error = call_view_create(profile, &options, &view);

	(void)state;
	assert_non_null(error);
	assert_int_equal(error->code, CPROF_ERROR_NOT_FOUND);
	cprof_error_free(error);
	profile_fixture_destroy(profile);
}

static void test_bad_expression_is_usage(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .filter = "(" };
	struct call_view view;
	struct cprof_error *error = call_view_create(profile, &options, &view);

	(void)state;
	assert_non_null(error);
	assert_int_equal(error->code, CPROF_ERROR_USAGE);
	cprof_error_free(error);
	profile_fixture_destroy(profile);
}

static void test_rows_of_a_part(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .focus = "b" };
	struct call_view view = make_view(profile, &options);
	struct call_row *rows;
	size_t count;

	(void)state;
	assert_null(call_rows_create(&view, CALL_SORT_SELF, &rows, &count));
	assert_int_equal(count, 3);
	assert_string_equal(rows[0].function->name, "b");
	assert_int_equal(rows[0].numbers.total_ticks, 88);
	assert_string_equal(rows[1].function->name, "d");
	assert_int_equal(rows[1].numbers.calls, 5);
	assert_string_equal(rows[2].function->name, "c");
	free(rows);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

/* Unrolled: the inner call's time is within the outer call's. */
static void test_rows_count_recursion_once(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *outer = profile_fixture_add(profile, NULL, "f", NULL, 1, 10);
	struct call_view_options options = { .sort = CALL_SORT_NAME, .filter = "f" };

	(void)state;
	profile_fixture_add(profile, outer, "f", "app.c:1", 1, 30);
	profile_fixture_finish(profile);
	struct call_view view = make_view(profile, &options);
	struct call_row *rows;
	size_t count;
	assert_null(call_rows_create(&view, CALL_SORT_SELF, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].numbers.total_ticks, 40);
	assert_int_equal(rows[0].numbers.self_ticks, 40);
	assert_int_equal(rows[0].numbers.calls, 2);
	free(rows);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_sort_by_name(void **state)
{
	struct profile *profile = make_profile();
	struct call_view_options options = { .sort = CALL_SORT_NAME };
	struct call_view view = make_view(profile, &options);

	(void)state;
	assert_string_equal(find(&view, "main")->first_child->name, "a");
	assert_int_equal(find(&view, "main/a/d")->numbers.p50_ticks, 1);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_deep_trees(void **state)
{
	enum { LEVELS = 200000 };
	struct profile *profile = profile_fixture_create();
	struct call_node *node = NULL;
	struct call_view_options filtered = { .filter = "f" }, focused = { .focus = "f" };

	(void)state;
	for (size_t i = 0; i < LEVELS; i++)
		node = profile_fixture_add(profile, node, "f", NULL, 1, 1);
	profile_fixture_finish(profile);
	struct call_view view = make_view(profile, &filtered);
	assert_int_equal(view.root->numbers.total_ticks, LEVELS);
	call_view_destroy(&view);
	view = make_view(profile, &focused);
	assert_int_equal(view.root->first_child->numbers.total_ticks, LEVELS);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_view_is_the_profile),
		cmocka_unit_test(test_filter_keeps_paths_through_a_match),
		cmocka_unit_test(test_exclude_takes_subtrees_out),
		cmocka_unit_test(test_focus_merges_contexts_and_forgets_their_percentiles),
		cmocka_unit_test(test_focus_on_nothing_is_an_error),
		cmocka_unit_test(test_bad_expression_is_usage),
		cmocka_unit_test(test_rows_of_a_part),
		cmocka_unit_test(test_rows_count_recursion_once),
		cmocka_unit_test(test_sort_by_name),
		cmocka_unit_test(test_deep_trees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
