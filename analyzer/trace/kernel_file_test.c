/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading kernel files, and finding them beside their traces. */
#include "trace_test_support.h"

#include <string.h>

#include "kernel_builder.h"
#include "kernel_file.h"
#include "trace_check.h"

static const uint8_t session_id[16] = { 1, 2, 3 };
static char path[64], trace_name[64], child_name[64];
static const struct cprof_kernel_end end_record = { .start_ns = 5000000000, .end_ns = 6000000000, .recorder_cpu_ns = 7, .records = 9 };

static struct cprof_kernel_sample sample_at(uint64_t time_ns, uint32_t context)
{
	return (struct cprof_kernel_sample){ .time_ns = time_ns, .who = { .tgid = 50, .tid = 51, .context = context, .quality = CPROF_QUALITY_SLOT },
					     .ip = 0x401000, .period_ns = 10000000 };
}

static struct kernel_builder *build_sample(void)
{
	const uint64_t addresses[] = { 0xffffffff81000010, 0xffffffff81000100 };
	struct kernel_builder *builder = kernel_builder_create(session_id);
	struct cprof_kernel_process process = { .tgid = 50, .pid = 1234, .flags = CPROF_KERNEL_PROCESS_RUNTIME, .name = "first" };
	struct cprof_kernel_sample sample = sample_at(5100000000, 2);

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	strcpy(process.name, "second");
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	process.generation = 1;
	strcpy(process.name, "exec");
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	kernel_builder_stack(builder, 99, true, addresses, 2);
	kernel_builder_stack(builder, 7, false, addresses, 1);
	kernel_builder_stack(builder, 8, false, addresses, 0);
	kernel_builder_file(builder, (struct cprof_file_id){ 12, 8 << 20 | 1, 0 }, "/tmp/a");
	kernel_builder_file(builder, (struct cprof_file_id){ 11, 8 << 20 | 1, 0 }, "/tmp/longer name");
	kernel_builder_symbol(builder, 0xffffffff81000010, 0xffffffff81000000, "schedule");
	kernel_builder_source(builder, "cpu", true, 99, "");
	kernel_builder_source(builder, "io", false, 0, "not asked for");
	kernel_builder_loss(builder, "samples.lost", 3, true);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
	kernel_builder_cut(builder);
	sample = sample_at(5200000000, 3);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
	kernel_builder_module(builder, 50, 0, "/bin/app", 0x401000, 0x402000, 0);
	kernel_builder_module(builder, 50, 0, "/lib/libc.so.6", 0x7f0000001000, 0x7f0000002000, 0x7f0000000000);
	return builder;
}

static struct kernel_file *open_kernel(struct kernel_builder *builder)
{
	struct kernel_file *file = NULL;

	kernel_builder_write(builder, path);
	assert_null(kernel_file_open(path, &file));
	return file;
}

struct seen {
	unsigned samples;
	uint32_t contexts[8];
};

static struct cprof_error *see_sample(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct seen *seen = context;
	struct cprof_kernel_sample sample;

	assert_int_equal(header->kind, CPROF_CHUNK_KERNEL_SAMPLES);
	memcpy(&sample, record, sizeof sample);
	seen->contexts[seen->samples++ % 8] = sample.who.context;
	return NULL;
}

