/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads at and over the end: each must fail and leave the position, and LEB128 must take exactly the values of 64 bits. */
#include "cursor.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_reads_within_bounds(void **state)
{
	const uint8_t data[] = { 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i', 0, 'x' };
	struct cursor cursor = cursor_make(data, sizeof data);
	const char *text;
	uint32_t four;
	uint64_t eight = 77;

	(void)state;
	assert_true(cursor_u32(&cursor, &four));
	assert_int_equal(four, 1);
	assert_true(cursor_u64(&cursor, &eight));
	assert_int_equal(eight, 2);
	assert_true(cursor_string(&cursor, &text));
	assert_string_equal(text, "hi");
	assert_int_equal(cursor_left(&cursor), 1);
	assert_false(cursor_string(&cursor, &text)); /* "x" has no NUL */
	assert_false(cursor_u32(&cursor, &four));
	assert_false(cursor_u64(&cursor, &eight));
	assert_int_equal(eight, 2);
	assert_int_equal(cursor_left(&cursor), 1);
}

static void test_lengths_do_not_wrap(void **state)
{
	const uint8_t data[8] = { 0 };
	struct cursor cursor = cursor_make(data, sizeof data);
	const uint8_t *bytes = NULL;

	(void)state;
	assert_false(cursor_bytes(&cursor, UINT64_MAX, &bytes));
	assert_false(cursor_bytes(&cursor, sizeof data + 1, &bytes));
	assert_null(bytes);
	assert_true(cursor_bytes(&cursor, sizeof data, &bytes));
	assert_ptr_equal(bytes, data);
	assert_true(cursor_bytes(&cursor, 0, &bytes));
}

static void test_nothing_at_all(void **state)
{
	struct cursor cursor = cursor_make(NULL, 0);
	const uint8_t *bytes = NULL;
	uint64_t value;

	(void)state;
	assert_true(cursor_bytes(&cursor, 0, &bytes)); /* its sanitizer objects to a null pointer, even by 0 */
	assert_non_null(bytes);
	assert_false(cursor_bytes(&cursor, 1, &bytes));
	assert_false(cursor_leb128(&cursor, &value));
}

static void test_leb128(void **state)
{
	static const struct {
		uint8_t bytes[11];
		size_t nr_bytes;
		bool valid;
		uint64_t value;
	} cases[] = {
		{ { 0x00 }, 1, true, 0 },
		{ { 0x7F }, 1, true, 127 },
		{ { 0x80, 0x01 }, 2, true, 128 },
		{ { 0xE5, 0x8E, 0x26 }, 3, true, 624485 },
		{ { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 }, 10, true, UINT64_MAX },
		{ { 0x80, 0x00 }, 2, true, 0 }, /* longer than need be, but a number */
		{ { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02 }, 10, false, 0 },
		{ { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00 }, 11, false, 0 },
		{ { 0x80 }, 1, false, 0 },
		{ { 0 }, 0, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct cursor cursor = cursor_make(cases[i].bytes, cases[i].nr_bytes);
		uint64_t value = 42;

		assert_int_equal(cursor_leb128(&cursor, &value), cases[i].valid);
		assert_int_equal(value, cases[i].valid ? cases[i].value : 42);
		assert_int_equal(cursor_left(&cursor), cases[i].valid ? 0 : cases[i].nr_bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_within_bounds),
		cmocka_unit_test(test_lengths_do_not_wrap),
		cmocka_unit_test(test_nothing_at_all),
		cmocka_unit_test(test_leb128),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
