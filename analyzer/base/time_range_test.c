/* SPDX-License-Identifier: BSD-2-Clause */
/* What people may write for a stretch of time, and where it then is on the clock. */
#include "time_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A run of 1,000,000 ticks from tick 5000, two ticks to a ns. */
static void expect(const char *text, uint64_t from, uint64_t to)
{
	struct time_range range;
	uint64_t is_from, is_to;

	assert_null(time_range_parse("time", text, &range));
	time_range_ticks(&range, 5000, 1005000, 2e9, &is_from, &is_to);
	assert_int_equal(is_from, from);
	assert_int_equal(is_to, to);
}

static void test_good(void **state)
{
	(void)state;
	expect(NULL, 0, UINT64_MAX);
	expect(":", 0, UINT64_MAX);
	expect("100:200", 5200, 5400);
	expect("100ns:0.2us", 5200, 5400);
	expect("0.1ms:", 205000, UINT64_MAX);
	expect(":1.5s", 0, UINT64_C(3000005000));
	expect("1m:2m", UINT64_C(120000005000), UINT64_C(240000005000));
	expect("10%:12.5%", 105000, 130000);
	expect("50%:100%", 505000, UINT64_MAX);
	expect("50%:1s", 505000, UINT64_C(2000005000));
	expect("0:99999999999999999999999s", 5000, UINT64_MAX);
}

static void test_bad(void **state)
{
	static const char *const texts[] = { "", "5", "1x:2", "1.2.3:", ".:", "-1:2", "1e3:2", "101%:", "2:1", "50%:40%", "1 :2", "nan:", "1:2:3", "0x10:20" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct time_range range;
		struct cprof_error *error = time_range_parse("time", texts[i], &range);

		assert_non_null(error);
		assert_int_equal(error->code, CPROF_ERROR_USAGE);
		assert_non_null(strstr(error->message, texts[i]));
		cprof_error_free(error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
