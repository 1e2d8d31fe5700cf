/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel_writer writes is what the analyzer reads; what cannot be written costs nothing that was. */
#include "kernel_writer.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_file.h"
#include "kernel_format.h"

static char folder[] = "/tmp/cprof-kernel-writer-XXXXXX";
static char path[64];

static void add_meta(struct kernel_writer *writer)
{
	struct cprof_meta meta = { .clock_source = CPROF_CLOCK_MONOTONIC_NS, .mode = CPROF_MODE_TRACE, .pid = 1 };
	struct cprof_chunk_header header = { .kind = CPROF_CHUNK_META, .thread = CPROF_NO_THREAD, .items = 1 };

	kernel_writer_chunk(writer, &header, &meta, sizeof meta);
}

static void add_sample(struct kernel_writer *writer, uint64_t number)
{
	struct cprof_kernel_sample sample = { .time_ns = 1000 + number, .ip = number * 7919, .period_ns = 1 };

	kernel_writer_add(writer, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
}

struct tally {
	uint64_t samples, wrong;
};

static struct cprof_error *take(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct cprof_kernel_sample *sample = record;
	struct tally *tally = context;

	(void)header;
	tally->wrong += sample->time_ns != 1000 + tally->samples || sample->ip != tally->samples * 7919;
	tally->samples++;
	return NULL;
}

static struct tally read_samples(size_t *damaged)
{
	struct tally tally = { 0, 0 };
	struct kernel_file *file;

	assert_null(kernel_file_open(path, &file));
	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_SAMPLES, take, &tally));
	*damaged = kernel_file_nr_chunks(file);
	kernel_file_close(file);
	return tally;
}

/* More than one chunk of records, of fixed and of variable length. */
static void test_reader_finds_all(void **state)
{
	static const char name[] = "/a/path of 21 letters";
	uint64_t stack[6] = { 0 };
	struct cprof_kernel_stack head = { .key = 77, .count = 4 };
	struct kernel_writer writer;
	struct kernel_file *file;
	size_t chunks;

	(void)state;
	assert_null(kernel_writer_open(path, &writer));
	add_meta(&writer);
	for (uint64_t i = 0; i < 40000; i++)
		add_sample(&writer, i);
	memcpy(stack, &head, sizeof head);
	for (uint64_t i = 0; i < 4; i++)
		stack[2 + i] = 0x1000 + i;
	kernel_writer_add(&writer, CPROF_CHUNK_KERNEL_STACKS, stack, sizeof stack);
	uint8_t named[sizeof(struct cprof_kernel_file) + 24] = { 0 };
	struct cprof_kernel_file inode = { .id = { 5, 6, 7 }, .path_bytes = sizeof name - 1 };

	memcpy(named, &inode, sizeof inode);
	memcpy(named + sizeof inode, name, sizeof name - 1);
	kernel_writer_add(&writer, CPROF_CHUNK_KERNEL_FILES, named, sizeof named);
	assert_null(kernel_writer_finish(&writer, 5000));
	assert_int_equal(writer.records, 40002);
	kernel_writer_deinit(&writer);

	struct tally tally = read_samples(&chunks);

	assert_int_equal(tally.samples, 40000);
	assert_int_equal(tally.wrong, 0);
	assert_true(chunks >= 1 + 3 + 2);
	assert_null(kernel_file_open(path, &file));
	assert_int_equal(kernel_file_stack(file, 77)->nr_addresses, 4);
	assert_int_equal(kernel_file_stack(file, 77)->addresses[3], 0x1003);
	assert_string_equal(kernel_file_name(file, (struct cprof_file_id){ 5, 6, 7 }), name);
	kernel_file_close(file);
}

/* The file may not grow on: what is there stays readable, the failure is said once, and nothing comes after it. */
static void test_no_room(void **state)
{
	struct rlimit limit, before;
	struct kernel_writer writer;
	struct cprof_error *error;
	size_t chunks;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_null(kernel_writer_open(path, &writer));
	add_meta(&writer);
	for (uint64_t i = 0; i < 100; i++)
		add_sample(&writer, i);
	kernel_writer_flush(&writer, 2000);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = (rlim_t)writer.offset + 50; /* half a frame fits */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint64_t i = 100; i < 200; i++)
		add_sample(&writer, i);
	kernel_writer_flush(&writer, 3000);
	setrlimit(RLIMIT_FSIZE, &before);
	for (uint64_t i = 200; i < 300; i++)
		add_sample(&writer, i);
	error = kernel_writer_finish(&writer, 4000);
	assert_non_null(error);
	assert_int_equal(error->os_errno, EFBIG);
	cprof_error_free(error);
	kernel_writer_deinit(&writer);
	struct tally tally = read_samples(&chunks);

	assert_int_equal(tally.samples, 100);
	assert_int_equal(tally.wrong, 0);
	assert_int_equal(chunks, 2);
}

static void test_replaces_traces_alone(void **state)
{
	struct kernel_writer writer, second;
	struct cprof_error *error;
	FILE *file;

	(void)state;
	assert_null(kernel_writer_open(path, &writer));
	add_meta(&writer);
	error = kernel_writer_open(path, &second); /* at work */
	assert_non_null(error);
	cprof_error_free(error);
	kernel_writer_deinit(&writer);
	assert_null(kernel_writer_open(path, &writer)); /* an older one */
	kernel_writer_deinit(&writer);
	file = fopen(path, "w");
	fputs("somebody's letters, and long enough to be a trace\n", file);
	fclose(file);
	error = kernel_writer_open(path, &writer);
	assert_non_null(error);
	assert_int_equal(error->code, CPROF_ERROR_FORMAT);
	cprof_error_free(error);
	unlink(path);
}

static void test_names(void **state)
{
	static const char *const names[][2] = {
		{ "trace.lz4", "trace.bpf.lz4" }, { "a/b.lz4", "a/b.bpf.lz4" }, { "x", "x.bpf.lz4" }, { ".lz4", ".lz4.bpf.lz4" }
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *name = kernel_writer_path_of(names[i][0]);

		assert_string_equal(name, names[i][1]);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_finds_all),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_replaces_traces_alone),
		cmocka_unit_test(test_names),
	};

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/t.bpf.lz4", folder);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	unlink(path);
	rmdir(folder);
	return failed;
}
