/* SPDX-License-Identifier: BSD-2-Clause */
#include "live_allocs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

static struct cprof_kernel_sum sum_of(uint32_t kind, uint32_t sub, uint32_t context, uint64_t count, uint64_t ns, uint64_t bytes)
{
	return (struct cprof_kernel_sum){
		.key = { .who = { .tgid = 7, .context = context, .quality = CPROF_QUALITY_SLOT }, .kind = kind, .sub = sub },
		.value = { .count = count, .ns = ns, .max_ns = ns, .bytes = bytes },
	};
}

static const struct live_cell *cell_of(const struct live_model *model, uint16_t kind, uint64_t code)
{
	struct live_key key = { 7, 0, kind, code };

	return live_table_find(&model->cells, &key);
}

static void test_table_finds_what_was_put_and_holds_its_limit(void **state)
{
	struct item {
		uint64_t key, value;
	} *item;
	struct live_table table = LIVE_TABLE(uint64_t, struct item, 1000);

	(void)state;
	for (uint64_t key = 0; key < 1000; key++) {
		item = live_table_put(&table, &key);
		assert_non_null(item);
		assert_int_equal(item->value, 0);
		item->value = key * 3;
	}
	for (uint64_t key = 0; key < 1000; key++) {
		item = live_table_find(&table, &key);
		assert_int_equal(item->value, key * 3);
		assert_ptr_equal(live_table_put(&table, &key), item);
	}
	assert_null(live_table_find(&table, &(uint64_t){ 1000 }));
	assert_null(live_table_put(&table, &(uint64_t){ 1000 }));
	live_table_deinit(&table);
	assert_null(live_table_find(&table, &(uint64_t){ 1 }));
	assert_non_null(live_table_put(&table, &(uint64_t){ 1 }));
	live_table_deinit(&table);
}

static void test_each_kind_of_sum_has_its_numbers(void **state)
{
	struct cprof_kernel_sum sums[] = {
		sum_of(CPROF_SUM_OFF_CPU, CPROF_BLOCKED_SLEEP, 1, 3, 300, 0), sum_of(CPROF_SUM_OFF_CPU, CPROF_BLOCKED_DISK, 1, 2, 50, 0),
		sum_of(CPROF_SUM_RUN_QUEUE, 0, 1, 4, 40, 0),
		sum_of(CPROF_SUM_SYSCALL, SYS_write, 1, 5, 500, 4096), sum_of(CPROF_SUM_BLOCK_QUEUE, CPROF_BLOCK_WRITE, 1, 6, 60, 0),
		sum_of(CPROF_SUM_BLOCK_DEVICE, CPROF_BLOCK_WRITE, 1, 6, 600, 8192), sum_of(CPROF_SUM_LOCK, CPROF_LOCK_MUTEX, 1, 7, 700, 0),
		sum_of(CPROF_SUM_FAULT, 0, 1, 8, 0, 0), sum_of(CPROF_SUM_FAULT, 1, 1, 1, 0, 0), sum_of(CPROF_SUM_ALLOC, 0, 1, 9, 0, 900),
		sum_of(CPROF_SUM_FREE, 0, 1, 2, 0, 200), sum_of(999, 0, 1, 1, 1, 1),
	};
	struct live_model model;

	(void)state;
	live_model_init(&model, 1000);
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		live_model_sum(&model, &sums[i]);
	const struct live_numbers *now = &cell_of(&model, LIVE_CONTEXT, 1)->now;

	assert_int_equal(now->switches, 5);
	assert_int_equal(now->off_cpu_ns, 350);
	assert_int_equal(now->off_cpu_max_ns, 300);
	assert_int_equal(now->blocked_ns[CPROF_BLOCKED_SLEEP], 300);
	assert_int_equal(now->blocked_ns[CPROF_BLOCKED_DISK], 50);
	assert_int_equal(now->runq_ns, 40);
	assert_int_equal(now->io_calls, 5);
	assert_int_equal(now->io_ns, 500);
	assert_int_equal(now->io_bytes, 4096);
	assert_int_equal(now->requests, 6);
	assert_int_equal(now->request_ns, 660);
	assert_int_equal(now->request_bytes, 8192);
	assert_int_equal(now->waits, 7);
	assert_int_equal(now->wait_ns, 700);
	assert_int_equal(now->faults, 9);
	assert_int_equal(now->major_faults, 1);
	assert_int_equal(now->allocs, 9);
	assert_int_equal(now->alloc_bytes, 900);
	assert_int_equal(now->frees, 2);
	assert_int_equal(now->freed_bytes, 200);
	assert_memory_equal(now, &model.now, sizeof *now); /* there is no other place */
	assert_memory_equal(now, &model.total, sizeof *now);
	assert_int_equal(model.cells.count, 1);
	assert_int_equal(model.files.count, 2); /* write, and the device */
	assert_int_equal(model.locks.count, 1);
	live_model_deinit(&model);
}