static void test_everything_is_read(void **state)
{
	struct kernel_builder *builder = build_sample();
	struct seen seen = { 0 };
	uint32_t value = 0;
	uint64_t records;

	(void)state;
	kernel_builder_end(builder, &end_record);
	struct kernel_file *file = open_kernel(builder);
	const struct kernel_tables *tables = kernel_file_tables(file);

	assert_true(kernel_file_state(file)->clean);
	assert_int_equal(kernel_file_state(file)->nr_problems, 0);
	assert_memory_equal(kernel_file_meta(file)->fixed.session, session_id, 16);
	assert_int_equal(tables->nr_processes, 2);
	assert_string_equal(kernel_file_process(file, 50, 0)->name, "second");
	assert_string_equal(kernel_file_process(file, 50, 1)->name, "exec");
	assert_null(kernel_file_process(file, 51, 0));
	assert_int_equal(kernel_file_stack(file, 99)->nr_addresses, 2);
	assert_true(kernel_file_stack(file, 99)->kernel);
	assert_int_equal(kernel_file_stack(file, 99)->addresses[1], 0xffffffff81000100);
	assert_false(kernel_file_stack(file, 7)->kernel);
	assert_int_equal(kernel_file_stack(file, 8)->nr_addresses, 0);
	assert_null(kernel_file_stack(file, 9));
	assert_null(kernel_file_stack(file, 0));
	assert_string_equal(kernel_file_name(file, (struct cprof_file_id){ 11, 8 << 20 | 1, 0 }), "/tmp/longer name");
	assert_string_equal(kernel_file_name(file, (struct cprof_file_id){ 12, 8 << 20 | 1, 0 }), "/tmp/a");
	assert_null(kernel_file_name(file, (struct cprof_file_id){ 12, 8 << 20, 0 }));
	assert_string_equal(kernel_file_symbol(file, 0xffffffff81000010)->name, "schedule");
	assert_null(kernel_file_symbol(file, 0xffffffff81000011));
	assert_true(kernel_file_has_source(file, "cpu", &value));
	assert_int_equal(value, 99);
	assert_false(kernel_file_has_source(file, "io", NULL));
	assert_int_equal(tables->counters[0].value, 3);
	assert_int_equal(tables->end->recorder_cpu_ns, 7);
	assert_string_equal(kernel_file_module(file, 50, 0, 0x401fff)->module.path, "/bin/app");
	assert_null(kernel_file_module(file, 50, 0, 0x402000));
	assert_null(kernel_file_module(file, 50, 1, 0x401000));
	assert_string_equal(kernel_file_module(file, 50, 0, 0x7f0000001000)->module.path, "/lib/libc.so.6");
	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_SAMPLES, see_sample, &seen));
	assert_int_equal(seen.samples, 2);
	assert_int_equal(seen.contexts[0], 2);
	assert_int_equal(seen.contexts[1], 3);
	assert_null(kernel_file_check(file, &records));
	assert_int_equal(records, 3 + 3 + 2 + 1 + 2 + 1 + 2 + 2 + 1);
	kernel_file_close(file);
	kernel_builder_destroy(builder);
}

/* A file that was renamed has its last name; one that has the number of another that is gone is another. */
static void test_names_of_files(void **state)
{
	struct kernel_builder *builder = build_sample();
	struct cprof_file_id id = { 5, 6, 0 };
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		id.generation = i % 7;
		snprintf(name, sizeof name, "/%u", i);
		kernel_builder_file(builder, id, name);
	}
	kernel_builder_file(builder, (struct cprof_file_id){ 70, 6, 1 }, "/made anew");
	kernel_builder_file(builder, (struct cprof_file_id){ 71, 6, 2 }, "/made anew");
	kernel_builder_file(builder, (struct cprof_file_id){ 72, 7, 3 }, "/made anew");
	kernel_builder_file(builder, (struct cprof_file_id){ 72, 6, 1 }, "/made anew");
	kernel_builder_end(builder, &end_record);
	struct kernel_file *file = open_kernel(builder);

	for (unsigned i = 93; i < 100; i++) {
		id.generation = i % 7;
		snprintf(name, sizeof name, "/%u", i);
		assert_string_equal(kernel_file_name(file, id), name);
		assert_memory_equal(&(struct cprof_file_id[]){ kernel_file_last_so_called(file, id) }, &id, sizeof id);
	}
	id.generation = 8; /* nobody has said it */
	assert_memory_equal(&(struct cprof_file_id[]){ kernel_file_last_so_called(file, id) }, &id, sizeof id);
	assert_int_equal(kernel_file_last_so_called(file, (struct cprof_file_id){ 70, 6, 1 }).inode, 72);
	assert_int_equal(kernel_file_last_so_called(file, (struct cprof_file_id){ 71, 6, 2 }).generation, 1);
	assert_int_equal(kernel_file_last_so_called(file, (struct cprof_file_id){ 72, 7, 3 }).inode, 72); /* on another device */
	kernel_file_close(file);
	kernel_builder_destroy(builder);
}

