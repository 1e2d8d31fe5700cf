/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, pages and keys of --live, on a model made by hand and names that are made of the code: "f<code % 10>", called by "main". */
#include "live_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static struct live_label label(void *context, const struct live_model *model, const struct live_key *key)
{
	(void)context;
	(void)model;
	return (struct live_label){ (uint32_t)(key->code % 10), 100 + (uint32_t)(key->code % 10) };
}

static const char *text(void *context, uint32_t id)
{
	static char names[8][64];
	static unsigned next;
	char *name = names[next++ % 8];

	(void)context;
	snprintf(name, sizeof names[0], id < 100 ? "f%u" : "f%u < main", id % 100);
	return name;
}

static const struct live_namer namer = { NULL, label, text };

static void add(struct live_model *model, uint32_t tgid, uint32_t kind, uint32_t sub, uint32_t context, uint64_t count, uint64_t ns,
		uint64_t bytes)
{
	struct cprof_kernel_sum sum = {
		.key = { .who = { .tgid = tgid, .context = context, .quality = CPROF_QUALITY_SLOT },
			 .kind = kind,
			 .sub = sub,
			 .object = 0x77,
			 .other = 2 },
		.value = { .count = count, .ns = ns, .max_ns = ns, .bytes = bytes, .histogram = { [12] = (uint32_t)count } },
	};

	live_model_sum(model, &sum);
}

/* A second of process 7 ("app"): contexts 1 and 11 are the function f1, 2 is f2. */
static void make(struct live_snapshot *snapshot)
{
	struct cprof_kernel_process process = { .tgid = 7, .name = "app" };
	struct live_model model;

	live_model_init(&model, 0);
	live_model_process(&model, &process);
	add(&model, 7, CPROF_SUM_OFF_CPU, CPROF_BLOCKED_SLEEP, 1, 1, 1000000, 0);
	add(&model, 7, CPROF_SUM_OFF_CPU, CPROF_BLOCKED_DISK, 11, 2, 2000000, 0);
	add(&model, 7, CPROF_SUM_OFF_CPU, CPROF_BLOCKED_DISK, 2, 4, 2500000, 0);
	add(&model, 7, CPROF_SUM_ALLOC, 0, 1, 4, 0, 4000);
	add(&model, 7, CPROF_SUM_FREE, 0, 1, 1, 0, 1000);
	add(&model, 7, CPROF_SUM_SYSCALL, SYS_fsync, 2, 3, 15000000, 0);
	add(&model, 7, CPROF_SUM_LOCK, CPROF_LOCK_MUTEX, 1, 2, 3000000, 0);
	assert_true(live_model_take(&model, 1000000000, snapshot));
	live_model_deinit(&model);
}

/* Waits at one address, of a kind that is seen with the second, or with the first: the row of all is called by it. */
static void test_a_lock_is_called_by_the_kind_that_was_seen(void **state)
{
	const uint32_t classes[][2] = { { CPROF_LOCK_UNKNOWN, CPROF_LOCK_MUTEX }, { CPROF_LOCK_MUTEX, CPROF_LOCK_UNKNOWN } };
	struct live_choice choice = { .group = LIVE_BY_FUNCTION };

	(void)state;
	while (live_views[choice.view].source != LIVE_LOCKS)
		choice.view++;
	for (size_t i = 0; i < 2; i++) {
		struct live_snapshot snapshot;
		struct live_model model;
		struct live_rows rows;

		live_model_init(&model, 0);
		for (size_t j = 0; j < 2; j++)
			add(&model, 7, CPROF_SUM_LOCK, classes[i][j], 1, 1, 1000000, 0);
		assert_true(live_model_take(&model, 1000000000, &snapshot));
		assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
		assert_int_equal(rows.count, 1);
		assert_int_equal(rows.rows[0].shown.waits, 2);
		assert_non_null(strstr(rows.rows[0].text, "f1 waits for mutex 0x77"));
		live_rows_deinit(&rows);
		live_snapshot_deinit(&snapshot);
		live_model_deinit(&model);
	}
}

