/* SPDX-License-Identifier: BSD-2-Clause */
/* The shadow of blocks: what is put is taken once, sizes and contexts of any length, addresses that no block can have, a forked child. */
#include "alloc_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "alloc_pool.h"

static void assert_block(uint64_t address, uint32_t context, uint64_t bytes)
{
	struct alloc_block block = alloc_blocks_take(address);

	assert_true(block.known);
	assert_int_equal(block.context, context);
	assert_true(block.bytes == bytes);
	assert_false(alloc_blocks_take(address).known);
}

static void test_extremes(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 4096, ALLOC_SIZE_LARGE - 1, ALLOC_SIZE_LARGE, ALLOC_SIZE_LARGE + 1, 1ull << 46 };
	static const uint32_t contexts[] = { 0, 1, 12345678, ALLOC_CONTEXT_MAX, ALLOC_CONTEXT_PENDING };

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
		for (size_t c = 0; c < sizeof contexts / sizeof *contexts; c++) {
			assert_true(alloc_blocks_put(0x7f0000000010, contexts[c], sizes[s]));
			assert_block(0x7f0000000010, contexts[c], sizes[s]);
		}
	}
}

/* Neighbours, and the last place of a leaf: a large block's size then lies in the next one. */
static void test_places(void **state)
{
	const uint64_t leaf = 1ull << ALLOC_LEAF_BITS, last = (1ull << ALLOC_ADDRESS_BITS) - 16;

	(void)state;
	assert_true(alloc_blocks_put(5 * leaf - 16, 7, 1ull << 40));
	assert_true(alloc_blocks_put(5 * leaf - 32, 8, 16));
	assert_block(5 * leaf - 16, 7, 1ull << 40);
	assert_block(5 * leaf - 32, 8, 16);
	assert_true(alloc_blocks_put(last, 9, 10));
	assert_block(last, 9, 10);
	assert_false(alloc_blocks_put(last + 16, 9, 10));   /* beyond what a process has */
	assert_false(alloc_blocks_put(UINT64_MAX - 15, 9, 10));
	assert_false(alloc_blocks_put(5 * leaf + 8, 9, 10)); /* between two places */
	assert_false(alloc_blocks_take(5 * leaf + 8).known);
	assert_false(alloc_blocks_take(0).known);
	assert_false(alloc_blocks_take(77 * leaf).known);    /* never any block there */
}

/* The parent's blocks are not the child's, though no handler has run; the child's own are. */
static void test_child(void **state)
{
	int status = -1;

	(void)state;
	assert_true(alloc_blocks_put(0x550000001000, 3, 100));
	pid_t child = fork();
	if (child == 0) {
		bool inherited = alloc_blocks_take(0x550000001000).known;
		bool own = alloc_blocks_put(0x550000001000, 4, 50) && alloc_blocks_take(0x550000001000).bytes == 50;

		_exit(inherited ? 1 : own ? 0 : 2);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_block(0x550000001000, 3, 100);
}

static void test_forget(void **state)
{
	(void)state;
	assert_true(alloc_blocks_put(0x550000002000, 3, 100));
	alloc_blocks_forget();
	assert_false(alloc_blocks_take(0x550000002000).known);
}

static int open_all(void **state)
{
	(void)state;
	alloc_pool_open();
	return !alloc_blocks_create(16);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_extremes), cmocka_unit_test(test_places), cmocka_unit_test(test_child),
					    cmocka_unit_test(test_forget) };

	return cmocka_run_group_tests(tests, open_all, NULL);
}
