/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole profiles of small runs, every number worked out by hand. Ticks; the fixture's clock has 2 to a nanosecond. */
#include "model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { A = 0x1000, B = 0x2000, C = 0x3000, D = 0x4000 }; /* functions; their sites are within 0x1000 of the caller */

static int setup(void **state)
{
	(void)state;
	fixture_reset();
	fixture_function(A, "A");
	fixture_function(B, "B");
	fixture_function(C, "C");
	fixture_function(D, "D");
	return 0;
}

static void expect(const struct call_node *node, uint64_t calls, uint64_t self, uint64_t total, uint64_t span)
{
	assert_non_null(node);
	assert_int_equal(node->numbers.calls, calls);
	assert_int_equal(node->numbers.self_ticks, self);
	assert_int_equal(node->numbers.total_ticks, total);
	assert_int_equal(node->numbers.span_ticks, span);
}

static void expect_flat(const struct profile *profile, const char *name, uint64_t calls, uint64_t self, uint64_t total)
{
	const struct call_function *function = fixture_flat(profile, name);

	assert_int_equal(function->numbers.calls, calls);
	assert_int_equal(function->numbers.self_ticks, self);
	assert_int_equal(function->numbers.total_ticks, total);
	assert_int_equal(function->numbers.span_ticks, total);
}

static void expect_durations(const struct call_numbers *numbers, uint64_t min, uint64_t p50, uint64_t p90, uint64_t max)
{
	assert_int_equal(numbers->min_ticks, min);
	assert_int_equal(numbers->p50_ticks, p50);
	assert_int_equal(numbers->p90_ticks, p90);
	assert_int_equal(numbers->max_ticks, max);
}

static void expect_site(const struct call_node *node, const char *file, uint32_t line, uint32_t column)
{
	assert_non_null(node);
	assert_string_equal(node->site_file, file);
	assert_int_equal(node->site_line, line);
	assert_int_equal(node->site_column, column);
}

/* fib(3) below main; fib(n-1) and fib(n-2) stand on one line. */
static void make_fib(void)
{
	fixture_function(0x100, "main");
	fixture_function(0x200, "fib");
	fixture_chain(0x210, "fib fib.c:5:10", NULL);
	fixture_chain(0x220, "fib fib.c:5:23", NULL);
	assert_int_equal(fixture_context(0, 0x100, 0), 1);
	assert_int_equal(fixture_context(1, 0x200, 0x110), 2);
	assert_int_equal(fixture_edge(2, 2, 0x210), 3);
	assert_int_equal(fixture_edge(2, 2, 0x220), 4);
	fixture_events(0, "e1@1000 e2@1010 e3@1020 e3@1030 x@1040 e4@1050 x@1060 x@1070 e4@1080 x@1090 x@1100 x@1110");
}

static void test_fib_folded(void **state)
{
	(void)state;
	make_fib();
	struct profile *profile = fixture_profile(false, false);

	expect(profile->root, 0, 0, 110, 110);
	expect(fixture_node(profile, "main"), 1, 20, 110, 110);
	expect(fixture_node(profile, "main/fib"), 5, 90, 90, 90);
	assert_int_equal(fixture_node(profile, "main/fib")->recursive_calls, 4);
	assert_null(fixture_node(profile, "main/fib")->first_child);
	expect_durations(&fixture_node(profile, "main/fib")->numbers, 10, 10, 90, 90);
	assert_int_equal(fixture_pair(profile, "", "main"), 1);
	assert_int_equal(fixture_pair(profile, "main", "fib"), 1);
	assert_int_equal(fixture_pair(profile, "fib", "fib"), 4);
	expect_flat(profile, "fib", 5, 90, 90);
	assert_int_equal(profile->info.events, 12);
	assert_int_equal(profile->info.calls, 6);
	assert_int_equal(profile->info.contexts, 2);
	assert_int_equal(profile->info.edges, 2);
	assert_int_equal(profile->info.duration_ticks, 110);
	assert_true(profile->info.clean_exit);
	assert_int_equal(profile_ns(profile, 5), 3);
	profile_destroy(profile);
}

