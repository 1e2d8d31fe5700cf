/* SPDX-License-Identifier: BSD-2-Clause */
/* What is taken out of the memory for calls is what was put in, once; and whatever else lies there does no harm and is counted. */
#include "calls_drain.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel_file.h"
#include "kernel_format.h"

enum { ROWS = 16384, MANY = 64, LOOKED_AT_BLOCKS = 4096 * 64 / 512 /* places of processes */ };

static char folder[] = "/tmp/cprof-calls-drain-XXXXXX";
static char path[64];

struct run {
	struct calls_memfd memory;
	struct calls_processes processes;
	struct calls_drain drain;
	struct kernel_writer writer;
};

static void run_begin(struct run *run, bool alone)
{
	const struct record_args args = { .sums = ROWS, .io_threshold_ns = 1000 };
	struct cprof_meta meta = { .clock_source = CPROF_CLOCK_MONOTONIC_NS, .mode = CPROF_MODE_TRACE, .pid = 1 };
	struct cprof_chunk_header header = { .kind = CPROF_CHUNK_META, .thread = CPROF_NO_THREAD, .items = 1 };

	unlink(path);
	assert_null(kernel_writer_open(path, &run->writer));
	kernel_writer_chunk(&run->writer, &header, &meta, sizeof meta);
	assert_null(calls_memfd_create(&args, CPROF_CALLS_IO | CPROF_CALLS_LOCKS, &run->memory));
	calls_processes_init(&run->memory, &run->writer, (uint32_t)getpid(), alone, &run->processes);
	assert_null(calls_drain_open(&run->memory, &run->writer, &run->processes, &run->drain));
}

static struct kernel_file *run_end(struct run *run)
{
	struct kernel_file *file;

	assert_null(kernel_writer_finish(&run->writer, 1));
	assert_null(kernel_file_open(path, &file));
	calls_drain_close(&run->drain);
	calls_processes_deinit(&run->processes);
	calls_memfd_close(&run->memory);
	kernel_writer_deinit(&run->writer);
	return file;
}

static struct cprof_calls_row *row_put(struct run *run, uint32_t place, uint32_t tgid, uint32_t number)
{
	struct cprof_calls_row *row = calls_memfd_row(&run->memory, place);

	row->hash = place | 1;
	row->sum.key = (struct cprof_kernel_sum_key){ .who = { .tgid = tgid, .context = 7, .quality = CPROF_QUALITY_TLS }, .kind = CPROF_SUM_SYSCALL, .sub = number };
	row->ready = 1;
	return row;
}

static void row_add(struct cprof_calls_row *row, uint64_t ns, uint64_t bytes)
{
	row->sum.value.count++;
	row->sum.value.ns += ns;
	row->sum.value.bytes += bytes;
	row->sum.value.max_ns = ns > row->sum.value.max_ns ? ns : row->sum.value.max_ns;
	row->sum.value.histogram[10]++;
}

struct sums {
	struct cprof_kernel_sum all[MANY];
	size_t nr;
};

static struct cprof_error *take_sum(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct sums *sums = context;

	(void)header;
	assert_true(sums->nr < MANY);
	memcpy(&sums->all[sums->nr++], record, sizeof(struct cprof_kernel_sum));
	return NULL;
}

static void test_windows_add_up(void **state)
{
	struct sums sums = { .nr = 0 };
	struct run run;

	(void)state;
	run_begin(&run, true);
	struct cprof_calls_row *row = row_put(&run, 9, 1234, 1);

	row_add(row, 500, 10);
	row_add(row, 700, 20);
	calls_drain_sums(&run.drain);
	calls_drain_sums(&run.drain); /* nothing has come */
	row_add(row, 600, 5);
	calls_drain_sums(&run.drain);
	row->sum.value.bytes += 3; /* what was half done */
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.received, 3);
	assert_int_equal(run.drain.malformed, 0);

	struct kernel_file *file = run_end(&run);

	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_SUMS, take_sum, &sums));
	assert_int_equal(sums.nr, 3);
	assert_int_equal(sums.all[0].value.count, 2);
	assert_int_equal(sums.all[0].value.ns, 1200);
	assert_int_equal(sums.all[0].value.bytes, 30);
	assert_int_equal(sums.all[0].value.max_ns, 700);
	assert_int_equal(sums.all[0].value.histogram[10], 2);
	assert_int_equal(sums.all[1].value.count, 1);
	assert_int_equal(sums.all[1].value.bytes, 5);
	assert_int_equal(sums.all[1].value.max_ns, 600);
	assert_int_equal(sums.all[1].value.histogram[10], 1);
	assert_int_equal(sums.all[2].value.count, 0);
	assert_int_equal(sums.all[2].value.bytes, 3);
	assert_int_equal(sums.all[0].key.who.context, 7);
	assert_non_null(kernel_file_process(file, 1234, 0));
	assert_true(kernel_file_process(file, 1234, 0)->flags & CPROF_KERNEL_PROCESS_RUNTIME);
	kernel_file_close(file);
}

