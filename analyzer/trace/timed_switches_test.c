/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recording without BPF knows of threads, in their events. */
#include "trace_test_support.h"

#include <string.h>

#include "kernel_builder.h"
#include "slots.h"

static const uint8_t session_id[16] = { 7, 7 };
static char path[64], kernel_path[64];

enum { PID = 40, TID = 41, OTHER_TID = 42 };

static struct trace_builder *make_trace(void)
{
	struct trace_builder_options options = { .pid = PID };

	memcpy(options.session, session_id, sizeof session_id);
	return trace_builder_create(&options);
}

static void add_thread(struct trace_builder *trace, uint32_t index, uint32_t tid, uint64_t start_tsc)
{
	struct cprof_thread *thread = trace_builder_thread_record(trace, index);

	thread->tid = tid;
	thread->start_tsc = start_tsc;
	thread->end_tsc = 0;
}

static void add_wait(struct kernel_builder *kernel, uint32_t tid, uint64_t ticks, uint64_t blocked_ns, uint64_t runq_ns)
{
	struct cprof_kernel_off_cpu off = { .time_ns = trace_builder_ns(ticks),
					    .who = { .tgid = PID, .tid = tid, .generation = 0x8000, .quality = CPROF_QUALITY_TIMED },
					    .blocked_ns = blocked_ns,
					    .runq_ns = runq_ns,
					    .blocked_class = CPROF_BLOCKED_POLL };

	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_OFF_CPU, &off, sizeof off);
}

static void add_fault(struct kernel_builder *kernel, uint64_t ticks)
{
	struct cprof_kernel_fault fault = { trace_builder_ns(ticks), PID, TID };

	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_FAULTS, &fault, sizeof fault);
}

static struct session *open_both(struct trace_builder *trace, struct kernel_builder *kernel)
{
	const struct cprof_kernel_end end = { .start_ns = 1, .end_ns = trace_builder_ns(100000) };

	trace_builder_end(trace);
	kernel_builder_end(kernel, &end);
	kernel_builder_write(kernel, kernel_path);
	return open_built(trace, path);
}

static void assert_figure(const struct event_item *item, uint32_t figure, uint64_t value)
{
	assert_int_equal(item->kind, EVENT_ESCAPE);
	assert_int_equal(item->id, CPROF_ESCAPE_SCHED);
	assert_int_equal(item->payload, (uint64_t)figure << CPROF_SCHED_VALUE_BITS | value);
}

static void close_all(struct session *session, struct event_list *list, struct trace_builder *trace, struct kernel_builder *kernel)
{
	free(list->items);
	session_destroy(session);
	trace_builder_destroy(trace);
	kernel_builder_destroy(kernel);
	remove_test_files(path);
	unlink(kernel_path);
}

static void test_between_the_right_events(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500), leaf = trace_builder_context(trace, top, 0x2000, 0x1010);

	(void)state;
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_enter(trace, 0, 20000, leaf);
	trace_builder_escape(trace, 0, CPROF_ESCAPE_REPAIR, 1); /* belongs to the enter behind it */
	trace_builder_enter(trace, 0, 30000, leaf);
	trace_builder_cut(trace, 0);
	trace_builder_exit(trace, 0, 40000);
	trace_builder_exit(trace, 0, 50000);
	add_thread(trace, 0, TID, 10000);
	add_wait(kernel, TID, 19000, 1600, 0);      /* the clocks differ a little: it began before the enter and ended after it, more of it before */
	add_wait(kernel, TID, 25000, 0, 500);
	add_wait(kernel, TID, 26000, 100, 0);
	add_wait(kernel, TID, 35000, UINT64_C(3) << 28, 0); /* a long one: as its middle lies behind the end, it is the tail's */
	add_wait(kernel, TID, 45000, 50, 0);
	add_wait(kernel, TID, 5000, 70, 0);         /* before the thread's first call */
	add_wait(kernel, OTHER_TID, 25000, 9, 0);
	add_fault(kernel, 12000);
	struct session *session = open_both(trace, kernel);
	struct event_list list = read_events(session_trace(session, 0), 0);
	const struct event_item *item = list.items;

	assert_int_equal(list.bad_chunks, 0);
	assert_int_equal(list.nr, 6 + 9);
	assert_item(item++, EVENT_ENTER, top, 10000);
	assert_figure(item++, CPROF_SCHED_FAULTS, 1);
	assert_figure(item++, CPROF_SCHED_SWITCHES, 1);
	assert_figure(item++, CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 1600);
	assert_item(item++, EVENT_ENTER, leaf, 20000);
	assert_figure(item++, CPROF_SCHED_SWITCHES, 2); /* sums go on */
	assert_figure(item++, CPROF_SCHED_RUNQ, 500);
	assert_figure(item++, CPROF_SCHED_SWITCHES, 3);
	assert_figure(item++, CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 1700);
	assert_int_equal(item->id, CPROF_ESCAPE_REPAIR);
	item++;
	assert_item(item++, EVENT_ENTER, leaf, 30000);
	assert_item(item++, EVENT_EXIT, 0, 40000);
	assert_figure(item++, CPROF_SCHED_SWITCHES, 4);
	assert_figure(item++, CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 1750);
	assert_item(item++, EVENT_EXIT, 0, 50000);
	assert_int_equal(trace_tables(session_trace(session, 0))->threads[0].kernel_tid, TID);
	close_all(session, &list, trace, kernel);
}

