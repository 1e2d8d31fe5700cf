/* SPDX-License-Identifier: BSD-2-Clause */
#include "leb_column.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUMBERS = 5000 };

static void put(uint8_t *bytes, size_t *count, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		bytes[(*count)++] = (uint8_t)(number | 0x80);
	bytes[(*count)++] = (uint8_t)number;
}

/* Exactly as many bytes as the column has, so that a sanitizer sees a read behind it. */
static void expect_column(const uint8_t *bytes, size_t nr_bytes, const uint64_t *numbers, size_t nr_numbers, size_t nr_good_bytes)
{
	uint8_t *copy = malloc(nr_bytes ? nr_bytes : 1);
	struct leb_column column = { copy, copy + nr_bytes };
	uint64_t number;
	size_t count = 0;

	memcpy(copy, bytes, nr_bytes);
	for (; leb_column_next(&column, &number); count++) {
		assert_in_range(count, 0, nr_numbers - 1);
		assert_true(number == numbers[count]);
	}
	assert_int_equal(count, nr_numbers);
	assert_int_equal(column.next - copy, nr_good_bytes);
	free(copy);
}

/* Numbers of up to four bytes, out of a word with anything behind them. */
static void test_gather(void **state)
{
	(void)state;
	srandom(3);
	for (int run = 0; run < 100000; run++) {
		uint32_t number = (uint32_t)random() >> (3 + random() % 28), word = (uint32_t)random() << 1 ^ (uint32_t)random();
		uint8_t bytes[8];
		size_t count = 0;

		put(bytes, &count, number);
		assert_in_range(count, 1, sizeof word);
		memcpy(&word, bytes, count);
		for (int gather = LEB_GATHER_PLAIN; gather <= LEB_GATHER_PEXT; gather++)
			if (gather == LEB_GATHER_PLAIN || leb_pext_is_fast())
				assert_int_equal(leb_gather_word(word, ~word & 0x80808080, (enum leb_gather)gather), number);
	}
}

static void test_mixed_lengths(void **state)
{
	static uint64_t numbers[NUMBERS];
	static uint8_t bytes[NUMBERS * 10];

	(void)state;
	srandom(2);
	for (int run = 0; run < 200; run++) {
		size_t nr_bytes = 0, nr_numbers = (size_t)random() % NUMBERS;
		int longest = run % 3 == 0 ? 64 : run % 3 == 1 ? 14 : 8;

		for (size_t i = 0; i < nr_numbers; i++) {
			uint64_t word = (uint64_t)random() << 33 ^ (uint64_t)random() << 16 ^ (uint64_t)random();

			numbers[i] = word >> (63 - random() % longest);
			put(bytes, &nr_bytes, numbers[i]);
		}
		expect_column(bytes, nr_bytes, numbers, nr_numbers, nr_bytes);
	}
}

static void test_limits(void **state)
{
	uint64_t numbers[] = { UINT64_MAX, 0, 1, 0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX, UINT64_C(1) << 63, 0xfffffff, 0x10000000 };
	uint8_t bytes[128];
	size_t nr_bytes = 0;

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		put(bytes, &nr_bytes, numbers[i]);
	expect_column(bytes, nr_bytes, numbers, sizeof numbers / sizeof *numbers, nr_bytes);
	expect_column(bytes, 0, numbers, 0, 0);
}

/* A number that is cut off, too long or too large ends the column where it begins, wherever that is. */
static void test_no_number(void **state)
{
	static const uint8_t bad[][14] = {
		{ 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1, 1, 1 },
		{ 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02, 1, 1, 1, 1 },
		{ 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80 },
	};
	uint64_t ones[200];
	uint8_t bytes[300];

	(void)state;
	for (size_t i = 0; i < 200; i++)
		ones[i] = 1;
	for (size_t before = 0; before < 150; before++) {
		memset(bytes, 1, sizeof bytes);
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
			memcpy(bytes + before, bad[i], sizeof bad[i]);
			expect_column(bytes, sizeof bytes, ones, before, before);
			expect_column(bytes, before + sizeof bad[i], ones, before, before);
		}
		memset(bytes + before, 0x80, 3);
		expect_column(bytes, before + 3, ones, before, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_mixed_lengths),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