static void test_fib_unrolled(void **state)
{
	(void)state;
	make_fib();
	struct profile *profile = fixture_profile(true, false);
	const struct call_node *fib3 = fixture_node(profile, "main/fib");

	expect(fib3, 1, 30, 90, 90);
	assert_int_equal(fib3->recursive_calls, 0);
	const struct call_node *fib2 = fib3->first_child, *fib1 = fib2->next_sibling;
	expect(fib2, 1, 30, 50, 50);
	expect_site(fib2, "fib.c", 5, 10);
	expect(fib1, 1, 10, 10, 10);
	expect_site(fib1, "fib.c", 5, 23);
	assert_null(fib1->next_sibling);
	expect(fib2->first_child, 1, 10, 10, 10);
	expect(fib2->first_child->next_sibling, 1, 10, 10, 10);
	assert_int_equal(profile->nodes, 7);
	expect_flat(profile, "fib", 5, 90, 90);
	assert_int_equal(fixture_pair(profile, "fib", "fib"), 4);
	profile_destroy(profile);
}

/* A calls B, which calls A again, which calls C: folded, C is called by the first A, and B is open while C runs. */
static void test_recursion_through_another(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_edge(2, 1, 0x2100);
	fixture_context(1, C, 0x1200);
	fixture_events(0, "e1@0 e2@10 e3@20 e4@30 x@40 x@50 x@60 x@70");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 2, 40, 70, 70);
	assert_int_equal(fixture_node(profile, "A")->recursive_calls, 1);
	expect_durations(&fixture_node(profile, "A")->numbers, 30, 30, 70, 70);
	expect(fixture_node(profile, "A/B"), 1, 20, 20, 50);
	expect(fixture_node(profile, "A/C"), 1, 10, 10, 10);
	expect_flat(profile, "A", 2, 40, 70);
	expect_flat(profile, "B", 1, 20, 50);
	expect_flat(profile, "C", 1, 10, 10);
	assert_int_equal(fixture_pair(profile, "B", "A"), 1);
	profile_destroy(profile);

	profile = fixture_profile(true, false);
	expect(fixture_node(profile, "A"), 1, 20, 70, 70);
	expect(fixture_node(profile, "A/B"), 1, 20, 50, 50);
	expect(fixture_node(profile, "A/B/A"), 1, 20, 30, 30);
	expect(fixture_node(profile, "A/B/A/C"), 1, 10, 10, 10);
	expect_flat(profile, "A", 2, 40, 70);
	profile_destroy(profile);
}

/* A B A B: the second B is the context of the first one again, entered while it is open. */
static void test_mutual_recursion(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_edge(2, 1, 0x2100);
	fixture_events(0, "e1@0 e2@10 e3@20 e2@30 x@40 x@50 x@60 x@70");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 2, 40, 70, 70);
	expect(fixture_node(profile, "A/B"), 2, 30, 30, 50);
	assert_int_equal(fixture_node(profile, "A/B")->recursive_calls, 0);
	expect_flat(profile, "B", 2, 30, 50);
	assert_int_equal(fixture_pair(profile, "A", "B"), 2);
	profile_destroy(profile);

	profile = fixture_profile(true, false);
	expect(fixture_node(profile, "A/B/A/B"), 1, 10, 10, 10);
	expect(fixture_node(profile, "A/B"), 1, 20, 50, 50);
	profile_destroy(profile);
}

/* B is open twice in different contexts: A/B, and A/C/B below the folded A. */
static void test_function_open_in_two_contexts(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_edge(2, 1, 0x2100);
	fixture_context(1, C, 0x1200);
	fixture_context(4, B, 0x3100);
	fixture_events(0, "e1@0 e2@10 e3@20 e4@30 e5@40 x@50 x@60 x@70 x@80 x@90 e1@100 e4@101 e5@102 x@105 x@106 x@107");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A/B"), 1, 20, 20, 70);
	expect(fixture_node(profile, "A/C"), 2, 22, 35, 35);
	expect(fixture_node(profile, "A/C/B"), 2, 13, 13, 13);
	expect_flat(profile, "B", 3, 33, 73);
	profile_destroy(profile);
}

