/* SPDX-License-Identifier: BSD-2-Clause */
#include "range_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_inner_hides_outer(void **state)
{
	struct range_list list = { 0 };
	struct range_map map;

	(void)state;
	assert_null(range_list_add(&list, 10, 100, 1));
	assert_null(range_list_add(&list, 20, 50, 2));
	assert_null(range_list_add(&list, 30, 40, 3));
	assert_null(range_list_add(&list, 60, 60, 4)); /* empty */
	assert_null(range_list_add(&list, 100, UINT64_MAX, 5));
	assert_null(range_map_init(&map, &list));
	static const struct {
		uint64_t address;
		uint32_t value;
	} cases[] = {
		{ 0, RANGE_NONE }, { 9, RANGE_NONE }, { 10, 1 }, { 19, 1 }, { 20, 2 }, { 30, 3 },  { 39, 3 },
		{ 40, 2 },         { 49, 2 },         { 50, 1 }, { 60, 1 }, { 99, 1 }, { 100, 5 }, { UINT64_MAX, RANGE_NONE },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(range_map_find(&map, cases[i].address), cases[i].value);
	range_map_deinit(&map);
	range_list_deinit(&list);
}

static void test_nothing(void **state)
{
	struct range_list list = { 0 };
	struct range_map map = { 0 };

	(void)state;
	assert_int_equal(range_map_find(&map, 5), RANGE_NONE);
	assert_null(range_map_init(&map, &list));
	assert_int_equal(range_map_find(&map, 5), RANGE_NONE);
	range_map_deinit(&map);
}

/* Against an array that is painted. */
static void test_random_overlaps(void **state)
{
	enum { SPACE = 200 };

	(void)state;
	srand(17);
	for (int round = 0; round < 2000; round++) {
		uint32_t painted[SPACE];
		struct range_list list = { 0 };
		struct range_map map;
		uint32_t count = (uint32_t)rand() % 40;

		for (int i = 0; i < SPACE; i++)
			painted[i] = RANGE_NONE;
		for (uint32_t i = 0; i < count; i++) {
			uint64_t low = (uint64_t)rand() % SPACE, high = low + (uint64_t)rand() % (SPACE - low);

			assert_null(range_list_add(&list, low, high, i));
			for (uint64_t at = low; at < high; at++)
				painted[at] = i;
		}
		assert_null(range_map_init(&map, &list));
		for (uint64_t at = 0; at < SPACE; at++)
			assert_int_equal(range_map_find(&map, at), painted[at]);
		range_map_deinit(&map);
		range_list_deinit(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inner_hides_outer),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_random_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
