/* SPDX-License-Identifier: BSD-2-Clause */
/* Sampled frames share their function's own time on a processor: it adds up to the last tick, and nothing recorded changes. */
#include "call_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile_fixture.h"

static struct call_metrics metrics[32];
static size_t nr_metrics;

static struct call_node *with_metrics(struct call_node *node)
{
	assert_true(nr_metrics < sizeof metrics / sizeof *metrics);
	metrics[nr_metrics] = (struct call_metrics){ { 0 }, { 0 } };
	node->numbers.metrics = &metrics[nr_metrics++];
	return node;
}

static struct call_metrics *of(const struct call_node *node)
{
	return (struct call_metrics *)node->numbers.metrics;
}

static struct profile *make_profile(void)
{
	struct profile *profile = profile_fixture_create();

	nr_metrics = 0;
	profile->metrics = METRICS_TIMES | METRIC_BIT(SAMPLES) | METRIC_BIT(SAMPLED);
	with_metrics(profile->root);
	return profile;
}

static struct call_node *add_function(struct profile *profile, struct call_node *parent, const char *name, uint64_t self_ticks, uint64_t cpu_ns)
{
	struct call_node *node = with_metrics(profile_fixture_add(profile, parent, name, NULL, 1, self_ticks));

	of(node)->self[METRIC_CPU] = cpu_ns;
	return node;
}

static struct call_node *add_sampled(struct profile *profile, struct call_node *parent, const char *name, const char *module)
{
	struct call_node *node = with_metrics(profile_fixture_add_thread(profile, name));

	profile->root->first_child = node->next_sibling; /* it was put there */
	node->kind = NODE_SAMPLED;
	node->parent = parent;
	node->next_sibling = parent->first_child;
	parent->first_child = node;
	node->site_module = module;
	return node;
}

/* So many samples of 10 ns. */
static void sample(struct call_node *node, uint64_t count)
{
	of(node)->self[METRIC_SAMPLES] += count;
	of(node)->self[METRIC_SAMPLED] += 10 * count;
	for (; node; node = node->parent) {
		of(node)->total[METRIC_SAMPLES] += count;
		of(node)->total[METRIC_SAMPLED] += 10 * count;
	}
}

static struct call_view make_view(const struct profile *profile, enum sampled_frames sampled)
{
	const struct call_view_options options = { .sampled = sampled };
	struct call_view view;
	size_t depth = 0, nodes = 0;

	assert_null(call_view_create(profile, &options, &view));
	for (const struct call_node *node = view.root; node; node = call_node_next(view.root, node, false, &depth)) {
		uint64_t sum = node->numbers.self_ticks;

		for (const struct call_node *child = node->first_child; child; child = child->next_sibling)
			sum += child->numbers.total_ticks;
		assert_int_equal(sum, node->numbers.total_ticks);
		nodes++;
	}
	assert_int_equal(nodes, view.nodes);
	return view;
}

static const struct call_node *find(const struct call_view *view, const char *name)
{
	size_t depth = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth))
		if (strcmp(node->name, name) == 0)
			return node;
	return NULL;
}

static void assert_ticks(const struct call_view *view, const char *name, uint64_t self, uint64_t total)
{
	const struct call_node *node = find(view, name);

	assert_non_null(node);
	assert_int_equal(node->numbers.self_ticks, self);
	assert_int_equal(node->numbers.total_ticks, total);
}

