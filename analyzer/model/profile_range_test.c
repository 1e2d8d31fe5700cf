/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles of a part of a run: by time, by thread, and without the first calls of a function. */
#include "profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model_fixture.h"

static struct profile *make(struct profile_options options)
{
	struct profile *profile;

	assert_null(profile_create(fixture_session(), fixture_symbolizer(), &options, &profile));
	fixture_check(profile);
	fixture_check_functions(profile, options);
	return profile;
}

static const struct call_node *same_child(const struct call_node *parent, const struct call_node *like)
{
	const struct call_node *child = parent ? parent->first_child : NULL;

	while (child && (child->kind != like->kind || strcmp(child->name, like->name) != 0 || child->site_address != like->site_address))
		child = child->next_sibling;
	return child;
}

static struct call_numbers numbers_of(const struct call_node *node)
{
	return node ? node->numbers : (struct call_numbers){ 0 };
}

/* What is summed before and after a moment is what is summed of all. */
static void expect_sum(const struct call_node *all, const struct call_node *first, const struct call_node *second)
{
	struct call_numbers a = numbers_of(first), b = numbers_of(second);

	assert_int_equal(all->numbers.calls, a.calls + b.calls);
	assert_int_equal(all->numbers.self_ticks, a.self_ticks + b.self_ticks);
	assert_int_equal(all->numbers.total_ticks, a.total_ticks + b.total_ticks);
	assert_int_equal(all->numbers.span_ticks, a.span_ticks + b.span_ticks);
	assert_int_equal(all->numbers.suspended_ticks, a.suspended_ticks + b.suspended_ticks);
	assert_int_equal(all->numbers.suspended_total_ticks, a.suspended_total_ticks + b.suspended_total_ticks);
	for (const struct call_node *child = all->first_child; child; child = child->next_sibling)
		expect_sum(child, same_child(first, child), same_child(second, child));
}

static void expect_parts(struct profile_options options, uint64_t end)
{
	struct profile *all = make(options);

	for (uint64_t moment = 1; moment <= end; moment++) {
		struct profile_options before = options, after = options;

		before.to_ticks = after.from_ticks = moment;
		struct profile *first = make(before), *second = make(after);

		expect_sum(all->root, first->root, second->root);
		assert_int_equal(all->info.events, first->info.events + second->info.events);
		for (size_t i = 0; i < all->nr_functions; i++) {
			assert_int_equal(all->functions[i].numbers.total_ticks, first->functions[i].numbers.total_ticks + second->functions[i].numbers.total_ticks);
			assert_int_equal(all->functions[i].numbers.calls, first->functions[i].numbers.calls + second->functions[i].numbers.calls);
		}
		profile_destroy(first);
		profile_destroy(second);
	}
	profile_destroy(all);
}

enum { MAIN = 0x1000, WORK = 0x2000, LEAF = 0x3000 };

/* 1: main, 2: main/work, 3: main/work/leaf, 4: work called by leaf (folds back to 2), 5: leaf of its own thread */
static int setup(void **state)
{
	(void)state;
	fixture_reset();
	fixture_function(MAIN, "main");
	fixture_function(WORK, "work");
	fixture_function(LEAF, "leaf");
	assert_int_equal(fixture_context(0, MAIN, 0x10), 1);
	assert_int_equal(fixture_context(1, WORK, 0x1010), 2);
	assert_int_equal(fixture_context(2, LEAF, 0x2010), 3);
	assert_int_equal(fixture_edge(3, 2, 0x3010), 4);
	assert_int_equal(fixture_context(0, LEAF, 0x20), 5);
	return 0;
}

