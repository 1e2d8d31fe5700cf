/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole programs with threads, recorded and read back: every call of every thread is in the trace once, or counted as lost.
 *
 * With buffers so small that threads must drain for each other, with a drain thread and without, with short threads by the thousand, with
 * signal handlers that fill blocks, and with threads that run on while the process ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "rt_run_test_support.h"
#include "rt_thread.h"
#include "rt_threads_program.h"

#ifdef CPROF_TEST_TSAN /* the drain thread is not one that the sanitizer knows: without it */
#define NEEDS_DRAIN_THREAD() skip()
#define THREADS_RUN_ON() skip() /* what they write after the end races with the end by nature; it is not used */
#define DRAIN "inline"
enum { THREADS = 8, ROUNDS = 20000, SHORT_THREADS = 600, SHORT_ALIVE = 32 };
#else
#define NEEDS_DRAIN_THREAD() ((void)0)
#define THREADS_RUN_ON() ((void)0)
#define DRAIN "thread"
enum { THREADS = 8, ROUNDS = 100000, SHORT_THREADS = 5000, SHORT_ALIVE = 64 };
#endif

static uint64_t recursions(uint64_t rounds)
{
	return (rounds + 63) / 64 * 11;
}

/* Of one program_thread(rounds). */
static uint64_t calls_of(uint64_t rounds)
{
	return 2 + 4 * rounds + recursions(rounds);
}

static void check_thread(const struct trace_counts *counts, size_t t, uint64_t rounds)
{
	const struct trace_thread_counts *thread = &counts->threads[t];

	assert_int_equal(trace_counts_calls(counts, t, program_thread), 1);
	assert_int_equal(trace_counts_calls(counts, t, program_work), 1);
	assert_int_equal(trace_counts_calls(counts, t, program_leaf), 3 * rounds);
	assert_int_equal(trace_counts_calls(counts, t, program_mid), rounds);
	assert_int_equal(trace_counts_calls(counts, t, program_recurse), recursions(rounds));
	assert_int_equal(thread->enters, calls_of(rounds));
	assert_int_equal(thread->exits, calls_of(rounds));
	assert_int_equal(thread->open, 0);
	assert_int_equal(thread->repaired, 0);
	assert_int_equal(thread->record_lost, 0);
	assert_int_equal(thread->record_unmatched, 0);
}

static void threads_run(void *unused)
{
	pthread_t threads[THREADS];

	(void)unused;
	for (unsigned long i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, program_thread, (void *)(unsigned long)ROUNDS))
			exit(9);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void check_threads(const struct run *run)
{
	struct trace_counts *counts = run_counts(run, threads_run, NULL);

	assert_int_equal(counts->nr_threads, THREADS);
	for (size_t t = 0; t < THREADS; t++)
		check_thread(counts, t, ROUNDS);
	trace_counts_destroy(counts);
}

static void test_threads_drain_inline(void **state)
{
	(void)state;
	check_threads(&(struct run){ .buffer = "256k", .drain = "inline" });
}

static void test_threads_default(void **state)
{
	(void)state;
	NEEDS_DRAIN_THREAD();
	check_threads(&(struct run){ 0 });
}

static void test_threads_small_buffer(void **state)
{
	(void)state;
	NEEDS_DRAIN_THREAD();
	check_threads(&(struct run){ .buffer = "256k" });
}

static void short_threads(void *unused)
{
	pthread_t threads[SHORT_ALIVE];

	(void)unused;
	for (unsigned long i = 0; i < SHORT_THREADS; i++) {
		if (i >= SHORT_ALIVE)
			pthread_join(threads[i % SHORT_ALIVE], NULL);
		if (pthread_create(&threads[i % SHORT_ALIVE], NULL, program_thread, (void *)(i % 100)))
			exit(9);
	}
	for (int i = 0; i < SHORT_ALIVE; i++)
		pthread_join(threads[i], NULL);
}

static void check_short_threads(const struct run *run)
{
	struct trace_counts *counts = run_counts(run, short_threads, NULL);

	assert_int_equal(counts->nr_threads, SHORT_THREADS);
	for (size_t t = 0; t < SHORT_THREADS; t++)
		check_thread(counts, t, trace_counts_calls(counts, t, program_mid));
	for (unsigned long rounds = 0; rounds < 100; rounds++) {
		size_t threads = 0;
		for (size_t t = 0; t < SHORT_THREADS; t++)
			threads += trace_counts_calls(counts, t, program_mid) == rounds;
		assert_int_equal(threads, SHORT_THREADS / 100);
	}
	trace_counts_destroy(counts);
}