/* Beside perf events, which say it, a process with a trace is not said; one without has a name of its place. */
static void test_images(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, false);
	for (uint32_t i = 0; i < 2; i++) {
		struct cprof_calls_process *place = (void *)(uintptr_t)calls_memfd_process(&run.memory, 5 + i);

		*place = (struct cprof_calls_process){ .pid = 77, .ready = 1, .parent = 6, .start_ns = 100 + i };
		memset(place->name, 'a' + (int)i, sizeof place->name); /* no NUL */
		row_put(&run, i, 77, 1)->sum.key.who.generation = (uint16_t)(CPROF_GENERATION_CALLS + 5 + i);
	}
	row_put(&run, 2, 78, 1);
	calls_drain_sums(&run.drain);

	struct kernel_file *file = run_end(&run);

	assert_null(kernel_file_process(file, 78, 0));
	assert_string_equal(kernel_file_process(file, 77, CPROF_GENERATION_CALLS + 5)->name, "aaaaaaaaaaaaaaa");
	assert_string_equal(kernel_file_process(file, 77, CPROF_GENERATION_CALLS + 6)->name, "bbbbbbbbbbbbbbb");
	assert_int_equal(kernel_file_process(file, 77, CPROF_GENERATION_CALLS + 6)->flags, CPROF_KERNEL_PROCESS_CALLS);
	kernel_file_close(file);
}

static void file_put(struct run *run, uint32_t place, uint64_t inode, uint32_t order, const char *name)
{
	struct cprof_calls_file *file = (void *)(uintptr_t)calls_memfd_file(&run->memory, place);

	*file = (struct cprof_calls_file){ .hash = 1, .inode = inode, .device = 8, .order = order };
	memcpy(file->path, name, strnlen(name, sizeof file->path));
	file->ready = 1;
}

static void test_last_name_counts(void **state)
{
	char longest[300];
	struct run run;

	(void)state;
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	run_begin(&run, true);
	file_put(&run, 3, 11, 1, "/new");
	file_put(&run, 4, 11, 0, "/old");
	file_put(&run, 5, 12, 0, longest); /* no NUL in its place */
	file_put(&run, 6, 13, 0, "");
	calls_drain_sums(&run.drain);
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.files, 3);

	struct kernel_file *file = run_end(&run);

	assert_string_equal(kernel_file_name(file, (struct cprof_file_id){ 11, 8, 0 }), "/new");
	assert_int_equal(strlen(kernel_file_name(file, (struct cprof_file_id){ 12, 8, 0 })), sizeof((struct cprof_calls_file *)NULL)->path);
	assert_null(kernel_file_name(file, (struct cprof_file_id){ 13, 8, 0 }));
	kernel_file_close(file);
}

static void record_put(struct run *run, uint64_t number, uint64_t done)
{
	struct cprof_calls_record *record = (void *)(uintptr_t)calls_memfd_record(&run->memory, number);

	*record = (struct cprof_calls_record){ .done = done, .kind = CPROF_CALLS_IO, .io = { .time_ns = number, .who = { .tgid = 1234, .tid = 1235 } } };
}

struct ios {
	uint64_t nr, wrong;
};

static struct cprof_error *take_io(void *context, const struct cprof_chunk_header *header, const void *record)
{
	struct ios *ios = context;
	const struct cprof_kernel_io *io = record;

	(void)header;
	ios->wrong += io->who.tid != 1235 || io->open;
	ios->nr++;
	return NULL;
}

/* Every one once, round and round; one that is never finished is waited for, then skipped and counted. */
static void test_single_calls(void **state)
{
	struct ios ios = { 0, 0 };
	struct run run;

	(void)state;
	run_begin(&run, true);
	uint64_t rounds = 2 * run.memory.layout.nr_records + 10;

	for (uint64_t number = 0; number < rounds; number++) {
		record_put(&run, number, number + 1);
		run.memory.at->records_head = number + 1;
		if (number % 100 == 0)
			calls_drain_records(&run.drain, 1, false);
	}
	calls_drain_records(&run.drain, 1, false);
	assert_int_equal(run.drain.records, rounds);
	assert_int_equal(run.memory.at->records_tail, rounds);
	record_put(&run, rounds, 0);
	record_put(&run, rounds + 1, rounds + 2);
	run.memory.at->records_head = rounds + 2;
	calls_drain_records(&run.drain, 1000, false);
	calls_drain_records(&run.drain, 150000000, false);
	assert_int_equal(run.drain.records, rounds);
	calls_drain_records(&run.drain, 250000000, false);
	assert_int_equal(run.drain.records, rounds + 1);
	assert_int_equal(run.drain.unfinished, 1);
	record_put(&run, rounds + 2, 0);
	run.memory.at->records_head = rounds + 3;
	calls_drain_records(&run.drain, 250000001, true);
	assert_int_equal(run.drain.unfinished, 2);
	assert_int_equal(run.memory.at->records_tail, rounds + 3);

	struct kernel_file *file = run_end(&run);

	assert_null(kernel_file_each(file, CPROF_CHUNK_KERNEL_IO, take_io, &ios));
	assert_int_equal(ios.nr, rounds + 1);
	assert_int_equal(ios.wrong, 0);
	kernel_file_close(file);
}