static void test_a_range_is_part_of_the_whole(void **state)
{
	static const char *const scripts[] = {
		"e1@1 e2@2 e3@3 x@5 x@8 e2@10 x@12 | e2@14 e3@15 x@16 e3@17 x@19 x@20 x@24",
		"e1@1 e2@2 e3@4 e4@6 e3@7 e4@8 x@9 x@11 x@13 x@14 | x@17 e2@18 x@20",
		"e1@1 e2@2 e3@3 e3@4 R1 x@6 e2@8 | L5 e1@12 e2@13 x@15 x@18",
		"I2 e1@1 e2@2 e3@5 x@7 x@9 | e2@11 e3@13",
		"e1@1 e2@2 s@4 r@7 e3@8 e4@9 s@11 | r@14 x@15 x@16 s@17",
		"e1@1 e2@2 e3@3 s@4 r@4 s@5 r@12 R2 e2@13 s@14 r@20 x@21 x@22",
	};

	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		setup(state);
		fixture_events(0, scripts[i]);
		fixture_events(1, "e5@3 x@6 e5@9 x@17");
		fixture_end(25, true);
		expect_parts((struct profile_options){ 0 }, 27);
		expect_parts((struct profile_options){ .unroll = true }, 27);
		expect_parts((struct profile_options){ .by_thread = true }, 27);
	}
}

/* Time in a hole is nobody's, and what was made in it is known from later. */
static void test_a_range_may_end_in_a_hole(void **state)
{
	setup(state);
	fixture_events(0, "e1@1 e2@2 x@4 | e2@6 e3@8 |! x@12 x@14 e2@15 x@17 x@20");
	fixture_end(20, true);
	struct profile *profile = make((struct profile_options){ .from_ticks = 9, .to_ticks = 13 });

	assert_int_equal(fixture_flat(profile, "leaf")->numbers.calls, 0);
	profile_destroy(profile);
	for (uint64_t from = 0; from < 22; from++) {
		for (uint64_t to = from + 1; to < 23; to++) {
			profile = make((struct profile_options){ .from_ticks = from, .to_ticks = to });
			assert_true(profile->root->numbers.total_ticks <= to - from);
			profile_destroy(profile);
		}
	}
}

/* The strand's time stands still while it does not run. */
static void test_numbers_of_a_strand(void **state)
{
	setup(state);
	fixture_events(0, "e1@1 e2@2 s@4 r@9 e3@10 s@11 r@13 x@14 x@16 e2@17 s@18");
	fixture_end(25, true);
	struct profile *profile = make((struct profile_options){ 0 });
	const struct call_numbers *main = &fixture_node(profile, "main")->numbers, *work = &fixture_node(profile, "main/work")->numbers;
	const struct call_numbers *leaf = &fixture_node(profile, "main/work/leaf")->numbers;

	assert_int_equal(main->self_ticks, 2);
	assert_int_equal(main->total_ticks, 17 - 5 - 2);
	assert_int_equal(main->suspended_ticks, 0);
	assert_int_equal(main->suspended_total_ticks, 5 + 2 + 7);
	assert_int_equal(work->suspended_ticks, 5 + 7);
	assert_int_equal(work->max_ticks, 14 - 5 - 2);
	assert_int_equal(work->open, 1);
	assert_int_equal(leaf->self_ticks, 2);
	assert_int_equal(leaf->suspended_ticks, 2);
	assert_int_equal(leaf->max_ticks, 2);
	assert_int_equal(profile->root->numbers.total_ticks, 10);
	assert_int_equal(fixture_flat(profile, "work")->numbers.total_ticks, 8);
	profile_destroy(profile);
}

static void test_numbers_of_a_range(void **state)
{
	setup(state);
	fixture_events(0, "e1@1 e2@2 e3@3 x@5 x@8 e2@10 x@12 e2@14 e3@15 x@16 x@20 x@24");
	fixture_end(24, true);
	struct profile *profile = make((struct profile_options){ .from_ticks = 4, .to_ticks = 15 });
	const struct call_node *work = fixture_node(profile, "main/work"), *leaf = fixture_node(profile, "main/work/leaf");

	assert_int_equal(profile->root->numbers.total_ticks, 11);
	assert_int_equal(fixture_node(profile, "main")->numbers.calls, 0); /* began before */
	assert_int_equal(work->numbers.calls, 2);
	assert_int_equal(work->numbers.open, 1);
	assert_int_equal(work->numbers.max_ticks, 2);
	assert_int_equal(work->numbers.self_ticks, 3 + 2 + 1);
	assert_int_equal(leaf->numbers.calls, 0);
	assert_int_equal(leaf->numbers.self_ticks, 1);
	assert_int_equal(fixture_pair(profile, "main", "work"), 2);
	assert_int_equal(profile->info.duration_ticks, 11);
	profile_destroy(profile);
}