/* A calls D five times, then B("foo") which calls C, then B("bar") which calls D five times; twice over. */
static void test_call_contexts(void **state)
{
	char script[4096];
	int length = 0, now = 0;

	(void)state;
	fixture_chain(0x1100, "A a.c:3:2", NULL);
	fixture_chain(0x1200, "A a.c:4:2", NULL);
	fixture_chain(0x1300, "A a.c:5:2", NULL);
	fixture_chain(0x2100, "B a.c:11:4", NULL);
	fixture_chain(0x2200, "B a.c:13:4", NULL);
	fixture_context(0, A, 0);
	fixture_context(1, D, 0x1100);
	fixture_context(1, B, 0x1200);
	fixture_context(3, C, 0x2100);
	fixture_context(1, B, 0x1300);
	fixture_context(5, D, 0x2200);
	for (int run = 0; run < 2; run++) {
		length += sprintf(script + length, "e1@%d ", now++);
		for (int i = 0; i < 5; i++, now += 4)
			length += sprintf(script + length, "e2@%d x@%d ", now, now + 3);
		length += sprintf(script + length, "e3@%d e4@%d x@%d x@%d ", now, now + 1, now + 8, now + 9);
		now += 10;
		length += sprintf(script + length, "e5@%d ", now++);
		for (int i = 0; i < 5; i++, now += 6)
			length += sprintf(script + length, "e6@%d x@%d ", now, now + 5);
		length += sprintf(script + length, "x@%d x@%d ", now, now + 1);
		now += 10;
	}
	fixture_events(0, script);

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 2, 2 * 8, 2 * 63, 2 * 63);
	expect(fixture_node(profile, "A/D"), 10, 30, 30, 30);
	expect(fixture_node(profile, "A/B:4"), 2, 4, 18, 18);
	expect(fixture_node(profile, "A/B:4/C"), 2, 14, 14, 14);
	expect(fixture_node(profile, "A/B:5"), 2, 12, 62, 62);
	expect(fixture_node(profile, "A/B:5/D"), 10, 50, 50, 50);
	expect_site(fixture_node(profile, "A/B:5/D"), "a.c", 13, 4);
	expect_flat(profile, "D", 20, 80, 80);
	assert_int_equal(fixture_flat(profile, "D")->numbers.p50_ticks, 3);
	assert_int_equal(fixture_flat(profile, "D")->numbers.p90_ticks, 5);
	assert_int_equal(profile->nodes, 7);
	profile_destroy(profile);
}

static void test_repaired(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(2, C, 0x2100);
	fixture_events(0, "e1@0 e2@10 e3@20 R2 x@50 | e1@60 e2@70 R1 | e2@80 x@90 x@100");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 2, 10 + 10 + 10, 90, 90);
	expect(fixture_node(profile, "A/B"), 3, 10 + 10 + 10, 60, 60);
	expect(fixture_node(profile, "A/B/C"), 1, 30, 30, 30);
	assert_int_equal(fixture_node(profile, "A")->numbers.repaired, 0);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.repaired, 2);
	assert_int_equal(fixture_node(profile, "A/B/C")->numbers.repaired, 1);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.max_ticks, 40);
	assert_int_equal(profile->info.repaired_calls, 3);
	profile_destroy(profile);
}

static void test_hole(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(2, C, 0x2100);
	fixture_context(1, D, 0x1200);
	/* Lost: C and B end, D begins. That D was called, and when, is known from the chunk that closes it. */
	fixture_events(0, "e1@0 e2@10 e3@20 | x@30 x@40 e4@50 |! x@60 e2@70 | x@80 x@100");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 1, 10 + 10 + 20, 70, 70);
	expect(fixture_node(profile, "A/B"), 2, 10 + 10, 20, 20);
	expect(fixture_node(profile, "A/B/C"), 1, 0, 0, 0);
	expect(fixture_node(profile, "A/D"), 1, 10, 10, 10);
	assert_int_equal(fixture_node(profile, "A")->numbers.max_ticks, 100);
	assert_int_equal(fixture_node(profile, "A")->numbers.repaired, 0);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.repaired, 1);
	expect_durations(&fixture_node(profile, "A/B")->numbers, 10, 10, 10, 10);
	assert_int_equal(fixture_node(profile, "A/B/C")->numbers.repaired, 1);
	expect_durations(&fixture_node(profile, "A/D")->numbers, 10, 10, 10, 10);
	assert_int_equal(profile->info.holes, 1);
	assert_int_equal(profile->info.damaged_chunks, 0);
	profile_destroy(profile);
}