static void test_a_killed_recorder(void **state)
{
	struct kernel_builder *builder = build_sample();
	struct seen seen = { 0 };

	(void)state;
	kernel_builder_cut(builder);
	struct kernel_file *file = open_kernel(builder);

	assert_false(kernel_file_state(file)->clean);
	assert_int_equal(kernel_file_state(file)->nr_problems, 1);
	assert_non_null(strstr(kernel_file_state(file)->problems[0], "was killed"));
	assert_null(kernel_file_tables(file)->end);
	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_SAMPLES, see_sample, &seen));
	assert_int_equal(seen.samples, 2);
	kernel_file_close(file);
	kernel_builder_destroy(builder);
}

/* Everything a stranger may write: nothing of it may be used, all of it must be said. */
static void test_wrong_lengths(void **state)
{
	const struct cprof_kernel_stack deep = { 1, CPROF_STACK_DEPTH_MAX + 1, 0 }, long_stack = { 2, 3, 0 };
	const struct cprof_kernel_file long_name = { .path_bytes = 0xFFFFFFFF };
	static const uint8_t zeros[2048];
	struct kernel_builder *builder = build_sample();
	struct trace_builder *raw = kernel_builder_trace(builder);
	struct seen seen = { 0 };
	uint8_t stack[sizeof deep + 8 * (CPROF_STACK_DEPTH_MAX + 1)] = { 0 };

	(void)state;
	memcpy(stack, &deep, sizeof deep);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_STACKS, 0, 1, stack, sizeof stack);
	memcpy(stack, &long_stack, sizeof long_stack);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_STACKS, 0, 1, stack, sizeof long_stack + 16);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_FILES, 0, 1, &long_name, sizeof long_name);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_FILES, 0, 1, &long_name, sizeof long_name - 1);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_SAMPLES, 0, 1, zeros, sizeof(struct cprof_kernel_sample) + 1);
	trace_builder_table(raw, CPROF_CHUNK_KERNEL_PROCESSES, 0, 1, zeros, sizeof(struct cprof_kernel_process) - 1);
	kernel_builder_end(builder, &end_record);
	struct kernel_file *file = open_kernel(builder);

	assert_false(kernel_file_state(file)->clean);
	assert_int_equal(kernel_file_state(file)->nr_problems, 5);
	assert_null(kernel_file_stack(file, 1));
	assert_null(kernel_file_stack(file, 2));
	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_SAMPLES, see_sample, &seen));
	assert_int_equal(seen.samples, 2);
	assert_int_equal(kernel_file_state(file)->nr_problems, 6);
	kernel_file_close(file);
	kernel_builder_destroy(builder);
}

static void test_names_without_end(void **state)
{
	struct kernel_builder *builder = kernel_builder_create(session_id);
	struct cprof_kernel_process process = { .tgid = 1 };
	struct cprof_kernel_source source = { .on = 1 };

	(void)state;
	memset(process.name, 'x', sizeof process.name);
	memset(source.name, 'y', sizeof source.name);
	memset(source.why, 'z', sizeof source.why);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SOURCES, &source, sizeof source);
	kernel_builder_end(builder, &end_record);
	struct kernel_file *file = open_kernel(builder);

	assert_int_equal(strlen(kernel_file_tables(file)->processes[0].name), 15);
	assert_int_equal(strlen(kernel_file_tables(file)->sources[0].name), 23);
	assert_int_equal(strlen(kernel_file_tables(file)->sources[0].why), 95);
	kernel_file_close(file);
	kernel_builder_destroy(builder);
}

static void test_no_kernel_file(void **state)
{
	struct trace_builder *trace = trace_builder_create(NULL);
	struct kernel_file *file;

	(void)state;
	trace_builder_end(trace);
	trace_builder_write(trace, trace_name);
	struct cprof_error *error = kernel_file_open(trace_name, &file);

	assert_int_equal(error->code, CPROF_ERROR_FORMAT);
	cprof_error_free(error);
	error = kernel_file_open("/nowhere/trace.bpf.lz4", &file);
	assert_int_equal(error->code, CPROF_ERROR_NOT_FOUND);
	cprof_error_free(error);
	trace_builder_destroy(trace);
}