static void test_short_threads(void **state)
{
	(void)state;
	check_short_threads(&(struct run){ .buffer = "256k", .drain = "inline" });
}

static void test_short_threads_drain_thread(void **state)
{
	(void)state;
	NEEDS_DRAIN_THREAD();
	check_short_threads(&(struct run){ .buffer = "256k" });
}

/* What found no buffer is counted to the event, and the calls that were open then go on. */
static void check_drop(const struct run *run, uint64_t *lost)
{
	struct trace_counts *counts = run_counts(run, threads_run, NULL);

	assert_int_equal(counts->nr_threads, THREADS);
	*lost = 0;
	for (size_t t = 0; t < THREADS; t++) {
		const struct trace_thread_counts *thread = &counts->threads[t];

		assert_int_equal(thread->enters + thread->exits + thread->record_lost, 2 * calls_of(ROUNDS));
		assert_in_range(thread->lost_events, 0, thread->record_lost);
		assert_true(thread->losses || !thread->lost_events);
		*lost += thread->record_lost;
	}
	assert_int_equal(counts->lost_by_buffer, *lost);
	print_message("%" PRIu64 " of %" PRIu64 " events lost\n", *lost, (uint64_t)(2 * calls_of(ROUNDS) * THREADS));
	trace_counts_destroy(counts);
}

static void test_drop(void **state)
{
	uint64_t lost = 0;

	(void)state;
	check_drop(&(struct run){ .buffer = "256k", .full = "drop", .drain = "inline" }, &lost);
}

static void test_drop_drain_thread(void **state)
{
	uint64_t lost = 0;

	(void)state;
	NEEDS_DRAIN_THREAD();
	check_drop(&(struct run){ .buffer = "256k", .full = "drop" }, &lost);
	assert_in_range(lost, 1, UINT64_MAX); /* else nothing was tested */
}

/* Whoever drains a thread's blocks gets no processor until the thread has filled all it may: it waits, and loses nothing. */
static void *stall(void *stalled)
{
	struct rt_thread *thread = rt_thread_at(0);
	struct timespec pause = { 0, 20000000 };
	uint32_t no = 0;

	while (!atomic_compare_exchange_strong(&thread->draining, &no, 1))
		no = 0;
	atomic_store((_Atomic int *)stalled, 1);
	while (!atomic_load(&thread->pending[atomic_load(&thread->sequence) % RT_PENDING])) /* that of the next block: all are taken */
		sched_yield();
	nanosleep(&pause, NULL);
	atomic_store(&thread->draining, 0);
	atomic_store((_Atomic int *)stalled, 2);
	return NULL;
}

static void stalled_run(void *unused)
{
	static _Atomic int stalled;
	pthread_t thread;

	(void)unused;
	program_leaf();
	if (pthread_create(&thread, NULL, stall, &stalled))
		exit(9);
	while (!atomic_load(&stalled))
		sched_yield();
	while (atomic_load(&stalled) < 2)
		program_leaf();
	pthread_join(thread, NULL);
}

static void test_stalled_drain(void **state)
{
	struct trace_counts *counts;

	(void)state;
	NEEDS_DRAIN_THREAD();
	counts = run_counts(&(struct run){ 0 }, stalled_run, NULL);
	assert_int_equal(counts->threads[0].record_lost, 0);
	assert_int_equal(counts->threads[0].enters, counts->threads[0].exits);
	assert_true(counts->threads[0].enters > 1000000); /* else the ring was never full */
	trace_counts_destroy(counts);
}

/* A timer's handler makes calls, in whatever the thread is doing. */
static void signals_run(void *leaves_in_handler)
{
	struct sigaction action = { .sa_handler = leaves_in_handler };
	struct itimerval timer = { { 0, 50 }, { 0, 50 } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	program_thread((void *)(unsigned long)(ROUNDS * 4));
	timer = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &timer, NULL);
	signal(SIGALRM, SIG_IGN);
	FILE *file = fopen("runs", "w");
	fprintf(file, "%lu", program_handler_runs);
	fclose(file);
}