static void test_calls_that_end_in_a_later_hole(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(1, D, 0x1200);
	fixture_context(3, C, 0x4100);
	fixture_events(0, "e1@0 e2@10 | x@20 e3@30 |! e4@40 x@50 | e4@60 |! x@70 | x@80 x@90 e1@95 x@97 |! e1@100 x@101");

	struct profile *profile = fixture_profile(false, false);
	/*
	 * Nothing is told of calls that ended in the last hole: A is taken to end at the first one, and that D was called is not known; but it
	 * was current, so time and place are.
	 */
	expect(fixture_node(profile, "A"), 2, 10 + 1, 41, 41);
	expect(fixture_node(profile, "A/B"), 1, 0, 0, 0);
	expect(fixture_node(profile, "A/D"), 0, 10, 30, 30);
	expect(fixture_node(profile, "A/D/C"), 2, 20, 20, 20);
	assert_int_equal(fixture_node(profile, "A")->numbers.repaired, 1);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.repaired, 1);
	expect_durations(&fixture_node(profile, "A/D/C")->numbers, 10, 10, 10, 10);
	assert_int_equal(profile->info.holes, 3);
	profile_destroy(profile);
}

/* A goes on through both holes, D was called in the first and ends after the second, C was called in the second. */
static void test_calls_across_two_holes(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(1, D, 0x1200);
	fixture_context(3, C, 0x4100);
	fixture_events(0, "e1@0 e2@10 | x@20 e3@30 |! e4@40 x@50 | e4@60 |! x@70 | x@80 x@90");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 1, 10 + 10, 60, 60);
	expect(fixture_node(profile, "A/D"), 1, 10 + 10, 40, 40);
	expect(fixture_node(profile, "A/D/C"), 2, 20, 20, 20);
	assert_int_equal(fixture_node(profile, "A")->numbers.max_ticks, 90);
	assert_int_equal(fixture_node(profile, "A/D")->numbers.max_ticks, 50);
	assert_int_equal(profile->info.repaired_calls, 1);
	assert_int_equal(profile->info.open_calls, 0);
	profile_destroy(profile);
}

static void test_beginning_lost(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_events(0, "e1@0 e2@10 |! x@20 e2@30 x@35 x@40");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 1, 15, 30, 30);
	expect(fixture_node(profile, "A/B"), 2, 15, 15, 15);
	assert_int_equal(fixture_node(profile, "A")->numbers.max_ticks, 40);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.max_ticks, 10);
	profile_destroy(profile);
}

static void test_open_at_the_end(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_events(0, "e1@0 e2@10 x@15 e2@20");
	fixture_end(50, false);

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 1, 15, 50, 50);
	expect(fixture_node(profile, "A/B"), 2, 35, 35, 35);
	assert_int_equal(fixture_node(profile, "A")->numbers.open, 1);
	expect_durations(&fixture_node(profile, "A")->numbers, 0, 0, 0, 0);
	expect_durations(&fixture_node(profile, "A/B")->numbers, 5, 5, 5, 5);
	assert_int_equal(profile->info.open_calls, 2);
	assert_int_equal(profile->info.duration_ticks, 20);
	assert_false(profile->info.clean_exit);
	profile_destroy(profile);
}

static void test_inherited(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_events(0, "I2 e1@0 e2@0 x@20 e2@30 x@45 x@50");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 0, 15, 50, 50);
	expect(fixture_node(profile, "A/B"), 1, 35, 35, 35);
	expect_durations(&fixture_node(profile, "A/B")->numbers, 15, 15, 15, 15);
	assert_int_equal(profile->info.calls, 1);
	profile_destroy(profile);
}

static void test_lost_and_unmatched(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	/* After the loss the exits of what was open then return to what their events say. */
	fixture_events(0, "U3 e1@0 e2@10 L7 x>1@30 e2@40 x@50 x>0@60 e1@70 x@80");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 2, 10 + 10 + 10 + 10, 50, 50);
	expect(fixture_node(profile, "A/B"), 2, 10, 10, 10);
	assert_int_equal(fixture_node(profile, "A")->numbers.repaired, 1);
	assert_int_equal(fixture_node(profile, "A/B")->numbers.repaired, 1);
	assert_int_equal(profile->info.lost_events, 7);
	assert_int_equal(profile->info.unmatched_exits, 3);
	assert_int_equal(profile->info.wrong_exits, 0);
	profile_destroy(profile);
}

static void test_exit_to_another_context(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(1, C, 0x1200);
	fixture_events(0, "e1@0 e2@10 x>3@20 x@30 x>0@40");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A/C"), 0, 10, 10, 10);
	assert_int_equal(profile->info.wrong_exits, 1);
	profile_destroy(profile);
}

