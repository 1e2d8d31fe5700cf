/* SPDX-License-Identifier: BSD-2-Clause */
#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_buckets(void **state)
{
	(void)state;
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram_upper_bound(HISTOGRAM_BUCKETS - 1), UINT64_MAX);
	assert_int_equal(histogram_bucket(0), 0);
	for (uint32_t bucket = 1; bucket < HISTOGRAM_BUCKETS; bucket++) {
		uint64_t below = histogram_upper_bound(bucket - 1), bound = histogram_upper_bound(bucket);

		assert_int_equal(histogram_bucket(bound), bucket);
		assert_int_equal(histogram_bucket(below + 1), bucket);
		/* No wider than 3 % of its smallest value; a single value up to 127. */
		assert_true(bound - below == 1 || (double)(bound - below) <= 0.03 * (double)(below + 1));
		assert_true(bound > 127 || bound - below == 1);
	}
}

static uint64_t percentile(const struct histogram_sum *sum, uint32_t percent)
{
	uint64_t bound;

	histogram_sum_percentiles(sum, &percent, &bound, 1);
	return bound;
}

static int compare(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Percentiles of windows and logs, merged or not, are the bucket bounds of the sorted values. */
static void test_percentiles(void **state)
{
	static uint64_t values[2000];

	(void)state;
	srandom(3);
	for (int run = 0; run < 300; run++) {
		struct histogram parts[3] = { 0 };
		struct histogram_store store = { 0 };
		struct histogram_sum sum = { 0 }, sum_of_sums = { 0 };
		size_t count = run < 60 ? (size_t)run + 1 : 1 + (size_t)random() % 2000;

		for (size_t i = 0; i < count; i++) {
			values[i] = (uint64_t)random() >> random() % 31 << random() % 20;
			assert_int_equal(histogram_add(&parts[random() % 3], &store, histogram_bucket(values[i])), HISTOGRAM_OK);
		}
		for (int i = 0; i < 3; i++)
			assert_true(histogram_sum_add(&sum, &parts[i]));
		histogram_store_deinit(&store);
		qsort(values, count, sizeof *values, compare);
		assert_true(histogram_sum_add_sum(&sum_of_sums, &sum));
		assert_int_equal(sum_of_sums.total, count);
		for (uint32_t percent = 1; percent <= 100; percent++) {
			uint64_t value = values[(count * percent + 99) / 100 - 1];

			assert_int_equal(percentile(&sum, percent), histogram_upper_bound(histogram_bucket(value)));
			assert_int_equal(percentile(&sum_of_sums, percent), percentile(&sum, percent));
		}
		static const uint32_t three[] = { 50, 90, 99 };
		uint64_t bounds[3];
		histogram_sum_percentiles(&sum, three, bounds, 3);
		for (int i = 0; i < 3; i++)
			assert_int_equal(bounds[i], percentile(&sum, three[i]));
		histogram_sum_reset(&sum);
		assert_int_equal(percentile(&sum, 50), 0);
		assert_true(histogram_sum_add_count(&sum, 7, 3));
		assert_int_equal(percentile(&sum, 100), 7);
		assert_int_equal(sum.total, 3);
		histogram_sum_deinit(&sum);
		histogram_sum_deinit(&sum_of_sums);
	}
}

static void test_carry(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_store store = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(histogram_add(&histogram, &store, 500), HISTOGRAM_OK);
	histogram.counts[500 - histogram.first] = UINT32_MAX;
	assert_int_equal(histogram_add(&histogram, &store, 500), HISTOGRAM_CARRY);
	assert_int_equal(histogram_add(&histogram, &store, 500), HISTOGRAM_OK);
	histogram_store_deinit(&store);
}

/* A context that is called a few times costs a log; one that is called often costs its range. */
static void test_window_is_small(void **state)
{
	struct histogram histogram = { 0 };
	struct histogram_store store = { 0 };

	(void)state;
	for (int i = 0; i < HISTOGRAM_LOG_ITEMS; i++)
		assert_int_equal(histogram_add(&histogram, &store, i % 2 ? 3000 : 10), HISTOGRAM_OK);
	assert_int_equal(histogram.nr, 0);
	histogram = (struct histogram){ 0 };
	for (int i = 0; i < 1000; i++)
		assert_int_equal(histogram_add(&histogram, &store, 1000 + (uint32_t)i % 16), HISTOGRAM_OK);
	assert_in_range(histogram.nr, 16, 32);
	histogram_store_deinit(&store);
}

/* What is released is used again, for the same size only, and what is given out does not overlap. */
static void test_store(void **state)
{
	struct histogram_store store = { 0 };
	unsigned char *parts[3000];
	size_t lines[3000];

	(void)state;
	srandom(5);
	for (size_t i = 0; i < 3000; i++) {
		lines[i] = 1 + (size_t)random() % HISTOGRAM_STORE_MAX_LINES;
		parts[i] = histogram_store_alloc(&store, lines[i]);
		assert_non_null(parts[i]);
		assert_int_equal((uintptr_t)parts[i] % HISTOGRAM_STORE_LINE, 0);
		memset(parts[i], (int)(i % 251), lines[i] * HISTOGRAM_STORE_LINE);
	}
	for (size_t i = 0; i < 3000; i++)
		for (size_t byte = 0; byte < lines[i] * HISTOGRAM_STORE_LINE; byte += HISTOGRAM_STORE_LINE / 2)
			assert_int_equal(parts[i][byte], i % 251);
	histogram_store_release(&store, parts[7], 5);
	histogram_store_release(&store, parts[8], 5);
	assert_ptr_not_equal(histogram_store_alloc(&store, 4), parts[8]);
	assert_ptr_equal(histogram_store_alloc(&store, 5), parts[8]);
	assert_ptr_equal(histogram_store_alloc(&store, 5), parts[7]);
	assert_ptr_not_equal(histogram_store_alloc(&store, 5), parts[7]);
	histogram_store_deinit(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buckets),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_carry),
		cmocka_unit_test(test_window_is_small),
		cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