/* Rows wherever they lie, and no more memory for looking at those that nobody uses. */
static void test_rows_far_apart(void **state)
{
	struct run run;
	struct stat before, after;

	(void)state;
	run_begin(&run, true);
	uint32_t last = run.memory.layout.nr_rows - 1;

	row_add(row_put(&run, 0, 1234, 1), 1, 1);
	row_add(row_put(&run, last / 2, 1234, 2), 1, 1);
	row_add(row_put(&run, last, 1234, 3), 1, 1);
	assert_int_equal(fstat(run.memory.fd, &before), 0);
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.received, 3);
	row_add(row_put(&run, last / 4, 1234, 4), 1, 1);
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.received, 4);
	assert_int_equal(fstat(run.memory.fd, &after), 0);
	assert_true(after.st_blocks - before.st_blocks <= 8 + LOOKED_AT_BLOCKS);
	int scan = run.memory.scan;

	run.memory.scan = -1; /* where it cannot be told */
	row_add(row_put(&run, last / 3, 1234, 5), 1, 1);
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.received, 5);
	run.memory.scan = scan;
	kernel_file_close(run_end(&run));
}

/* Nobody can make us read behind the memory's end. */
static void test_memory_keeps_its_size(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, true);
	assert_int_not_equal(ftruncate(run.memory.fd, 4096), 0);
	assert_int_not_equal(ftruncate(run.memory.fd, (off_t)run.memory.layout.total_bytes * 2), 0);
	assert_int_not_equal(fcntl(run.memory.fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	row_add(row_put(&run, run.memory.layout.nr_rows - 1, 1234, 1), 1, 1);
	calls_drain_sums(&run.drain);
	kernel_file_close(run_end(&run));
}

/* Sums that are no sums of ours are not taken, and counted; what became smaller begins anew. */
static void test_strange_sums(void **state)
{
	struct run run;

	(void)state;
	run_begin(&run, true);
	row_put(&run, 0, 0, 1);
	row_put(&run, 1, UINT32_MAX, 1);
	row_put(&run, 2, 1234, 1)->sum.key.kind = CPROF_SUM_ALLOC;
	row_put(&run, 3, 1234, 1)->sum.key.who.quality = 200;
	for (uint32_t i = 0; i < 4; i++)
		row_add(calls_memfd_row(&run.memory, i), 1, 1);
	struct cprof_calls_row *row = row_put(&run, 4, 1234, 1);

	row_add(row, 10, 10);
	row_add(row, 10, 10);
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.malformed, 4);
	assert_int_equal(run.drain.received, 2);
	row->sum.value.count = 1;
	row->sum.key.who.tgid = 4321; /* the key was seen already */
	calls_drain_sums(&run.drain);
	assert_int_equal(run.drain.malformed, 5);
	assert_int_equal(run.drain.received, 3);
	run.memory.at->records_head = UINT64_MAX; /* no such records */
	calls_drain_records(&run.drain, 1, true);
	assert_int_equal(run.drain.records, 0);
	kernel_file_close(run_end(&run));
}

/* All of the memory but what we made of it is anything, and changes between any two looks. */
static void test_noise(void **state)
{
	struct run run;
	uint64_t seed = 88172645463325252u;

	(void)state;
	run_begin(&run, true);
	for (int round = 0; round < 20; round++) {
		uint64_t *words = (uint64_t *)(void *)run.memory.at;
		uint64_t *header_end = words + 4096 / sizeof *words;

		for (uint64_t *word = words; word < words + run.memory.layout.total_bytes / sizeof *words; word++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			*word = word < header_end && round % 2 ? seed & 0xFFF : seed & (seed >> 3 & 1 ? UINT64_MAX : 0x10003000100030u);
		}
		run.memory.at->records_head = run.drain.tail + (round % 4 ? seed % run.memory.layout.nr_records : seed);
		calls_drain_records(&run.drain, 1000000000u * (uint64_t)round, round > 10);
		calls_drain_sums(&run.drain);
		calls_processes_ask(&run.processes);
		assert_true(calls_processes_tally(&run.processes).processes <= run.memory.layout.nr_processes);
	}
	assert_true(run.drain.malformed + run.drain.unfinished > 0);

	struct kernel_file *file = run_end(&run);
	uint64_t records;

	assert_null(kernel_file_check(file, &records));
	assert_int_equal(kernel_file_state(file)->damaged_bytes, 0);
	kernel_file_close(file);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/t.bpf.lz4", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_add_up), cmocka_unit_test(test_images),          cmocka_unit_test(test_last_name_counts),
		cmocka_unit_test(test_single_calls),   cmocka_unit_test(test_memory_keeps_its_size), cmocka_unit_test(test_strange_sums),
		cmocka_unit_test(test_noise), cmocka_unit_test(test_rows_far_apart),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