static void test_threads(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_events(0, "e1@0 e2@10 x@20 x@30 | e1@50 x@60");
	fixture_events(1, "e1@5 e2@6 x@106 x@110");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A"), 3, 20 + 10 + 5, 145, 145);
	expect(fixture_node(profile, "A/B"), 2, 110, 110, 110);
	assert_int_equal(profile->info.threads, 2);
	assert_int_equal(profile->info.duration_ticks, 110);
	profile_destroy(profile);

	profile = fixture_profile(false, true);
	expect(profile->root, 0, 0, 145, 145);
	assert_int_equal(profile->root->first_child->kind, NODE_THREAD);
	assert_string_equal(profile->root->first_child->name, "worker1 [1001]");
	expect(fixture_node(profile, "worker0 [1000]"), 0, 0, 40, 40);
	expect(fixture_node(profile, "worker0 [1000]/A"), 2, 30, 40, 40);
	expect(fixture_node(profile, "worker1 [1001]/A/B"), 1, 100, 100, 100);
	expect_flat(profile, "A", 3, 35, 145);
	assert_int_equal(fixture_flat(profile, "A")->numbers.min_ticks, 10);
	assert_int_equal(fixture_flat(profile, "A")->numbers.max_ticks, 105);
	assert_int_equal(fixture_pair(profile, "A", "B"), 2);
	profile_destroy(profile);
}

static void test_processes(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_events(0, "e1@0 x@10");
	fixture_add_trace();
	fixture_context(0, B, 0);
	fixture_context(0, A, 0);
	fixture_events(0, "e2@20 x@25 e1@30 x@70");
	assert_null(session_add_modules(fixture_session(), fixture_symbolizer())); /* one module: the fixture checks its id */

	struct profile *profile = fixture_profile(false, false);
	const struct call_node *child = profile->root->first_child, *parent = child->next_sibling;

	assert_int_equal(child->kind, NODE_PROCESS);
	assert_string_equal(child->name, "/bin/app [102]");
	expect(child, 0, 0, 45, 45);
	expect(child->first_child, 1, 40, 40, 40);
	assert_string_equal(child->first_child->name, "B");
	assert_string_equal(child->first_child->next_sibling->name, "A");
	assert_string_equal(parent->name, "/bin/app [101]");
	expect(parent->first_child, 1, 10, 10, 10);
	expect(profile->root, 0, 0, 55, 55);
	/* The same function in both: one module, one address. */
	expect_flat(profile, "A", 2, 15, 15);
	assert_int_equal(profile->nr_functions, 2);
	assert_int_equal(profile->info.processes, 2);
	profile_destroy(profile);
}

static void test_overflow(void **state)
{
	(void)state;
	fixture_context(0, A, 0);
	fixture_context(0, B, 0x1100);
	fixture_context(0, C, 0x2100);
	fixture_record(2)->flags = fixture_record(3)->flags = CPROF_CONTEXT_OVERFLOW;
	fixture_events(0, "e1@0 e2@10 e3@20 e2@30 x@40 x@50 x@60 x@70");

	struct profile *profile = fixture_profile(false, false);
	assert_int_equal(fixture_node(profile, "context table full")->kind, NODE_OVERFLOW);
	expect(fixture_node(profile, "A"), 1, 20, 20, 70);
	expect(fixture_node(profile, "context table full"), 0, 0, 50, 50);
	expect(fixture_node(profile, "context table full/B"), 2, 30, 30, 50);
	expect(fixture_node(profile, "context table full/C"), 1, 20, 20, 30);
	expect_flat(profile, "B", 2, 30, 50);
	assert_int_equal(fixture_pair(profile, "A", "B"), 1);
	assert_int_equal(fixture_pair(profile, "B", "C"), 1);
	assert_int_equal(fixture_pair(profile, "C", "B"), 1);
	profile_destroy(profile);

	profile = fixture_profile(true, false);
	expect(fixture_node(profile, "A/B/C/B"), 1, 10, 10, 10);
	expect(fixture_node(profile, "A"), 1, 20, 70, 70);
	profile_destroy(profile);
}