static void test_only_time_on_a_processor_is_shared(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *work = add_function(profile, NULL, "work", 1000, 700); /* 300 off the processor */
	struct call_node *libc = add_sampled(profile, work, "libc", "/lib/libc.so"), *kernel = add_sampled(profile, libc, "kernel", "[kernel]");
	struct call_view view;

	(void)state;
	add_function(profile, work, "callee", 77, 77);
	sample(work, 1);
	sample(libc, 2);
	sample(kernel, 4);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_true(view.sampled && !view.only_samples);
	assert_ticks(&view, "work", 300 + 100, 1077);
	assert_ticks(&view, "libc", 200, 600);
	assert_ticks(&view, "kernel", 400, 400);
	assert_ticks(&view, "callee", 77, 77);
	assert_string_equal(find(&view, "work")->first_child->name, "callee"); /* what was recorded comes first */
	assert_string_equal(call_node_suffix(find(&view, "work")), "");
	assert_string_equal(call_node_suffix(find(&view, "libc")), "_[s]");
	assert_string_equal(call_node_suffix(find(&view, "kernel")), "_[k]");
	assert_ptr_equal(call_node_recorded(find(&view, "kernel")), find(&view, "work"));
	assert_int_equal(call_node_sampled(find(&view, "work"), METRIC_SAMPLES), 7);
	assert_int_equal(work->numbers.self_ticks, 1000); /* the profile's own are untouched */
	assert_int_equal(libc->numbers.total_ticks, 0);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_what_does_not_divide_still_adds_up(void **state)
{
	static const char *const names[] = { "a", "b", "c" };
	struct profile *profile = make_profile();
	struct call_node *work = add_function(profile, NULL, "work", 100, 100);
	struct call_view view;
	uint64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		sample(add_sampled(profile, work, names[i], ""), 1);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_ticks(&view, "work", 0, 100);
	for (size_t i = 0; i < 3; i++) {
		uint64_t ticks = find(&view, names[i])->numbers.total_ticks;

		assert_in_range(ticks, 33, 34);
		sum += ticks;
	}
	assert_int_equal(sum, 100);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

/* Without a word of the scheduler, samples are worth what they stand for; never more than there is. */
static void test_unknown_time_is_shared_by_what_samples_stand_for(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *unexplained = add_function(profile, NULL, "unexplained", 1000, 0), *little = add_function(profile, NULL, "little", 25, 0);
	struct call_view view;

	(void)state;
	of(unexplained)->self[METRIC_UNEXPLAINED] = 1000;
	of(little)->self[METRIC_UNEXPLAINED] = 25;
	sample(add_sampled(profile, unexplained, "a", ""), 3);
	sample(add_sampled(profile, little, "b", ""), 3);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_ticks(&view, "unexplained", 970, 1000);
	assert_ticks(&view, "a", 30, 30);
	assert_ticks(&view, "little", 0, 25);
	assert_ticks(&view, "b", 25, 25);
	call_view_destroy(&view);
	profile->metrics = METRIC_BIT(SAMPLES) | METRIC_BIT(SAMPLED); /* the same when only samples were taken */
	view = make_view(profile, SAMPLED_TIMED);
	assert_ticks(&view, "a", 30, 30);
	assert_ticks(&view, "b", 25, 25);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_clocks_that_disagree_give_no_negative_time(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *work = add_function(profile, NULL, "work", 100, 0);
	struct call_view view;

	(void)state;
	of(work)->self[METRIC_UNEXPLAINED] = (uint64_t)-5;
	sample(add_sampled(profile, work, "a", ""), 3);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_ticks(&view, "work", 100, 100);
	assert_ticks(&view, "a", 0, 0);
	call_view_destroy(&view);
	of(work)->self[METRIC_CPU] = 5000; /* more than its wall time */
	view = make_view(profile, SAMPLED_TIMED);
	assert_ticks(&view, "work", 0, 100);
	assert_ticks(&view, "a", 100, 100);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_samples_outside_are_counted(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *work = add_function(profile, NULL, "work", 100, 100), *other = with_metrics(profile_fixture_add_thread(profile, "helper, not traced"));
	struct call_view view;

	(void)state;
	sample(add_sampled(profile, work, "inside", ""), 3);
	sample(add_sampled(profile, profile->root, "before main", ""), 5);
	sample(add_sampled(profile, other, "other", ""), 2);
	sample(other, 1);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_int_equal(view.samples_outside, 8);
	assert_null(find(&view, "before main"));
	assert_null(find(&view, "other"));
	assert_ticks(&view, "inside", 100, 100);
	call_view_destroy(&view);
	view = make_view(profile, SAMPLED_LEFT_OUT);
	assert_false(view.sampled);
	assert_null(find(&view, "inside"));
	assert_ticks(&view, "work", 100, 100);
	call_view_destroy(&view);
	view = make_view(profile, SAMPLED_AS_RECORDED);
	assert_ptr_equal(view.root, profile->root);
	assert_ticks(&view, "before main", 0, 0);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

static void test_nothing_but_samples_has_their_time(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *process = with_metrics(profile_fixture_add_thread(profile, "process")), *main_frame = add_sampled(profile, process, "main", "");
	struct call_view view;

	(void)state;
	profile->info.clock_hz = 0;
	sample(main_frame, 1);
	sample(add_sampled(profile, main_frame, "libc", ""), 2);
	sample(process, 4);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_true(view.only_samples);
	assert_ticks(&view, "all threads", 0, 70);
	assert_ticks(&view, "process", 40, 70);
	assert_ticks(&view, "main", 10, 30);
	assert_ticks(&view, "libc", 20, 20);
	assert_int_equal(view.samples_outside, 0);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

/* Ticks of unknown length and ns of samples cannot be compared: then sampled frames are left out. */
static void test_an_unknown_clock_shares_nothing(void **state)
{
	struct profile *profile = make_profile();
	struct call_node *work = add_function(profile, NULL, "work", 100, 0);
	struct call_view view;

	(void)state;
	profile->info.clock_hz = 0;
	profile->metrics = METRIC_BIT(SAMPLES) | METRIC_BIT(SAMPLED);
	sample(add_sampled(profile, work, "a", ""), 3);
	profile_fixture_finish(profile);
	view = make_view(profile, SAMPLED_TIMED);
	assert_false(view.sampled);
	assert_null(find(&view, "a"));
	assert_ticks(&view, "work", 100, 100);
	call_view_destroy(&view);
	profile_fixture_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_time_on_a_processor_is_shared),
		cmocka_unit_test(test_what_does_not_divide_still_adds_up),
		cmocka_unit_test(test_unknown_time_is_shared_by_what_samples_stand_for),
		cmocka_unit_test(test_clocks_that_disagree_give_no_negative_time),
		cmocka_unit_test(test_samples_outside_are_counted),
		cmocka_unit_test(test_nothing_but_samples_has_their_time),
		cmocka_unit_test(test_an_unknown_clock_shares_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