static void write_trace(const char *name, uint32_t kernel_tgid, uint32_t generation)
{
	struct trace_builder_options options = { .generation = generation };
	struct cprof_sched sched = { .attached_ns = 5000000000, .threads = 1, .kernel_tgid = kernel_tgid };
	struct cprof_alloc allocs[2] = { { .context = 1, .calls = 4, .bytes = 400 }, { .context = 0, .calls = 1, .bytes = 8 } };

	memcpy(options.session, session_id, sizeof session_id);
	struct trace_builder *trace = trace_builder_create(&options);
	uint32_t top = trace_builder_context(trace, 0, 0x1000, 0x500);

	trace_builder_enter(trace, 0, 2000, top);
	trace_builder_escape(trace, 0, CPROF_ESCAPE_SCHED, CPROF_SCHED_RUNQ << 28 | 17);
	trace_builder_exit(trace, 0, 3000);
	if (kernel_tgid)
		trace_builder_table(trace, CPROF_CHUNK_SCHED, 0, 1, &sched, sizeof sched);
	trace_builder_table(trace, CPROF_CHUNK_ALLOC, 0, 2, allocs, sizeof allocs);
	trace_builder_end(trace);
	trace_builder_write(trace, name);
	trace_builder_destroy(trace);
}

static void test_found_beside_the_trace(void **state)
{
	const char *names[2] = { trace_name, child_name };
	struct kernel_builder *builder = build_sample();
	struct session *session;

	(void)state;
	kernel_builder_end(builder, &end_record);
	kernel_builder_write(builder, path);
	write_trace(trace_name, 50, 0);
	write_trace(child_name, 0, 0); /* attached to: it does not know its number */
	assert_null(session_open(names, 2, &session));
	assert_int_equal(session_nr_kernels(session), 1);
	assert_int_equal(session_trace_kernel(session, 0).tgid, 50);
	assert_ptr_equal(session_trace_kernel(session, 0).file, session_kernel(session, 0));
	assert_int_equal(session_trace_kernel(session, 1).tgid, 50); /* the only process of that pid */
	assert_int_equal(trace_tables(session_trace(session, 0))->nr_allocs, 2);
	assert_int_equal(trace_tables(session_trace(session, 0))->allocs[0].bytes, 400);
	assert_int_equal(trace_tables(session_trace(session, 0))->sched->kernel_tgid, 50);
	assert_null(trace_tables(session_trace(session, 1))->sched);
	assert_int_equal(trace_state(session_trace(session, 0))->nr_problems, 0);
	session_destroy(session);

	/* Named as well, it is still one; and by itself it is a session. */
	names[1] = path;
	assert_null(session_open(names, 2, &session));
	assert_int_equal(session_nr_traces(session), 1);
	assert_int_equal(session_nr_kernels(session), 1);
	session_destroy(session);
	assert_null(session_open(names + 1, 1, &session));
	assert_int_equal(session_nr_traces(session), 1);
	assert_int_equal(session_nr_kernels(session), 1);
	assert_int_equal(trace_tables(session_trace(session, 0))->nr_contexts, 1);
	assert_string_equal(trace_meta(session_trace(session, 0))->exe, "/bin/app");
	session_destroy(session);
	kernel_builder_destroy(builder);
}

static void write_trace_without_end(const char *name)
{
	struct trace_builder_options options = { 0 };

	memcpy(options.session, session_id, sizeof session_id);
	struct trace_builder *trace = trace_builder_create(&options);

	trace_builder_enter(trace, 0, 2000, trace_builder_context(trace, 0, 0x1000, 0x500));
	trace_builder_end_live(trace);
	trace_builder_write(trace, name);
	trace_builder_destroy(trace);
}