static void test_sites(void **state)
{
	(void)state;
	/* One call unrolled by the compiler: two addresses, one place. And two calls on one line. And a site without lines. */
	fixture_chain(0x1100, "A a.c:7:3", NULL);
	fixture_chain(0x1180, "A a.c:7:3", NULL);
	fixture_chain(0x1200, "A a.c:8:3", NULL);
	fixture_chain(0x1280, "A a.c:8:20", NULL);
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_context(1, B, 0x1180);
	fixture_context(1, C, 0x1200);
	fixture_context(1, C, 0x1280);
	fixture_context(1, D, 0x1300);
	fixture_context(1, D, 0x1400);
	fixture_context(3, C, 0x2100); /* below both halves of the merged B */
	fixture_context(2, C, 0x2100);
	fixture_events(0, "e1@0 e2@1 e9@2 x@3 x@4 e3@5 e8@6 x@9 x@11 e4@12 x@13 e5@15 x@18 e6@20 x@25 e7@30 x@37 x@40");

	struct profile *profile = fixture_profile(false, false);
	expect(fixture_node(profile, "A/B"), 2, 5, 9, 9);
	expect(fixture_node(profile, "A/B/C"), 2, 4, 4, 4);
	expect_durations(&fixture_node(profile, "A/B")->numbers, 3, 3, 6, 6);
	expect_site(fixture_node(profile, "A/B"), "a.c", 7, 3);
	const struct call_node *c = fixture_node(profile, "A/C");
	expect(c, 1, 3, 3, 3);
	expect_site(c, "a.c", 8, 20);
	assert_null(fixture_node(profile, "A/C")->first_child);
	const struct call_node *d = fixture_node(profile, "A/D");
	assert_null(d->site_file);
	assert_string_equal(d->site_module, "/bin/app");
	assert_int_equal(d->site_address, 0x1400);
	assert_int_equal(profile->nodes, 1 + 1 + 1 + 1 + 2 + 2);
	profile_destroy(profile);
}

/* A child of A called from no known line. */
static void expect_address_site(const struct profile *profile, const char *name, uint64_t address)
{
	for (const struct call_node *node = fixture_node(profile, "A")->first_child; node; node = node->next_sibling)
		if (strcmp(node->name, name) == 0 && !node->site_file && node->site_address == address)
			return;
	fail_msg("no call of %s from address 0x%llx", name, (unsigned long long)address);
}

static void test_inlined_sites(void **state)
{
	(void)state;
	/* B is inlined into A at a.c:9, C into that B at b.c:3; D is out of line, called from within the inlined C. */
	fixture_function(0x5000, "E.part.0");
	fixture_chain(0x1110, "B b.c:1:1", "A a.c:9:4", NULL);
	fixture_chain(0x1120, "C c.c:1:1", "B b.c:3:7", "A a.c:9:4", NULL);
	fixture_chain(0x1130, "C c.c:2:9", "B b.c:3:7", "A a.c:9:4", NULL);
	fixture_chain(D + 9, "D d.c:1:1", NULL);
	/* The hook of a clone may lie in code that was inlined into it. */
	fixture_chain(0x5010, "helper e.c:5:5", "E e.c:1:1", NULL);
	fixture_chain(0x1140, "A a.c:20:1", NULL);
	/* The beginnings of two inlined calls were merged: the line is gone, or the scope too. */
	fixture_chain(0x1150, "B b.c:1:1", "A a.c:0:0", NULL);
	fixture_function(0x1160 - 1, "A");
	fixture_context(0, A, 0x900);
	fixture_record(fixture_context(1, B, 0x900))->hook_return = 0x1110;
	fixture_record(fixture_context(2, C, 0x900))->hook_return = 0x1120;
	fixture_context(3, D, 0x1130);
	fixture_record(fixture_context(1, 0x5000, 0x1140))->hook_return = 0x5010;
	fixture_record(fixture_context(1, B, 0x900))->hook_return = 0x1150;
	fixture_record(fixture_context(1, C, 0x900))->hook_return = 0x1160;
	fixture_events(0, "e1@0 e2@1 e3@2 e4@3 x@4 x@5 x@6 e5@7 x@8 e6@9 e7@10 x@11 x@12 x@13");

	struct profile *profile = fixture_profile(false, false);
	expect_site(fixture_node(profile, "A/B"), "a.c", 9, 4);
	expect_site(fixture_node(profile, "A/B/C"), "b.c", 3, 7);
	expect_site(fixture_node(profile, "A/B/C/D"), "c.c", 2, 9);
	expect_site(fixture_node(profile, "A/E.part.0"), "a.c", 20, 1);
	expect_address_site(profile, "B", 0x1150);
	expect_address_site(profile, "C", 0x1160);
	profile_destroy(profile);
}

