/* SPDX-License-Identifier: BSD-2-Clause */
/* Two workers of one server that do the same: one piece of evidence for each thing done, whatever its process, file or lock. */
#include "evidence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_builder.h"
#include "session.h"
#include "symbolizer.h"

enum { WORKERS = 2, PID = 40, MAIN = 0x1000, SAVE = 0x2000, HOLD = 0x3000, WRITE = 1, SYNC = 74 };

static const uint8_t session_id[16] = { 7, 7 };
static char trace_paths[WORKERS][64], kernel_path[64];

/* 1: main, 2: main > save, 3: main > hold; by one process, whose numbers of contexts are the other way round in the second. */
struct worker {
	uint32_t save, hold;
};

static struct worker write_trace(uint32_t index)
{
	struct trace_builder_options options = { .pid = PID + index };
	struct trace_builder *trace;
	struct worker worker;
	uint32_t main;

	memcpy(options.session, session_id, sizeof session_id);
	trace = trace_builder_create(&options);
	trace_builder_module(trace, "/bin/server", 0);
	main = trace_builder_context(trace, 0, MAIN, 0x500);
	if (index) {
		worker.hold = trace_builder_context(trace, main, HOLD, 0x1020);
		worker.save = trace_builder_context(trace, main, SAVE, 0x1010);
	} else {
		worker.save = trace_builder_context(trace, main, SAVE, 0x1010);
		worker.hold = trace_builder_context(trace, main, HOLD, 0x1020);
	}
	trace_builder_enter(trace, 0, 2000, main);
	trace_builder_enter(trace, 0, 2010, worker.save);
	trace_builder_exit(trace, 0, 2020);
	trace_builder_enter(trace, 0, 2030, worker.hold);
	trace_builder_exit(trace, 0, 2040);
	trace_builder_exit(trace, 0, 2050);
	trace_builder_thread_record(trace, 0)->kernel_tgid = PID + index;
	trace_builder_thread_record(trace, 0)->kernel_tid = PID + index;
	struct cprof_alloc allocs[] = {
		{ .context = worker.save, .calls = 10 + index, .bytes = 1000, .freed_calls = 8, .freed_bytes = 800, .temporary_calls = 5 },
	};

	trace_builder_table(trace, CPROF_CHUNK_ALLOC, 0, 1, allocs, sizeof allocs);
	trace_builder_end(trace);
	trace_builder_write(trace, trace_paths[index]);
	trace_builder_destroy(trace);
	return worker;
}

static void add_sum(struct kernel_builder *kernel, uint32_t worker, uint32_t context, struct cprof_kernel_sum_key key, uint64_t count, uint64_t ns)
{
	struct cprof_kernel_sum sum = { key, { .count = count, .ns = ns, .bytes = 10 * count } };

	sum.key.who = (struct cprof_who){ .tgid = PID + worker, .context = context, .quality = CPROF_QUALITY_SLOT };
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SUMS, &sum, sizeof sum);
}

static struct profile *make_profile(struct session **session, struct symbolizer **symbolizer)
{
	const struct cprof_kernel_end end = { .start_ns = 1, .end_ns = 10000000000u };
	const struct symbolizer_options symbols = { 0 };
	const struct profile_options options = { 0 };
	struct kernel_builder *kernel = kernel_builder_create(session_id);
	const char *paths[WORKERS];
	struct profile *profile = NULL;

	kernel_builder_source(kernel, "io", true, 0, "");
	kernel_builder_source(kernel, "locks", true, 0, "");
	kernel_builder_file(kernel, (struct cprof_file_id){ 100, 5, 0 }, "/var/log/first");
	kernel_builder_file(kernel, (struct cprof_file_id){ 101, 5, 0 }, "/var/log/second");
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct worker worker = write_trace(i);

