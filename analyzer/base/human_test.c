/* SPDX-License-Identifier: BSD-2-Clause */
#include "human.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_times_have_four_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 1, "1 ns" }, { 999, "999 ns" }, { 1000, "1.000 us" }, { 1234, "1.234 us" }, { 12345, "12.35 us" },
		{ 99994, "99.99 us" }, { 99995, "100.0 us" }, { 999949, "999.9 us" }, { 999950, "1.000 ms" }, { 1234567, "1.235 ms" },
		{ 9999499, "9.999 ms" }, { 9999500, "10.00 ms" }, { 1000000000, "1.000 s" }, { 59876543210, "59.88 s" },
		{ 999949999999, "999.9 s" }, { 999950000000, "1,000 s" }, { 3600000000000, "3,600 s" }, { UINT64_MAX, "18,446,744,074 s" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(human_ns(cases[i].ns).text, cases[i].text);
}

static void test_counts_bytes_percents(void **state)
{
	(void)state;
	assert_string_equal(human_count(0).text, "0");
	assert_string_equal(human_count(999).text, "999");
	assert_string_equal(human_count(1000).text, "1,000");
	assert_string_equal(human_count(UINT64_MAX).text, "18,446,744,073,709,551,615");
	assert_string_equal(human_bytes(999).text, "999 bytes");
	assert_string_equal(human_bytes(15700000).text, "15.7 MB");
	assert_string_equal(human_bytes(999960000).text, "1.0 GB");
	assert_string_equal(human_percent(1, 3).text, "33.3");
	assert_string_equal(human_percent(0, 0).text, "0.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_times_have_four_digits),
		cmocka_unit_test(test_counts_bytes_percents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