static void test_hostile_columns(void **state)
{
	static const uint8_t exits[] = { 0, 0, 0 }, escape_cut[] = { 3, 2, 2 }, far[] = { 3, 0xff, 0xff, 0xff, 0xff, 0x7f };
	static const uint8_t endless[] = { 3, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 };
	static const uint8_t times[] = { 1, 1, 1 }, enters[] = { 3, 4, 3, 4 };
	static const uint8_t late[] = { 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 1 };

	(void)state;
	fixture_context(0, A, 0);
	fixture_context(1, B, 0x1100);
	fixture_raw_chunk(0, exits, sizeof exits, times, sizeof times); /* strange, but it can be read */
	fixture_raw_chunk(0, escape_cut, sizeof escape_cut, times, 1);
	fixture_raw_chunk(0, far, sizeof far, times, 2);
	fixture_raw_chunk(0, endless, sizeof endless, times, 2);
	fixture_raw_chunk(0, enters, sizeof enters, times, sizeof times); /* a time too few */
	fixture_raw_chunk(0, exits, 2, times, sizeof times);              /* one too many */
	fixture_raw_chunk(0, enters, 3, late, sizeof late);
	fixture_raw_chunk(0, enters, 2, times, 2);

	struct profile *profile = fixture_profile(false, false);
	assert_int_equal(profile->info.damaged_chunks, 6);
	assert_int_equal(profile->info.open_calls, 2);
	assert_int_equal(fixture_flat(profile, "A")->numbers.calls, 1 + 1 + 1 + 2 + 1 + 1);
	profile_destroy(profile);
}

/* Whatever the columns are, the sums agree with each other (fixture_check()), folded and unrolled. */
static void test_random_columns(void **state)
{
	(void)state;
	srandom(1);
	for (int run = 0; run < 600; run++) {
		uint8_t ids[64], times[64];

		setup(NULL);
		fixture_context(0, A, 0);
		fixture_context(1, B, 0x1100);
		fixture_edge(2, 1, 0x2100);
		fixture_context(1, C, 0x1200);
		fixture_context(0, D, 0x1300);
		fixture_record(5)->flags = run % 3 ? 0 : CPROF_CONTEXT_OVERFLOW;
		for (int chunk = 0; chunk < 4; chunk++) {
			for (size_t i = 0; i < sizeof ids; i++) {
				ids[i] = (uint8_t)(random() % 16 ? random() % 9 : random());
				times[i] = (uint8_t)(random() % 16 ? random() % 100 : random());
			}
			fixture_raw_chunk(0, ids, (size_t)random() % sizeof ids, times, (size_t)random() % sizeof times);
		}
		profile_destroy(fixture_profile(run % 2, run % 5 == 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fib_folded, setup),
		cmocka_unit_test_setup(test_fib_unrolled, setup),
		cmocka_unit_test_setup(test_recursion_through_another, setup),
		cmocka_unit_test_setup(test_mutual_recursion, setup),
		cmocka_unit_test_setup(test_function_open_in_two_contexts, setup),
		cmocka_unit_test_setup(test_call_contexts, setup),
		cmocka_unit_test_setup(test_repaired, setup),
		cmocka_unit_test_setup(test_hole, setup),
		cmocka_unit_test_setup(test_calls_that_end_in_a_later_hole, setup),
		cmocka_unit_test_setup(test_calls_across_two_holes, setup),
		cmocka_unit_test_setup(test_beginning_lost, setup),
		cmocka_unit_test_setup(test_open_at_the_end, setup),
		cmocka_unit_test_setup(test_inherited, setup),
		cmocka_unit_test_setup(test_lost_and_unmatched, setup),
		cmocka_unit_test_setup(test_exit_to_another_context, setup),
		cmocka_unit_test_setup(test_threads, setup),
		cmocka_unit_test_setup(test_processes, setup),
		cmocka_unit_test_setup(test_overflow, setup),
		cmocka_unit_test_setup(test_sites, setup),
		cmocka_unit_test_setup(test_inlined_sites, setup),
		cmocka_unit_test_setup(test_hostile_columns, setup),
		cmocka_unit_test_setup(test_random_columns, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