static void test_samples_outside_of_contexts_are_by_address(void **state)
{
	struct cprof_kernel_sample sample = { .who = { .tgid = 7, .context = 3, .quality = CPROF_QUALITY_SLOT },
					      .ip = 0x1000,
					      .period_ns = 10 };
	struct live_model model;

	(void)state;
	live_model_init(&model, 0);
	live_model_sample(&model, &sample);
	sample.flags = CPROF_SAMPLE_KERNEL; /* in the kernel, for a context: the context's */
	live_model_sample(&model, &sample);
	sample.who.context = 0;
	sample.who.quality = CPROF_QUALITY_NO_RUNTIME;
	live_model_sample(&model, &sample);
	sample.flags = 0;
	live_model_sample(&model, &sample);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 3)->now.samples, 2);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 3)->now.sampled_ns, 20);
	assert_int_equal(cell_of(&model, LIVE_KERNEL, 0x1000)->now.samples, 1);
	assert_int_equal(cell_of(&model, LIVE_USER, 0x1000)->now.samples, 1);
	assert_int_equal(model.qualities[CPROF_QUALITY_SLOT], 2);
	assert_int_equal(model.qualities[CPROF_QUALITY_NO_RUNTIME], 2);
	live_model_deinit(&model);
}

static void test_a_window_ends_and_the_sums_go_on(void **state)
{
	struct cprof_kernel_sum sum = sum_of(CPROF_SUM_SYSCALL, SYS_read, 1, 2, 20, 200);
	struct cprof_module module = { .id = 1 };
	struct live_snapshot first, second;
	struct live_model model;

	(void)state;
	live_model_init(&model, 1000);
	live_model_sum(&model, &sum);
	live_model_modules(&model, 7, 0, &module, 1);
	assert_true(live_model_take(&model, 2000, &first));
	live_model_sum(&model, &sum);
	live_model_sum(&model, &sum);
	assert_true(live_model_take(&model, 5000, &second));
	assert_int_equal(first.end_ns - first.model.window_start_ns, 1000);
	assert_int_equal(second.end_ns - second.model.window_start_ns, 3000);
	assert_int_equal(first.model.now.io_calls, 2);
	assert_int_equal(second.model.now.io_calls, 4);
	assert_int_equal(second.model.total.io_calls, 6);
	assert_int_equal(cell_of(&first.model, LIVE_CONTEXT, 1)->total.io_calls, 2);
	assert_int_equal(cell_of(&second.model, LIVE_CONTEXT, 1)->now.io_calls, 4);
	assert_int_equal(cell_of(&second.model, LIVE_CONTEXT, 1)->total.io_calls, 6);
	assert_int_equal(second.model.io[LIVE_IO_READ].now.bytes, 400);
	assert_int_equal(second.model.io[LIVE_IO_READ].total.bytes, 600);
	assert_non_null(first.model.modules); /* handed over once */
	assert_null(second.model.modules);
	assert_int_equal(model.now.io_calls, 0);
	live_snapshot_deinit(&first);
	live_snapshot_deinit(&second);
	live_model_deinit(&model);
}

static void test_places_without_room_are_summed(void **state)
{
	struct live_model model;
	const struct live_cell *rest;
	struct live_key key = { .kind = LIVE_REST };

	(void)state;
	live_model_init(&model, 0);
	model.cells.limit = 11;
	for (uint32_t context = 1; context <= 30; context++) {
		struct cprof_kernel_sum sum = sum_of(CPROF_SUM_FAULT, 0, context, 1, 0, 0);

		live_model_sum(&model, &sum);
	}
	rest = live_table_find(&model.cells, &key);
	assert_int_equal(model.cells.count, 11);
	assert_int_equal(rest->now.faults, 20);
	assert_int_equal(model.now.faults, 30);
	live_model_deinit(&model);
}