/* The next image leaves no trace: that there is one, and that it began after the trace's last event, is in the kernel file. */
static void test_exec(void **state)
{
	const struct {
		uint64_t start_ticks;
		uint32_t tgid, flags;
		bool went_on;
	} cases[] = { { 2500, 50, 0, true }, { 1500, 50, 0, false }, { 2500, 51, 0, false }, { 2500, 50, CPROF_KERNEL_PROCESS_CALLS, false } };
	const char *name = trace_name;

	(void)state;
	write_trace_without_end(trace_name);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kernel_builder *builder = kernel_builder_create(session_id);
		struct cprof_kernel_process process = { .tgid = 50, .pid = 1234, .start_ns = trace_builder_ns(1000), .flags = CPROF_KERNEL_PROCESS_RUNTIME };
		struct session *session;

		kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
		process = (struct cprof_kernel_process){ .tgid = cases[i].tgid, .generation = 0x8001, .start_ns = trace_builder_ns(cases[i].start_ticks),
							 .flags = cases[i].flags };
		kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
		kernel_builder_end(builder, &end_record);
		kernel_builder_write(builder, path);
		assert_null(session_open(&name, 1, &session));
		assert_int_equal(session_trace_kernel(session, 0).tgid, 50);
		assert_int_equal(session_trace_went_on(session, 0), cases[i].went_on);
		assert_int_equal(session_nr_processes(session), 1);
		session_destroy(session);
		kernel_builder_destroy(builder);
	}
	remove_test_files(trace_name);
}

static void test_another_run_is_not_used(void **state)
{
	static const uint8_t other[16] = { 9 };
	const char *name = trace_name;
	struct kernel_builder *builder = kernel_builder_create(other);
	struct session *session;

	(void)state;
	kernel_builder_source(builder, "cpu", true, 99, "");
	kernel_builder_end(builder, &end_record);
	kernel_builder_write(builder, path);
	write_trace(trace_name, 50, 0);
	assert_null(session_open(&name, 1, &session));
	assert_int_equal(session_nr_kernels(session), 0);
	assert_null(session_trace_kernel(session, 0).file);
	assert_int_equal(trace_state(session_trace(session, 0))->nr_problems, 1);
	assert_non_null(strstr(trace_state(session_trace(session, 0))->problems[0], "another run"));
	session_destroy(session);
	kernel_builder_destroy(builder);
}

static void test_check_accepts_the_new(void **state)
{
	struct trace_report *report;

	(void)state;
	write_trace(trace_name, 50, 0);
	assert_null(trace_check(trace_name, false, &report));
	for (size_t i = 0; i < report->nr_findings; i++)
		assert_int_equal(report->findings[i].severity, FINDING_NOTE);
	assert_int_equal(report->escapes, 1);
	trace_report_destroy(report);
}

/* Every byte of the file flipped: no crash, and no clean verdict that changes what is read. */
static void test_flipped_bytes(void **state)
{
	struct kernel_builder *builder = build_sample();
	size_t nr_bytes;

	(void)state;
	kernel_builder_end(builder, &end_record);
	uint8_t *bytes = kernel_builder_bytes(builder, &nr_bytes);

	for (size_t i = 0; i < nr_bytes; i += 3) {
		struct kernel_file *file;
		uint64_t records;

		bytes[i] ^= 0x10;
		trace_builder_write_file(path, bytes, nr_bytes);
		bytes[i] ^= 0x10;
		struct cprof_error *error = kernel_file_open(path, &file);

		if (!error) {
			assert_null(kernel_file_check(file, &records));
			assert_true(records <= 17);
			if (records < 17)
				assert_false(kernel_file_state(file)->clean);
			kernel_file_close(file);
		}
		cprof_error_free(error);
	}
	kernel_builder_destroy(builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_read),	cmocka_unit_test(test_names_of_files),
		cmocka_unit_test(test_a_killed_recorder),
		cmocka_unit_test(test_wrong_lengths),		cmocka_unit_test(test_names_without_end),
		cmocka_unit_test(test_no_kernel_file),		cmocka_unit_test(test_found_beside_the_trace),
		cmocka_unit_test(test_another_run_is_not_used),	cmocka_unit_test(test_check_accepts_the_new),
		cmocka_unit_test(test_flipped_bytes),		cmocka_unit_test(test_exec),
	};

	snprintf(path, sizeof path, "kernel_file_test.%d.bpf.lz4", (int)getpid());
	snprintf(trace_name, sizeof trace_name, "kernel_file_test.%d.lz4", (int)getpid());
	snprintf(child_name, sizeof child_name, "kernel_file_test.%d.1234.2.lz4", (int)getpid());
	int result = cmocka_run_group_tests(tests, NULL, NULL);

	remove_test_files(path);
	remove_test_files(trace_name);
	remove_test_files(child_name);
	return result;
}