static void test_signals(void **state)
{
	(void)state;
	struct trace_counts *counts = run_counts(&(struct run){ .buffer = "256k", .drain = DRAIN }, signals_run, program_handler);
	uint64_t runs = strtoul(file_text("runs"), NULL, 10);

	print_message("%" PRIu64 " signals\n", runs);
	assert_in_range(runs, 10, UINT64_MAX);
	assert_int_equal(trace_counts_calls(counts, 0, program_handler), runs);
	assert_int_equal(trace_counts_calls(counts, 0, program_leaf), 3 * runs + 3 * 4 * ROUNDS);
	assert_int_equal(trace_counts_calls(counts, 0, program_mid), 4 * ROUNDS);
	assert_int_equal(counts->threads[0].repaired + counts->threads[0].record_unmatched + counts->threads[0].record_lost, 0);
	assert_int_equal(counts->threads[0].open, 0);
	trace_counts_destroy(counts);
}

/* The event index wraps round before it reaches 2^32. */
static void rebase_run(void *unused)
{
	(void)unused;
	program_leaf();
	uint32_t jump = 0x7FFFF000u - (uint32_t)rt_tls.state;
	rt_tls.state += jump;
	rt_tls.events -= jump;
	rt_tls.end += jump;
	rt_tls.thread->first_next += jump;
	rt_tls.thread->real_end += jump;
	program_thread((void *)(unsigned long)ROUNDS);
	if ((uint32_t)rt_tls.state > 0x7FFFF000u)
		exit(8);
}

static void test_rebase(void **state)
{
	(void)state;
	struct trace_counts *counts = run_counts(&(struct run){ .drain = DRAIN }, rebase_run, NULL);

	assert_int_equal(trace_counts_calls(counts, 0, program_leaf), 3 * ROUNDS + 1);
	assert_int_equal(counts->threads[0].exits, calls_of(ROUNDS) + 1);
	trace_counts_destroy(counts);
}

static _Atomic int at_work;

static void *endless(void *unused)
{
	(void)unused;
	program_work(64);
	at_work++;
	for (;;)
		program_work(64);
	return NULL;
}

static void running_at_exit(void *unused)
{
	pthread_t thread;

	(void)unused;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread, NULL, endless, NULL);
	while (at_work < THREADS)
		sched_yield();
}

/* What threads record while the process ends may be missing; all before that must be there, and the trace be readable. */
static void test_running_at_exit(void **state)
{
	size_t clean = 0;

	(void)state;
	THREADS_RUN_ON();
	for (int round = 0; round < 20; round++) {
		assert_int_equal(run_child(&(struct run){ .buffer = "1m", .drain = DRAIN }, running_at_exit, NULL), 0);
		struct trace_counts *counts = run_read("trace.lz4");
		clean += counts->clean;
		assert_int_equal(counts->nr_threads, THREADS);
		trace_counts_destroy(counts);
	}
	print_message("%zu of 20 clean\n", clean);
	assert_int_equal(clean, 20);
}

static void *dying(void *rounds)
{
	program_thread(rounds);
	return NULL;
}

static void dying_at_exit(void *unused)
{
	pthread_attr_t attributes;
	pthread_t thread;

	(void)unused;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 32 << 20); /* more than glibc keeps: unmapped when the thread is gone */
	for (unsigned long i = 0; i < 100; i++)
		pthread_create(&thread, &attributes, dying, (void *)(i * 20));
	program_leaf();
}

static void test_dying_at_exit(void **state)
{
	(void)state;
	THREADS_RUN_ON();
	for (int round = 0; round < 40; round++) {
		assert_int_equal(run_child(&(struct run){ .buffer = "256k", .drain = DRAIN }, dying_at_exit, NULL), 0);
		struct trace_counts *counts = run_read("trace.lz4");
		assert_true(counts->clean);
		trace_counts_destroy(counts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads_drain_inline),
		cmocka_unit_test(test_threads_default),
		cmocka_unit_test(test_threads_small_buffer),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_rebase),
		cmocka_unit_test(test_running_at_exit),
		cmocka_unit_test(test_dying_at_exit),
		cmocka_unit_test(test_short_threads),
		cmocka_unit_test(test_short_threads_drain_thread),
		cmocka_unit_test(test_stalled_drain),
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_drop_drain_thread),
	};

	return cmocka_run_group_tests(tests, run_setup, run_teardown);
}
