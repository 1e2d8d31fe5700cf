/* SPDX-License-Identifier: BSD-2-Clause */
/* The context of a thread at a moment, against a walk that takes every event from the first. */
#include "timed_contexts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_builder.h"
#include "kernel_file.h"

enum { PID = 40, TID = 41, EVENTS = 4000, STEP = 100, EVENTS_PER_CHUNK = 37, DEPTH_MOST = 60 };

static const uint8_t session_id[16] = { 9, 9 };
static char path[64], kernel_path[64];

static struct trace_builder *make_trace(void)
{
	struct trace_builder_options options = { .pid = PID };

	memcpy(options.session, session_id, sizeof session_id);
	return trace_builder_create(&options);
}

static struct cprof_who who_of(uint32_t tid)
{
	return (struct cprof_who){ .tgid = PID, .tid = tid, .generation = 0x8000, .quality = CPROF_QUALITY_TIMED };
}

static void add_sample(struct kernel_builder *kernel, uint32_t tid, uint64_t ticks)
{
	struct cprof_kernel_sample sample = { .time_ns = trace_builder_ns(ticks), .who = who_of(tid), .period_ns = 1 };

	kernel_builder_add(kernel, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
}

static struct session *open_both(struct trace_builder *trace, struct kernel_builder *kernel)
{
	const struct cprof_kernel_end end = { .start_ns = 1, .end_ns = trace_builder_ns(10000000) };
	const char *const paths[] = { path };
	struct cprof_thread *thread = trace_builder_thread_record(trace, 0);
	struct session *session = NULL;

	thread->tid = TID;
	thread->end_tsc = 0;
	trace_builder_end(trace);
	kernel_builder_end(kernel, &end);
	kernel_builder_write(kernel, kernel_path);
	trace_builder_write(trace, path);
	assert_null(session_open(paths, 1, &session));
	assert_int_equal(session_nr_kernels(session), 1);
	return session;
}

static void remove_files(void)
{
	unlink(path);
	unlink(kernel_path);
}

static uint32_t context_at(const struct timed_contexts *contexts, const struct session *session, uint64_t ticks)
{
	const struct cprof_who who = who_of(TID);
	uint32_t trace = 99, context = 99;

	assert_true(timed_contexts_find(contexts, session_kernel(session, 0), &who, trace_builder_ns(ticks), &trace, &context));
	assert_int_equal(trace, 0);
	return context;
}

/* f calls g calls f..., folded: what is below an edge is not what is above it in the tree. Random walk, many chunks, repairs in between. */
static void test_against_a_whole_walk(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t f = trace_builder_context(trace, 0, 0x1000, 0x500), g = trace_builder_context(trace, f, 0x2000, 0x1010);
	uint32_t h = trace_builder_context(trace, g, 0x3000, 0x2010), back = trace_builder_edge(trace, g, f, 0x2020), far_back = trace_builder_edge(trace, h, f, 0x3020);
	/* What may be called from a context. */
	const uint32_t from_f[] = { g }, from_g[] = { h, back }, from_h[] = { far_back };
	uint32_t stack[DEPTH_MOST + 1] = { 0 }, current[EVENTS];
	uint32_t random = 12345;
	size_t depth = 0;

	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		uint64_t ticks = 10000 + i * STEP;
		uint32_t id = f;

		random = random * 1664525 + 1013904223;
		if (depth && (depth == DEPTH_MOST || random >> 30 == 0)) {
			trace_builder_exit(trace, 0, ticks);
			depth--;
		} else {
			if (depth > 2 && random % 17 == 0) { /* two calls end without an exit, by the next event */
				trace_builder_escape(trace, 0, CPROF_ESCAPE_REPAIR, 2);
				depth -= 2;
			}
			if (depth && stack[depth] == f)
				id = from_f[0];
			else if (depth && stack[depth] == g)
				id = from_g[random >> 20 & 1];
			else if (depth)
				id = from_h[0];
			trace_builder_enter(trace, 0, ticks, id);
			stack[++depth] = id == back || id == far_back ? f : id;
		}
		current[i] = depth ? stack[depth] : 0;
		if (i % EVENTS_PER_CHUNK == EVENTS_PER_CHUNK - 1)
			trace_builder_cut(trace, 0);
		if (i % 3)
			add_sample(kernel, TID, ticks + STEP / 2);
	}
	trace_builder_thread_record(trace, 0)->start_tsc = 10000;
	struct session *session = open_both(trace, kernel);
	struct timed_contexts *contexts = NULL;

	assert_null(timed_contexts_create(session, &contexts));
	assert_non_null(contexts);
	for (size_t i = 0; i < EVENTS; i++)
		if (i % 3)
			assert_int_equal(context_at(contexts, session, 10000 + i * STEP + STEP / 2), current[i]);
	timed_contexts_destroy(contexts);
	session_destroy(session);
	trace_builder_destroy(trace);
	kernel_builder_destroy(kernel);
	remove_files();
}

