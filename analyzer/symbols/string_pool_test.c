/* SPDX-License-Identifier: BSD-2-Clause */
#include "string_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_equal_strings_are_one(void **state)
{
	enum { STRINGS = 20011 };
	static const char *kept[STRINGS];
	struct string_pool *pool;
	const char *again;
	char text[32];

	(void)state;
	assert_null(string_pool_create(&pool));
	for (int i = 0; i < STRINGS; i++) {
		sprintf(text, "string %d", i);
		assert_null(string_pool_add(pool, text, &kept[i]));
		assert_ptr_not_equal(kept[i], text);
	}
	for (int i = 0; i < STRINGS; i++) { /* still where they were after all growth, and found */
		sprintf(text, "string %d", i);
		assert_string_equal(kept[i], text);
		assert_null(string_pool_format(pool, &again, "string %d", i));
		assert_ptr_equal(again, kept[i]);
	}
	assert_null(string_pool_add(pool, "", &again));
	assert_string_equal(again, "");
	string_pool_destroy(pool);
}

static void test_long_text_is_cut(void **state)
{
	size_t length = 3 * STRING_POOL_TEXT_BYTES;
	char *text = malloc(length + 1);
	struct string_pool *pool;
	const char *first, *second;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', length);
	text[length] = '\0';
	assert_null(string_pool_create(&pool));
	assert_null(string_pool_add(pool, text, &first));
	assert_int_equal(strlen(first), STRING_POOL_TEXT_BYTES);
	text[length - 1] = 'y'; /* behind the cut */
	assert_null(string_pool_add(pool, text, &second));
	assert_ptr_equal(first, second);
	string_pool_destroy(pool);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_strings_are_one),
		cmocka_unit_test(test_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
