/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel has added up by CPU is the sums of all CPUs: of equal keys one, with all that each had. */
#include "sums_merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "switch_sums.h"

enum { KEYS = 5000 };

static struct cprof_kernel_sum sum_of(uint32_t context, uint64_t ns)
{
	struct cprof_kernel_sum sum = { .key = { .who = { .context = context }, .kind = CPROF_SUM_OFF_CPU },
					.value = { .count = 1, .ns = ns, .max_ns = ns, .bytes = 2 } };

	sum.value.histogram[context % CPROF_SUM_BUCKETS] = 1;
	return sum;
}

static void test_equal_keys_are_one(void **state)
{
	struct sums_merge merge = { .sums = NULL };

	(void)state;
	for (int round = 0; round < 2; round++) { /* the second time in what the first has left */
		for (uint32_t i = 0; i < 3 * KEYS; i++) {
			struct cprof_kernel_sum sum = sum_of(i % KEYS, i);

			assert_true(sums_merge_add(&merge, &sum));
		}
		assert_int_equal(merge.count, KEYS);
		for (uint32_t i = 0; i < KEYS; i++) { /* in the order in which they came */
			const struct cprof_kernel_sum *sum = &merge.sums[i];

			assert_int_equal(sum->key.who.context, i);
			assert_int_equal(sum->value.count, 3);
			assert_int_equal(sum->value.ns, 3 * (uint64_t)i + 3 * KEYS);
			assert_int_equal(sum->value.max_ns, i + 2 * KEYS);
			assert_int_equal(sum->value.bytes, 6);
			for (uint32_t bucket = 0; bucket < CPROF_SUM_BUCKETS; bucket++)
				assert_int_equal(sum->value.histogram[bucket], bucket == i % CPROF_SUM_BUCKETS ? 3 : 0);
		}
		sums_merge_clear(&merge);
		assert_int_equal(merge.count, 0);
	}
	sums_merge_deinit(&merge);
}

static void test_a_place_tells_what_it_has(void **state)
{
	struct switch_sums place = { .who = { .tgid = 7, .tid = 8, .context = 9, .generation = 1, .quality = CPROF_QUALITY_SLOT },
				     .blocked_class = CPROF_BLOCKED_POLL,
				     .stack = 10 };
	struct cprof_kernel_sum told[2];

	(void)state;
	assert_int_equal(switch_sums_tell(&place, told), 0); /* nobody's */
	place.used = 1;
	assert_int_equal(switch_sums_tell(&place, told), 0);
	place.blocked = (struct switch_time){ .ns = 100, .max_ns = 60, .histogram = { [5] = 2, [3] = 1 } };
	assert_int_equal(switch_sums_tell(&place, told), 1);
	place.runq = (struct switch_time){ .ns = 1, .max_ns = 1, .histogram = { [0] = 1 } };
	assert_int_equal(switch_sums_tell(&place, told), 2);
	assert_int_equal(told[0].key.kind, CPROF_SUM_OFF_CPU);
	assert_int_equal(told[0].key.sub, CPROF_BLOCKED_POLL);
	assert_int_equal(told[0].value.count, 3);
	assert_int_equal(told[0].value.ns, 100);
	assert_int_equal(told[0].value.max_ns, 60);
	assert_int_equal(told[0].value.histogram[5], 2);
	assert_int_equal(told[1].key.kind, CPROF_SUM_RUN_QUEUE);
	assert_int_equal(told[1].key.sub, 0); /* so that those of all classes are one */
	assert_int_equal(told[1].value.count, 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(told[i].key.who.tid, 0);
		assert_int_equal(told[i].key.who.context, 9);
		assert_int_equal(told[i].key.who.generation, 1);
		assert_int_equal(told[i].key.stack, 10);
	}
	place.blocked = (struct switch_time){ .ns = 0 };
	place.blocked_class = CPROF_BLOCKED_COUNT;
	assert_int_equal(switch_sums_tell(&place, told), 1);
	assert_int_equal(told[0].key.kind, CPROF_SUM_RUN_QUEUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_keys_are_one),
		cmocka_unit_test(test_a_place_tells_what_it_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
