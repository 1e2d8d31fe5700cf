/* SPDX-License-Identifier: BSD-2-Clause */
/* What perf events say of a process that ran already, when they were there before the recording began. */
#include "perf_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

enum { MS = 1000000 };
#define SINCE_NS (1000ull * MS)

static struct kernel_writer writer = { .fd = -1 };
static struct process_modules modules;

static int close_all(void **state)
{
	(void)state;
	kernel_writer_deinit(&writer);
	process_modules_deinit(&modules);
	return 0;
}

static void take(struct perf_threads *threads, uint8_t kind, uint32_t tid, int64_t ms)
{
	const struct perf_news news = { .kind = kind, .tgid = (uint32_t)getpid(), .parent_tgid = (uint32_t)getpid(), .tid = tid,
					.time_ns = SINCE_NS + (uint64_t)(ms * MS), .preempted = true };

	perf_threads_take(threads, &news, NULL);
}

static const struct cprof_kernel_thread *said(const struct perf_threads *threads, uint32_t tid)
{
	for (size_t i = 0; i < threads->nr_threads; i++)
		if (threads->threads[i]->said.tid == tid)
			return &threads->threads[i]->said;
	fail_msg("no thread %u", tid);
	return NULL;
}

static void assert_thread(const struct cprof_kernel_thread *thread, uint64_t on_cpu_ms, uint64_t runq_ms)
{
	assert_int_equal(thread->start_ns, SINCE_NS);
	assert_int_equal(thread->on_cpu_ns, on_cpu_ms * MS);
	assert_int_equal(thread->runq_ns, runq_ms * MS);
	assert_int_equal(thread->end_ns - thread->start_ns, thread->on_cpu_ns + thread->runq_ns);
}

/* This thread: it runs. What it did before is nothing of the recording's. */
static void test_before(void **state)
{
	struct perf_threads threads = { .writer = &writer, .modules = &modules, .off_cpu = true };
	uint32_t pid = (uint32_t)getpid();

	(void)state;
	perf_threads_adopt(&threads, pid, SINCE_NS);
	take(&threads, PERF_LEFT, pid, -200);
	take(&threads, PERF_RETURNED, pid, -99);
	take(&threads, PERF_SAMPLED, pid, -98);
	take(&threads, PERF_FAULTED, pid, -97);
	take(&threads, PERF_LEFT, pid, 10);
	take(&threads, PERF_RETURNED, pid, 15);
	perf_threads_finish(&threads, SINCE_NS + 20 * MS);
	assert_thread(said(&threads, pid), 15, 5);
	assert_int_equal(said(&threads, pid)->switches, 1);
	assert_int_equal(threads.samples + threads.faults + threads.switches_unseen, 0);
	perf_threads_deinit(&threads);
}

/* Born before it, and gone again, or not. */
static void test_born_before(void **state)
{
	struct perf_threads threads = { .writer = &writer, .modules = &modules, .off_cpu = true };
	uint32_t pid = (uint32_t)getpid(), gone = pid + 1000000, there = pid + 1000001;

	(void)state;
	perf_threads_adopt(&threads, pid, SINCE_NS);
	take(&threads, PERF_FORKED, gone, -50);
	take(&threads, PERF_RETURNED, gone, -49);
	take(&threads, PERF_LEFT, gone, -48);
	take(&threads, PERF_FORKED, there, -40);
	take(&threads, PERF_RETURNED, there, -39);
	take(&threads, PERF_ENDED, gone, -30);
	take(&threads, PERF_RETURNED, there, 5);
	assert_int_equal(threads.nr_threads, 2);
	perf_threads_finish(&threads, SINCE_NS + 20 * MS);
	assert_thread(said(&threads, there), 15, 5);
	perf_threads_deinit(&threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_born_before),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