static void make_page(struct live_page *page, struct live_control *control, unsigned width, unsigned height)
{
	struct text_style style = { width, false, false, false };
	struct live_status status = {
		.target = "./app \033[31m\xff", .elapsed_ns = 1000000000, .own_cpu_ns = 5, .own_wall_ns = 1000, .slow_exact = true
	};
	struct live_snapshot snapshot;

	make(&snapshot);
	live_page_make(page, &style, height, 5, &snapshot, &status, &namer, control);
	live_snapshot_deinit(&snapshot);
	assert_false(page->failed);
}

static bool has(const struct live_page *page, const char *wanted)
{
	for (size_t i = 0; i < page->count; i++)
		if (strstr(page->lines[i].text, wanted))
			return true;
	return false;
}

static void press(struct live_control *control, const char *keys)
{
	for (; *keys; keys++)
		live_control_key(control, (uint32_t)(unsigned char)*keys);
}

static void test_functions_are_grouped_and_sorted(void **state)
{
	struct live_choice choice = { .view = 1, .group = LIVE_BY_FUNCTION };
	struct live_snapshot snapshot;
	struct live_rows rows;

	(void)state;
	make(&snapshot);
	assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.rows[0].name, 1);
	assert_int_equal(rows.rows[0].shown.off_cpu_ns, 3000000); /* contexts 1 and 11 */
	assert_int_equal(rows.rows[0].shown.off_cpu_max_ns, 2000000);
	assert_int_equal(rows.rows[1].shown.off_cpu_ns, 2500000);
	assert_string_equal(rows.rows[0].process, "app");
	assert_int_equal(rows.window_ns, 1000000000);
	live_rows_deinit(&rows);
	choice.upward = true;
	assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
	assert_int_equal(rows.rows[0].name, 2);
	live_rows_deinit(&rows);
	choice = (struct live_choice){ .view = 1, .group = LIVE_BY_FUNCTION, .sorted = 1 }; /* times */
	assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
	assert_int_equal(rows.rows[0].name, 2);
	live_rows_deinit(&rows);
	choice.group = LIVE_BY_PROCESS;
	assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.rows[0].shown.off_cpu_ns, 5500000);
	assert_int_equal(rows.all.off_cpu_ns, 5500000);
	live_rows_deinit(&rows);
	live_snapshot_deinit(&snapshot);
}

static void test_filter_sees_names_callers_and_processes(void **state)
{
	static const struct {
		const char *filter;
		size_t rows;
	} cases[] = { { "", 2 }, { "f2", 1 }, { "MAIN", 2 }, { "app", 2 }, { "nothing", 0 } };
	struct live_snapshot snapshot;

	(void)state;
	make(&snapshot);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct live_choice choice = { .view = 1, .filter = cases[i].filter };
		struct live_rows rows;

		assert_true(live_rows_build(&snapshot, &namer, &choice, &rows));
		assert_int_equal(rows.count, cases[i].rows);
		live_rows_deinit(&rows);
	}
	live_snapshot_deinit(&snapshot);
}

static void test_pages_fit_every_terminal(void **state)
{
	(void)state;
	for (unsigned height = 1; height < 40; height += 3) {
		for (unsigned width = 1; width < 200; width += 13) {
			for (char view = '1'; view < '1' + (char)nr_live_views; view++) {
				struct live_control control;
				struct live_page page = { .lines = NULL };

				live_control_init(&control);
				live_control_key(&control, (uint32_t)view);
				make_page(&page, &control, width, height);
				assert_int_equal(page.count, height < 3 ? 3 : height); /* the drawer leaves out what is too much */
				for (size_t i = 0; i < page.count; i++) {
					assert_true(strlen(page.lines[i].text) <= width);
					for (const char *at = page.lines[i].text; *at; at++)
						assert_true(*at >= ' ' && *at < 0x7F); /* nothing of a stranger's gets through */
				}
				live_page_deinit(&page);
			}
		}
	}
}

