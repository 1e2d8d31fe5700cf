/* SPDX-License-Identifier: BSD-2-Clause */
#include "thread_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_names_and_ids(void **state)
{
	static const struct {
		const char *list, *name;
		bool has;
	} cases[] = {
		{ "worker", "worker [102]", true },
		{ "102", "worker [102]", true },
		{ "worker [102]", "worker [102]", true },
		{ "main,103", "worker [103]", true },
		{ "main,103", "worker [102]", false },
		{ "10", "worker [102]", false },
		{ "work", "worker [102]", false },
		{ ",,", "worker [102]", false },
		{ "", "worker [102]", false },
		{ "worker", "a worker [102]", true }, /* a word of its name */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(thread_list_has(cases[i].list, cases[i].name), cases[i].has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_and_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