static void test_large_sums(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500);
	const uint64_t wait_ns = (UINT64_C(5) << 28) + 3;

	(void)state;
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_exit(trace, 0, 4000000000);
	add_thread(trace, 0, TID, 10000);
	add_wait(kernel, TID, 20000, wait_ns, 0);
	struct session *session = open_both(trace, kernel);
	struct event_list list = read_events(session_trace(session, 0), 0);

	assert_int_equal(list.nr, 5);
	assert_figure(&list.items[1], CPROF_SCHED_SWITCHES, 1);
	assert_figure(&list.items[2], CPROF_SCHED_HIGH, 5);
	assert_figure(&list.items[3], CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 3);
	assert_item(&list.items[4], EVENT_EXIT, 0, 4000000000);
	close_all(session, &list, trace, kernel);
}

/* While a coroutine has the thread, what the thread does belongs into the coroutine's stream, which does not know. */
static void test_coroutines(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500);

	(void)state;
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_switch(trace, 0, 20000, CPROF_ESCAPE_SUSPEND);
	trace_builder_switch(trace, 0, 30000, CPROF_ESCAPE_RESUME);
	trace_builder_exit(trace, 0, 40000);
	add_thread(trace, 0, TID, 10000);
	add_wait(kernel, TID, 15000, 100, 0);
	add_wait(kernel, TID, 25000, 200, 0);
	add_wait(kernel, TID, 35000, 400, 0);
	struct session *session = open_both(trace, kernel);
	struct event_list list = read_events(session_trace(session, 0), 0);

	assert_int_equal(list.nr, 8);
	assert_figure(&list.items[2], CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 100);
	assert_int_equal(list.items[3].id, CPROF_ESCAPE_SUSPEND);
	assert_int_equal(list.items[4].id, CPROF_ESCAPE_RESUME);
	assert_figure(&list.items[6], CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 500);
	close_all(session, &list, trace, kernel);
}

/* A process that is said for its calls has not begun a new image. */
static void test_said_for_its_calls(void **state)
{
	struct cprof_kernel_process said = { .tgid = PID, .pid = PID, .generation = CPROF_GENERATION_CALLS + 1, .start_ns = trace_builder_ns(12000), .flags = CPROF_KERNEL_PROCESS_CALLS };
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500);

	(void)state;
	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_PROCESSES, &said, sizeof said);
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_exit(trace, 0, 40000);
	add_thread(trace, 0, TID, 10000);
	add_wait(kernel, TID, 15000, 100, 0);
	struct session *session = open_both(trace, kernel);
	struct event_list list = read_events(session_trace(session, 0), 0);

	assert_int_equal(list.nr, 4);
	assert_figure(&list.items[2], CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 100);
	assert_int_equal(session_trace_kernel(session, 0).end_ns, UINT64_MAX);
	close_all(session, &list, trace, kernel);
}

/* Nobody knows in which call the thread was where events are missing, or were lost. */
static void test_holes(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500);

	(void)state;
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_cut(trace, 0);
	trace_builder_enter(trace, 0, 20000, top);
	trace_builder_cut_lost(trace, 0);
	trace_builder_exit(trace, 0, 30000);
	trace_builder_exit(trace, 0, 40000);
	trace_builder_escape(trace, 0, CPROF_ESCAPE_LOST, 5);
	trace_builder_enter(trace, 0, 50000, top);
	trace_builder_exit(trace, 0, 60000);
	add_thread(trace, 0, TID, 10000);
	add_wait(kernel, TID, 15000, 100, 0);
	add_wait(kernel, TID, 16000, 100, 0);
	add_wait(kernel, TID, 35000, 200, 0);
	add_wait(kernel, TID, 45000, 400, 0);
	add_wait(kernel, TID, 46000, 400, 0);
	add_wait(kernel, TID, 55000, 800, 0);
	struct session *session = open_both(trace, kernel);
	struct event_list list = read_events(session_trace(session, 0), 0);
	size_t escapes = 0;

	for (size_t i = 0; i < list.nr; i++)
		escapes += list.items[i].kind == EVENT_ESCAPE && list.items[i].id == CPROF_ESCAPE_SCHED;
	assert_int_equal(list.bad_chunks, 0);
	assert_int_equal(escapes, 4);
	assert_figure(&list.items[list.nr - 2], CPROF_SCHED_BLOCKED + CPROF_BLOCKED_POLL, 1000);
	assert_item(&list.items[list.nr - 1], EVENT_EXIT, 0, 60000);
	close_all(session, &list, trace, kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_between_the_right_events),
		cmocka_unit_test(test_large_sums),
		cmocka_unit_test(test_coroutines),
		cmocka_unit_test(test_said_for_its_calls),
		cmocka_unit_test(test_holes),
	};

	snprintf(path, sizeof path, "timed_switches_test.%d.lz4", (int)getpid());
	snprintf(kernel_path, sizeof kernel_path, "timed_switches_test.%d.bpf.lz4", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