static void test_page_says_what_the_model_holds(void **state)
{
	struct live_control control;
	struct live_page page = { .lines = NULL };

	(void)state;
	live_control_init(&control);
	press(&control, "3");
	make_page(&page, &control, 120, 24);
	assert_true(has(&page, "[3 memory]"));
	assert_true(has(&page, "1.0 kB     1.0 kB     3.0 kB  f1")); /* average, freed, alive */
	assert_true(has(&page, "recorder 0.50 % of a CPU"));
	assert_true(has(&page, "context exact: 100.0 % of 17"));
	live_page_deinit(&page);
	press(&control, "7");
	make_page(&page, &control, 120, 24);
	assert_true(has(&page, "3.000 ms   1.500 ms   3.000 ms  f1 waits for mutex 0x77 held by f2"));
	live_page_deinit(&page);
	press(&control, "g");
	make_page(&page, &control, 120, 24);
	assert_true(has(&page, "f1 < main waits for mutex 0x77 held by f2 < main"));
	live_page_deinit(&page);
	press(&control, "5");
	make_page(&page, &control, 120, 24);
	assert_true(has(&page, "4.096 us .. 8.192 us          3"));
	assert_true(has(&page, "p50, at most          8.191 us"));
	assert_true(has(&page, ">= 10 ms"));
	live_page_deinit(&page);
	press(&control, "h");
	make_page(&page, &control, 120, 24);
	assert_true(has(&page, live_control_help[0]));
	live_page_deinit(&page);
}

static void test_text_has_all_views(void **state)
{
	struct live_control control;
	struct live_page page = { .lines = NULL };

	(void)state;
	live_control_init(&control);
	make_page(&page, &control, TEXT_WIDTH_MAX, 0);
	for (unsigned i = 0; i < nr_live_views; i++) {
		char title[64];

		snprintf(title, sizeof title, "%s: ", live_views[i].name);
		assert_true(has(&page, title));
	}
	live_page_deinit(&page);
}

static void test_keys(void **state)
{
	struct live_control control;

	(void)state;
	live_control_init(&control);
	press(&control, "2>>");
	assert_int_equal(control.choice.view, 1);
	assert_int_equal(control.choice.sorted, 2);
	press(&control, "<<<"); /* around */
	assert_int_equal(control.choice.sorted, live_view_columns(&live_views[1]) - 1);
	press(&control, "/ab q");
	assert_true(control.editing);
	assert_false(control.quit);
	assert_string_equal(control.choice.filter, "ab q");
	live_control_key(&control, LIVE_KEY_BACKSPACE);
	live_control_key(&control, LIVE_KEY_ENTER);
	assert_string_equal(control.choice.filter, "ab ");
	press(&control, "/zz");
	live_control_key(&control, LIVE_KEY_ESCAPE); /* as it was */
	assert_string_equal(control.choice.filter, "ab ");
	live_control_key(&control, LIVE_KEY_ESCAPE); /* none */
	assert_string_equal(control.choice.filter, "");
	press(&control, " rtgh");
	assert_true(control.frozen && control.choice.upward && control.choice.total && control.help);
	assert_int_equal(control.choice.group, LIVE_BY_PATH);
	live_control_key(&control, LIVE_KEY_RESIZE);
	assert_true(control.help);
	press(&control, "f\t");
	assert_false(control.frozen || control.help);
	assert_int_equal(control.choice.view, 2);
	live_control_key(&control, LIVE_KEY_UP);
	assert_int_equal(control.scroll, 0);
	live_control_key(&control, LIVE_KEY_END);
	live_control_key(&control, LIVE_KEY_DOWN);
	assert_int_equal(control.scroll, SIZE_MAX);
	for (unsigned i = 0; i < 200; i++) /* never more than fits */
		press(&control, "/x");
	assert_int_equal(strlen(control.filter), sizeof control.filter - 1);
	live_control_key(&control, LIVE_KEY_ENTER);
	press(&control, "q");
	assert_true(control.quit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions_are_grouped_and_sorted),
		cmocka_unit_test(test_a_lock_is_called_by_the_kind_that_was_seen), cmocka_unit_test(test_filter_sees_names_callers_and_processes),
		cmocka_unit_test(test_pages_fit_every_terminal),	 cmocka_unit_test(test_page_says_what_the_model_holds),
		cmocka_unit_test(test_text_has_all_views),		 cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