static void test_percentiles_are_upper_ends_of_buckets(void **state)
{
	struct live_latency latency = { .count = 100, .max_ns = 70000 };

	(void)state;
	assert_int_equal(live_latency_percentile(&(struct live_latency){ .count = 0 }, 50), 0);
	latency.buckets[10] = 50; /* 1024 .. 2047 */
	latency.buckets[12] = 40; /* 4096 .. 8191 */
	latency.buckets[15] = 9;  /* 32768 .. 65535 */
	latency.buckets[16] = 1;  /* 65536 .. */
	assert_int_equal(live_latency_percentile(&latency, 50), 2047);
	assert_int_equal(live_latency_percentile(&latency, 51), 8191);
	assert_int_equal(live_latency_percentile(&latency, 90), 8191);
	assert_int_equal(live_latency_percentile(&latency, 99), 65535);
	assert_int_equal(live_latency_percentile(&latency, 100), 70000);
	latency = (struct live_latency){ .max_ns = 9000000000u, .buckets = { [31] = 1 } }; /* the last one is open */
	assert_int_equal(live_latency_percentile(&latency, 50), 9000000000u);
	latency = (struct live_latency){ .max_ns = 1, .buckets = { [0] = 3 } };
	assert_int_equal(live_latency_percentile(&latency, 50), 1);
}

static void test_slow_ones_are_counted_from_single_records(void **state)
{
	struct cprof_kernel_io io = { .duration_ns = LIVE_SLOW_NS, .syscall = SYS_fsync };
	struct cprof_kernel_block block = { .device_ns = LIVE_SLOW_NS - 1, .op = CPROF_BLOCK_WRITE | CPROF_BLOCK_ASYNC };
	struct live_model model;

	(void)state;
	live_model_init(&model, 0);
	live_model_io(&model, &io);
	io.duration_ns--;
	live_model_io(&model, &io);
	live_model_block(&model, &block);
	assert_int_equal(model.io[LIVE_IO_SYNC].now.slow, 1);
	assert_int_equal(model.io[LIVE_IO_DEVICE_ASYNC].now.slow, 0);
	block.device_ns++;
	live_model_block(&model, &block);
	assert_int_equal(model.io[LIVE_IO_DEVICE_ASYNC].total.slow, 1);
	live_model_deinit(&model);
}

static struct live_file_cell *file_of(struct live_model *model, uint64_t inode, uint32_t device)
{
	struct live_file_key key = { inode, device, LIVE_IO_WRITE };

	return live_table_find(&model->files, &key);
}

static void name_file(struct live_model *model, uint32_t generation, const char *name)
{
	struct {
		struct cprof_kernel_file file;
		char text[16];
	} said = { { { 9, 1, generation }, (uint32_t)strlen(name), 0 }, "" };

	memcpy(said.text, name, strlen(name));
	live_model_file(model, &said.file, sizeof said);
}

/* The number of a file that is gone is another's; a file that was renamed is the same. */
static void test_numbers_that_are_used_again(void **state)
{
	struct cprof_kernel_sum sum = { .key = { .who = { .tgid = 7 }, .kind = CPROF_SUM_SYSCALL, .sub = SYS_write, .object = 9, .device = 1, .other = 5 },
					.value = { .count = 3, .ns = 30, .max_ns = 11, .bytes = 300 } };
	struct live_model model;

	(void)state;
	live_model_init(&model, 0);
	name_file(&model, 5, "/first");
	live_model_sum(&model, &sum);
	name_file(&model, 5, "/renamed");
	live_model_sum(&model, &sum);
	assert_int_equal(file_of(&model, 9, 1)->total.count, 6);
	assert_null(file_of(&model, LIVE_GONE_INODE, 0));
	name_file(&model, 6, "/renamed"); /* made anew: to whoever looks, the same */
	live_model_sum(&model, &sum);
	assert_int_equal(file_of(&model, 9, 1)->total.count, 9);
	name_file(&model, 7, "/second");
	assert_int_equal(file_of(&model, 9, 1)->total.count, 0);
	sum.key.other = 7;
	live_model_sum(&model, &sum);
	sum.key.other = 6; /* what was left to be said of the one that is gone */
	live_model_sum(&model, &sum);
	assert_int_equal(file_of(&model, 9, 1)->now.count, 3);
	assert_int_equal(file_of(&model, LIVE_GONE_INODE, 0)->now.count, 12);
	assert_int_equal(file_of(&model, LIVE_GONE_INODE, 0)->total.bytes, 1200);
	assert_int_equal(file_of(&model, LIVE_GONE_INODE, 0)->total.max_ns, 11);
	assert_int_equal(model.dropped, 0);
	live_model_deinit(&model);
}

