/* SPDX-License-Identifier: BSD-2-Clause */
/* Widths add up, names cannot become markup, the same input gives the same picture. */
#include "flamegraph.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile_fixture.h"

static const struct flamegraph_options defaults = { "test", false, 0.1, 0, UINT64_MAX };

static char *picture(const struct profile *profile, const struct flamegraph_options *options)
{
	struct call_view_options view_options = { 0 };
	struct call_view view;
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_null(call_view_create(profile, &view_options, &view));
	assert_null(flamegraph_write(out, &view, options));
	fclose(out);
	call_view_destroy(&view);
	return text;
}

static void test_children_fill_their_parent_without_gaps(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *top = profile_fixture_add(profile, NULL, "top", NULL, 1, 0);
	char names[7][8], *text;
	double end = 10.0;
	uint64_t next = 0;
	size_t seen = 0;

	(void)state;
	for (unsigned i = 0; i < 7; i++) { /* sevenths have no finite decimals */
		snprintf(names[i], sizeof names[i], "c%u", i);
		profile_fixture_add(profile, top, names[i], NULL, 1, 1);
	}
	profile_fixture_finish(profile);
	text = picture(profile, &defaults);
	for (const char *at = text; (at = strstr(at, "<g class=\"f\"")); at++) {
		uint64_t start, total;
		double x, width;

		assert_int_equal(sscanf(at, "<g class=\"f\" data-s=\"%" SCNu64 "\" data-t=\"%" SCNu64, &start, &total), 2);
		assert_int_equal(sscanf(strstr(at, "<rect"), "<rect x=\"%lf\" width=\"%lf\"", &x, &width), 2);
		if (++seen <= 2) {
			assert_int_equal(total, 7);
			assert_true(x == 10.0 && width == 1200.0);
			continue;
		}
		assert_int_equal(total, 1);
		assert_int_equal(start, next++);
		assert_true(x - end < 0.001 && end - x < 0.001);
		end = x + width;
	}
	assert_int_equal(seen, 9);
	assert_true(end > 1209.999 && end < 1210.001);
	free(text);
	profile_fixture_destroy(profile);
}

static void test_hostile_names_stay_text(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct flamegraph_options options = defaults;
	char *text;

	(void)state;
	options.title = "</text><script>";
	profile_fixture_add(profile, NULL, "</script><img onerror=\"x\" a='b'>&]]>\033\xFF\xEF\xBF\xBF\n", "<b>.c:1", 1, 1000);
	profile_fixture_finish(profile);
	text = picture(profile, &options);
	assert_non_null(strstr(text, "<title>&lt;/script&gt;&lt;img onerror=&quot;x&quot; a=&#39;b&#39;&gt;&amp;]]&gt;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD "));
	assert_non_null(strstr(text, ">&lt;/text&gt;&lt;script&gt;<"));
	assert_non_null(strstr(text, "called from &lt;b&gt;.c:1"));
	assert_null(strstr(text, "<img"));
	assert_null(strstr(text, "\033"));
	assert_ptr_equal(strstr(text, "<script"), strstr(text, "<script type=\"text/javascript\"><![CDATA["));
	assert_null(strstr(strstr(text, "<![CDATA[") + 1, "<![CDATA["));
	assert_ptr_equal(strstr(strstr(text, "<![CDATA["), "]]>"), strstr(text, "]]></script>\n</svg>\n"));
	free(text);
	profile_fixture_destroy(profile);
}

static void test_what_is_not_drawn_is_said(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *top = profile_fixture_add(profile, NULL, "top", NULL, 1, 1000000);
	char *text, *again;

	(void)state;
	profile_fixture_add(profile, profile_fixture_add(profile, top, "thin", NULL, 1, 10), "thinner", NULL, 1, 5);
	profile_fixture_add(profile, top, "thick", NULL, 1, 500000);
	profile_fixture_finish(profile);
	text = picture(profile, &defaults);
	again = picture(profile, &defaults);
	assert_string_equal(text, again);
	assert_null(strstr(text, "<title>thin"));
	assert_non_null(strstr(text, "<title>thick"));
	assert_non_null(strstr(text, "not drawn: 1 context with what is below it (too narrow or too deep), 0.0 % of the time"));
	free(text);
	free(again);
	profile_fixture_destroy(profile);
}

static void test_depth_is_bounded_and_time_may_be_zero(void **state)
{
	struct profile *profile = profile_fixture_create();
	struct call_node *node = NULL;
	char *text;

	(void)state;
	for (size_t i = 0; i < 50000; i++)
		node = profile_fixture_add(profile, node, "f", NULL, 1, i == 49999 ? 1000 : 0);
	profile_fixture_finish(profile);
	text = picture(profile, &defaults);
	assert_non_null(strstr(text, "100.0 % of the time"));
	free(text);
	profile_fixture_destroy(profile);

	profile = profile_fixture_create();
	profile_fixture_add(profile, NULL, "f", NULL, 1, 0);
	profile_fixture_finish(profile);
	text = picture(profile, &defaults);
	assert_non_null(strstr(text, "</svg>"));
	free(text);
	profile_fixture_destroy(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_children_fill_their_parent_without_gaps),
		cmocka_unit_test(test_hostile_names_stay_text),
		cmocka_unit_test(test_what_is_not_drawn_is_said),
		cmocka_unit_test(test_depth_is_bounded_and_time_may_be_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