/* In front of, between and behind the events; other threads; coroutines. */
static void test_edges(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500), trace_index, context;
	const struct cprof_who other = who_of(TID + 1);

	(void)state;
	trace_builder_enter(trace, 0, 10000, top);
	trace_builder_cut(trace, 0);
	trace_builder_switch(trace, 0, 20000, CPROF_ESCAPE_SUSPEND);
	trace_builder_cut(trace, 0);
	trace_builder_switch(trace, 0, 30000, CPROF_ESCAPE_RESUME);
	trace_builder_exit(trace, 0, 40000);
	trace_builder_cut(trace, 0);
	trace_builder_thread_record(trace, 0)->start_tsc = 9000;
	for (uint64_t ticks = 9500; ticks < 50000; ticks += 5000)
		add_sample(kernel, TID, ticks);
	add_sample(kernel, TID, 5000);
	add_sample(kernel, TID + 1, 15000);
	struct session *session = open_both(trace, kernel);
	struct timed_contexts *contexts = NULL;

	assert_null(timed_contexts_create(session, &contexts));
	assert_int_equal(context_at(contexts, session, 9500), 0);
	assert_int_equal(context_at(contexts, session, 14500), top);
	assert_int_equal(context_at(contexts, session, 19500), top);
	assert_int_equal(context_at(contexts, session, 24500), 0);
	assert_int_equal(context_at(contexts, session, 29500), 0);
	assert_int_equal(context_at(contexts, session, 34500), top);
	assert_int_equal(context_at(contexts, session, 44500), 0);
	assert_false(timed_contexts_find(contexts, session_kernel(session, 0), &(struct cprof_who){ .tgid = PID, .tid = TID }, trace_builder_ns(5000), &trace_index, &context));
	assert_false(timed_contexts_find(contexts, session_kernel(session, 0), &other, trace_builder_ns(15000), &trace_index, &context));
	timed_contexts_destroy(contexts);
	session_destroy(session);
	trace_builder_destroy(trace);
	kernel_builder_destroy(kernel);
	remove_files();
}

/* No record asks: nothing is made. */
static void test_nothing_asked(void **state)
{
	struct trace_builder *trace = make_trace();
	struct kernel_builder *kernel = kernel_builder_create_timed(session_id, PID);
	struct timed_contexts *contexts = (void *)1;

	(void)state;
	trace_builder_enter(trace, 0, 10000, trace_builder_context(trace, 0, 0x1000, 0x500));
	struct session *session = open_both(trace, kernel);

	assert_null(timed_contexts_create(session, &contexts));
	assert_null(contexts);
	session_destroy(session);
	trace_builder_destroy(trace);
	kernel_builder_destroy(kernel);
	remove_files();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_a_whole_walk),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_nothing_asked),
	};

	snprintf(path, sizeof path, "timed_contexts_test.%d.lz4", (int)getpid());
	snprintf(kernel_path, sizeof kernel_path, "timed_contexts_test.%d.bpf.lz4", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