/* Lengths in records come from a ring that only our programs write; all the same none is believed. */
static void test_cut_records_are_read_as_far_as_they_go(void **state)
{
	struct {
		struct cprof_kernel_stack stack;
		uint64_t frames[2];
	} stack = { { 5, 64, 0 }, { 11, 22 } };
	struct {
		struct cprof_kernel_file file;
		char text[400];
	} file = { { { 9, 1, 0 }, 400, 0 }, "" };
	const struct live_path_key key = { 9, 1, 0 };
	struct live_model model;

	(void)state;
	live_model_init(&model, 0);
	live_model_stack(&model, &stack.stack, sizeof stack);
	assert_int_equal(((struct live_stack *)live_table_find(&model.stacks, &stack.stack.key))->count, 2);
	memset(file.text, 'x', sizeof file.text);
	file.text[399] = 'e';
	live_model_file(&model, &file.file, sizeof file);
	const struct live_path *path = live_table_find(&model.paths, &key);

	assert_int_equal(strlen(path->text), sizeof path->text - 1);
	assert_int_equal(path->text[sizeof path->text - 2], 'e'); /* its end is kept */
	live_model_file(&model, &file.file, sizeof file.file + 3);
	path = live_table_find(&model.paths, &key);
	assert_string_equal(path->text, "xxx");
	live_model_deinit(&model);
}

static void test_allocations_read_from_live_files(void **state)
{
	struct cprof_alloc records[] = { { .context = 1, .calls = 10, .bytes = 1000, .freed_calls = 4, .freed_bytes = 300 },
					 { .context = 2, .calls = 1, .bytes = 8 } };
	struct live_allocs allocs;
	struct live_model model;

	(void)state;
	live_allocs_init(&allocs);
	live_allocs_read(&allocs, 7, 0, records, 2, false, false);
	live_model_init(&model, 0);
	live_allocs_apply(&allocs, &model);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 1)->now.allocs, 10);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 1)->total.freed_bytes, 300);
	assert_int_equal(model.now.alloc_bytes, 1008);
	live_model_deinit(&model);

	records[0].calls = 15; /* it has gone on, and another word is from before: that is not believed */
	records[0].bytes = 900;
	live_allocs_read(&allocs, 7, 0, records, 2, false, true);
	live_model_init(&model, 0);
	live_allocs_apply(&allocs, &model);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 1)->now.allocs, 5);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 1)->now.alloc_bytes, 0);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 1)->total.alloc_bytes, 1000);
	assert_int_equal(cell_of(&model, LIVE_CONTEXT, 2)->now.allocs, 0);
	live_model_deinit(&model);
	assert_false(live_allocs_is_wanted(&allocs, 7, 0));
	assert_true(live_allocs_is_wanted(&allocs, 7, 1));

	live_model_init(&model, 0); /* one that has ended keeps its sums; one that ran before begins with 0 */
	live_allocs_read(&allocs, 8, 0, records, 1, true, false);
	live_allocs_apply(&allocs, &model);
	assert_int_equal(model.total.allocs, 16);
	assert_int_equal(model.now.allocs, 0);
	live_model_deinit(&model);
	records[0].calls = 18;
	live_allocs_read(&allocs, 8, 0, records, 1, true, false);
	live_model_init(&model, 0);
	live_allocs_apply(&allocs, &model);
	assert_int_equal(model.now.allocs, 3);
	assert_int_equal(model.total.allocs, 19);
	live_model_deinit(&model);
	live_allocs_deinit(&allocs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_finds_what_was_put_and_holds_its_limit),
		cmocka_unit_test(test_each_kind_of_sum_has_its_numbers),
		cmocka_unit_test(test_samples_outside_of_contexts_are_by_address),
		cmocka_unit_test(test_a_window_ends_and_the_sums_go_on),
		cmocka_unit_test(test_places_without_room_are_summed),
		cmocka_unit_test(test_percentiles_are_upper_ends_of_buckets),
		cmocka_unit_test(test_slow_ones_are_counted_from_single_records),
		cmocka_unit_test(test_numbers_that_are_used_again),
		cmocka_unit_test(test_cut_records_are_read_as_far_as_they_go),
		cmocka_unit_test(test_allocations_read_from_live_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