		paths[i] = trace_paths[i];
		add_sum(kernel, i, worker.save, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_SYSCALL, .sub = WRITE, .object = 100 + i, .device = 5 }, 10, 500 * (i + 1));
		add_sum(kernel, i, worker.save, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_SYSCALL, .sub = SYNC, .object = 100, .device = 5 }, 2, 100);
		add_sum(kernel, i, worker.save, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_LOCK, .sub = CPROF_LOCK_MUTEX, .object = 0x7000 + i, .other = worker.hold }, 3, 30);
		/* Neither is what is asked for: another system call, another kind of lock. */
		add_sum(kernel, i, worker.save, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_SYSCALL, .sub = 0, .object = 100, .device = 5 }, 99, 9);
		add_sum(kernel, i, worker.save, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_LOCK, .sub = CPROF_LOCK_CONDITION, .object = 1 }, 99, 9);
	}
	/* Elsewhere: less, and so behind it. */
	add_sum(kernel, 0, 0, (struct cprof_kernel_sum_key){ .kind = CPROF_SUM_SYSCALL, .sub = WRITE, .object = 100, .device = 5 }, 1, 7);
	kernel_builder_window(kernel, 0, 10000000000u);
	kernel_builder_end(kernel, &end);
	kernel_builder_write(kernel, kernel_path);
	kernel_builder_destroy(kernel);
	assert_null(session_open(paths, WORKERS, session));
	assert_null(symbolizer_create(&symbols, symbolizer));
	assert_null(session_add_modules(*session, *symbolizer));
	assert_null(profile_create(*session, *symbolizer, &options, &profile));
	return profile;
}

static void test_workers(void **state)
{
	struct session *session;
	struct symbolizer *symbolizer;
	struct profile *profile = make_profile(&session, &symbolizer);
	struct evidence_list list;

	(void)state;
	assert_null(evidence_collect(profile, &list));
	assert_int_equal(list.nr, 5);
	const struct evidence *sync = &list.items[0], *write = &list.items[1], *elsewhere = &list.items[2], *lock = &list.items[3], *allocations = &list.items[4];

	assert_int_equal(sync->kind, EVIDENCE_SYNC);
	assert_int_equal(sync->count, 4);
	assert_int_equal(sync->ns, 200);
	assert_int_equal(sync->processes, 2);
	assert_int_equal(sync->objects, 1);
	assert_string_equal(sync->file, "/var/log/first");

	assert_int_equal(write->kind, EVIDENCE_WRITE);
	assert_int_equal(write->count, 20);
	assert_int_equal(write->ns, 1500);
	assert_int_equal(write->bytes, 200);
	assert_int_equal(write->objects, 2);
	assert_string_equal(write->file, "/var/log/second"); /* most of it is there */
	assert_int_equal(write->node->kind, NODE_FUNCTION);

	assert_int_equal(elsewhere->kind, EVIDENCE_WRITE);
	assert_null(elsewhere->node);
	assert_int_equal(elsewhere->count, 1);
	assert_int_equal(elsewhere->processes, 1);

	assert_int_equal(lock->kind, EVIDENCE_LOCK);
	assert_int_equal(lock->count, 6);
	assert_int_equal(lock->ns, 60);
	assert_int_equal(lock->processes, 2);
	assert_int_equal(lock->objects, 2);
	assert_int_equal(lock->lock, 0x7000);
	assert_ptr_equal(lock->other->parent, lock->node->parent); /* main, of one process */

	assert_int_equal(allocations->kind, EVIDENCE_ALLOCATION);
	assert_int_equal(allocations->count, 21);
	assert_int_equal(allocations->left_count, 5);
	assert_int_equal(allocations->left_bytes, 400);
	assert_int_equal(allocations->temporary, 10);
	assert_int_equal(allocations->processes, 2);
	evidence_deinit(&list);
	profile_destroy(profile);
	symbolizer_destroy(symbolizer);
	session_destroy(session);
}

static void test_nothing_recorded(void **state)
{
	const struct profile profile = { .kernel = NULL };
	struct evidence_list list;

	(void)state;
	assert_null(evidence_collect(&profile, &list));
	assert_int_equal(list.nr, 0);
	evidence_deinit(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_workers), cmocka_unit_test(test_nothing_recorded) };
	int failed;

	for (int i = 0; i < WORKERS; i++)
		snprintf(trace_paths[i], sizeof trace_paths[i], "evidence_test-%d%s.lz4", getpid(), i ? ".1" : "");
	snprintf(kernel_path, sizeof kernel_path, "evidence_test-%d.bpf.lz4", getpid());
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (int i = 0; i < WORKERS; i++)
		unlink(trace_paths[i]);
	unlink(kernel_path);
	return failed;
}