static void test_an_empty_range_has_nothing(void **state)
{
	setup(state);
	fixture_events(0, "e1@5 x@8");
	fixture_end(10, true);
	const struct profile_options empty[] = { { .from_ticks = 8 }, { .to_ticks = 5 }, { .from_ticks = 6, .to_ticks = 6 }, { .from_ticks = 1000 } };

	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct profile *profile = make(empty[i]);

		assert_int_equal(profile->root->numbers.total_ticks, 0);
		assert_int_equal(profile->info.calls, 0);
		profile_destroy(profile);
	}
}

static void test_threads_are_chosen(void **state)
{
	const bool second[] = { false, true }, *const threads[] = { second };

	setup(state);
	fixture_events(0, "e1@1 e2@2 x@3 x@9");
	fixture_events(1, "e5@3 x@6 e5@9 x@17");
	fixture_end(20, true);
	struct profile *profile = make((struct profile_options){ .threads = threads });

	assert_null(fixture_node(profile, "main"));
	assert_int_equal(fixture_node(profile, "leaf")->numbers.calls, 2);
	assert_int_equal(fixture_flat(profile, "leaf")->numbers.p99_ticks, 8);
	assert_int_equal(fixture_pair(profile, "main", "work"), 0);
	profile_destroy(profile);
}

static void test_the_first_calls_are_left_out(void **state)
{
	const struct profile_options skip = { .skip_function = "work", .skip_first = 2 };
	struct profile_options later = skip;

	setup(state);
	/* The second call has another inside, which is no call more to skip. */
	fixture_events(0, "e1@1 e2@2 e3@3 x@5 x@8 e2@10 e3@11 e4@12 x@13 x@14 x@15 e2@16 e3@17 x@18 x@20 e2@21 x@24 x@30");
	fixture_events(1, "e5@3 x@6 e5@9 x@17");
	fixture_end(30, true);
	struct profile *profile = make(skip);

	assert_int_equal(fixture_flat(profile, "work")->numbers.calls, 2);
	assert_int_equal(fixture_flat(profile, "work")->numbers.total_ticks, 4 + 3);
	assert_int_equal(fixture_node(profile, "main/work/leaf")->numbers.calls, 1);
	assert_int_equal(fixture_node(profile, "leaf")->numbers.calls, 2);
	assert_int_equal(fixture_node(profile, "main")->numbers.self_ticks, 1 + 2 + 1 + 1 + 6);
	profile_destroy(profile);

	later.from_ticks = 9; /* the first two calls of the range */
	profile = make(later);
	assert_int_equal(fixture_flat(profile, "work")->numbers.calls, 1);
	assert_int_equal(fixture_flat(profile, "work")->numbers.total_ticks, 3);
	profile_destroy(profile);

	later = (struct profile_options){ .skip_function = "none of it", .skip_first = 1 };
	profile = make(later);
	assert_int_equal(fixture_flat(profile, "work")->numbers.calls, 5);
	profile_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_range_is_part_of_the_whole),
		cmocka_unit_test(test_a_range_may_end_in_a_hole),
		cmocka_unit_test(test_numbers_of_a_strand),
		cmocka_unit_test(test_numbers_of_a_range),
		cmocka_unit_test(test_an_empty_range_has_nothing),
		cmocka_unit_test(test_threads_are_chosen),
		cmocka_unit_test(test_the_first_calls_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
