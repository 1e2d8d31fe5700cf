/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recorder's memory from inside: any header is refused or sound, and sums, records and files are whole however many add to them and
 * however full it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls_files.h"
#include "calls_memory.h"
#include "calls_sums.h"

enum { BYTES = 1 << 20, THREADS = 8, ADDS = 20000, KEYS = 50 };

static struct cprof_calls_header *seen; /* as the recorder has it */
static int memory_fd = -1;

static struct cprof_calls_header sound(uint32_t rows, uint32_t files, uint32_t records)
{
	struct cprof_calls_header header = { .magic = CPROF_CALLS_MAGIC,
					     .version = CPROF_CALLS_VERSION,
					     .sources = CPROF_CALLS_IO,
					     .total_bytes = BYTES,
					     .rows_at = 4096,
					     .nr_rows = rows,
					     .files_at = BYTES / 4,
					     .nr_files = files,
					     .records_at = BYTES / 2,
					     .nr_records = records,
					     .processes_at = BYTES / 4 * 3,
					     .nr_processes = 3 };

	return header;
}

static void memory_make(const struct cprof_calls_header *header)
{
	char text[16];

	if (memory_fd < 0) {
		memory_fd = memfd_create("calls_sums_test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
		assert_true(memory_fd >= 0);
		assert_int_equal(ftruncate(memory_fd, BYTES), 0);
		assert_int_equal(fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW), 0);
		seen = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
		assert_true(seen != MAP_FAILED);
	}
	memset(seen, 0, BYTES);
	*seen = *header;
	snprintf(text, sizeof text, "%d", memory_fd);
	setenv("CPROF_CALLS_FD", text, 1);
}

static void memory_open(uint32_t rows, uint32_t files, uint32_t records)
{
	struct cprof_calls_header header = sound(rows, files, records);

	memory_make(&header);
	assert_true(calls_memory_open());
}

static void memory_close(void)
{
	munmap(calls_memory.header, BYTES);
	calls_memory = (struct calls_memory){ 0 };
}

static bool is_inside(const void *array, uint64_t bytes)
{
	uint64_t at = (uint64_t)((const char *)array - (const char *)calls_memory.header);

	return at >= sizeof(struct cprof_calls_header) && at <= BYTES && bytes <= BYTES - at;
}

static void headers_of_all_kinds(void **state)
{
	uint64_t odd[] = { 0,           1,         2,     3,         4,          7,          8,          64,         4096,
			   BYTES - 256, BYTES - 1, BYTES, BYTES + 8, UINT32_MAX, 1ull << 31, 1ull << 63, UINT64_MAX, UINT64_MAX - 7 };
	unsigned int opened = 0;

	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		struct cprof_calls_header header = sound(64, 64, 64);
		uint64_t *wide[] = { &header.magic,    &header.total_bytes, &header.rows_at,
				     &header.files_at, &header.records_at,  &header.processes_at };
		uint32_t *narrow[] = { &header.version, &header.nr_rows, &header.nr_files, &header.nr_records, &header.nr_processes };

		for (int changes = rand() % 3; changes >= 0; changes--) {
			uint64_t value = odd[(size_t)rand() % (sizeof odd / sizeof *odd)];

			if (rand() % 2)
				*wide[rand() % 6] = value;
			else
				*narrow[rand() % 5] = (uint32_t)value;
		}
		memory_make(&header);
		if (!calls_memory_open())
			continue;
		opened++;
		assert_true(is_inside(calls_memory.rows, (uint64_t)calls_memory.nr_rows * sizeof *calls_memory.rows));
		assert_true(is_inside(calls_memory.files, (uint64_t)calls_memory.nr_files * sizeof *calls_memory.files));
		assert_true(is_inside(calls_memory.records, (uint64_t)calls_memory.nr_records * sizeof *calls_memory.records));
		assert_true(is_inside(calls_memory.processes, (uint64_t)calls_memory.nr_processes * sizeof *calls_memory.processes));
		assert_true(calls_memory.nr_rows && calls_memory.nr_files && calls_memory.nr_records && calls_memory.nr_processes);
		assert_false(calls_memory.nr_rows & (calls_memory.nr_rows - 1));
		memory_close();
	}
	assert_true(opened > 100);
}

static struct cprof_kernel_sum_key key_of(uint32_t number)
{
	return (struct cprof_kernel_sum_key){ .who = { .tgid = 1, .context = number }, .kind = CPROF_SUM_SYSCALL, .object = number * 3 };
}

static void *adder(void *argument)
{
	for (uint32_t i = 0; i < ADDS; i++) {
		struct cprof_kernel_sum_key key = key_of(i % KEYS);

		calls_sums_add(&key, i % 7, 2);
	}
	return argument;
}

static void threads_add(void **state)
{
	pthread_t ids[THREADS];
	uint64_t counts[KEYS] = { 0 }, bytes = 0, in_buckets = 0, ns = 0;

	(void)state;
	memory_open(64, 64, 64);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&ids[i], NULL, adder, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	for (uint32_t i = 0; i < 64; i++) {
		const struct cprof_kernel_sum *sum = &calls_memory.rows[i].sum;
		struct cprof_kernel_sum_key key = key_of(sum->key.who.context);

		if (!calls_memory.rows[i].ready)
			continue;
		assert_memory_equal(&sum->key, &key, sizeof key);
		counts[sum->key.who.context] += sum->value.count;
		bytes += sum->value.bytes;
		ns += sum->value.ns;
		assert_int_equal(sum->value.max_ns, 6);
		for (int b = 0; b < 3; b++)
			in_buckets += sum->value.histogram[b];
	}
	for (int i = 0; i < KEYS; i++)
		assert_int_equal(counts[i], THREADS * ADDS / KEYS);
	assert_int_equal(bytes, 2 * THREADS * ADDS);
	assert_int_equal(in_buckets, THREADS * ADDS);
	uint64_t each = 0;
	for (uint32_t i = 0; i < ADDS; i++)
		each += i % 7;
	assert_int_equal(ns, THREADS * each);
	assert_int_equal(seen->rows_full, 0);
	memory_close();
}

static uint64_t counted(void)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < calls_memory.nr_rows; i++)
		count += calls_memory.rows[i].sum.value.count;
	return count;
}

static void a_full_table_says_so(void **state)
{
	(void)state;
	memory_open(16, 64, 64);
	for (uint32_t i = 0; i < 400; i++) {
		struct cprof_kernel_sum_key key = key_of(i % 40);

		calls_sums_add(&key, 1, 1);
	}
	assert_int_equal(counted(), 160);
	assert_int_equal(seen->rows_full, 240);
	memory_close();
}

/* A row that was begun and left, by a process that is no more or by the call that a handler struck: others go on behind it. */
static void rows_that_are_not_ready(void **state)
{
	struct cprof_kernel_sum_key key = key_of(5);
	uint32_t hash = 0;

	(void)state;
	memory_open(64, 64, 64);
	calls_sums_add(&key, 1, 1);
	for (uint32_t i = 0; i < 64; i++) {
		if (calls_memory.rows[i].hash) {
			hash = calls_memory.rows[i].hash;
			calls_memory.rows[i].ready = 0;
		}
	}
	calls_sums_add(&key, 1, 1);
	calls_sums_add(&key, 1, 1);
	uint32_t ready = 0, begun = 0;
	for (uint32_t i = 0; i < 64; i++) {
		begun += calls_memory.rows[i].hash == hash;
		ready += calls_memory.rows[i].ready;
	}
	assert_int_equal(begun, 2);
	assert_int_equal(ready, 1);
	assert_int_equal(counted(), 3);
	memory_close();
}

static void records_go_round(void **state)
{
	(void)state;
	memory_open(64, 64, 8);
	for (int i = 0; i < 11; i++)
		calls_sums_record(&(struct cprof_kernel_io){ .fd = i }, NULL);
	assert_int_equal(seen->records_head, 8);
	assert_int_equal(seen->records_lost, 3);
	seen->records_tail = 2;
	calls_sums_record(NULL, &(struct cprof_kernel_lock){ .address = 77 });
	assert_int_equal(seen->records_head, 9);
	assert_int_equal(calls_memory.records[0].done, 9);
	assert_int_equal(calls_memory.records[0].kind, CPROF_CALLS_LOCKS);
	assert_int_equal(calls_memory.records[0].lock.address, 77);
	for (uint64_t i = 1; i < 8; i++) {
		assert_int_equal(calls_memory.records[i].done, i + 1);
		assert_int_equal(calls_memory.records[i].io.fd, i);
	}
	memory_close();
}

static uint32_t files_named(void)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < calls_memory.nr_files; i++)
		nr += calls_memory.files[i].ready;
	return nr;
}

static const char *name_of(struct calls_file file)
{
	for (uint32_t i = 0; i < calls_memory.nr_files; i++)
		if (calls_memory.files[i].ready && calls_memory.files[i].inode == file.inode && calls_memory.files[i].device == file.device)
			return calls_memory.files[i].path;
	return "";
}

/* Deeper than a place has room for, and than is on every handler's stack. */
static void long_paths(void **state)
{
	enum { DEPTH = 30 };
	char top[] = "/tmp/calls_sums_test.XXXXXX", path[4096], *end = path;

	(void)state;
	memory_open(64, 8, 64);
	assert_non_null(mkdtemp(top));
	end += sprintf(end, "%s", top);
	for (int i = 0; i < DEPTH; i++) {
		end += sprintf(end, "/folder%05d", i);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	strcpy(end, "/file");
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	const char *name = name_of(calls_files_of_descriptor(fd, true)), *at = strstr(path, "/folder00012");
	assert_memory_equal(name, "...", 3);
	assert_string_equal(name + 3, at);
	unlink(path); /* opened again where it has no name any more: the same */
	assert_string_equal(name_of(calls_files_of_descriptor(fd, true)) + 3, at);
	assert_int_equal(files_named(), 1);
	close(fd);
	for (int i = 0; i < DEPTH; i++) {
		*end = 0;
		rmdir(path);
		end -= strlen("/folder00000");
	}
	rmdir(top);
	memory_close();
}

static void files_are_named_once(void **state)
{
	char path[300], name[32];
	int ends[2];

	(void)state;
	memory_open(64, 8, 64);
	for (int i = 0; i < 3; i++) {
		struct calls_file file = calls_files_of_path("a/path", 0), null = calls_files_of_path("", -ENOENT);

		assert_true(file.inode != 0 && file.device == 0 && null.inode == 0);
	}
	assert_int_equal(files_named(), 1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(calls_files_of_descriptor(ends[0], false).inode, calls_files_of_descriptor(ends[1], false).inode);
	assert_int_equal(files_named(), 2);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(calls_files_of_descriptor(ends[0], false).inode, 0);
	memset(path, 'x', sizeof path - 1);
	memcpy(path + sizeof path - 1 - 9, "/the/name", 9);
	path[sizeof path - 1] = 0;
	struct calls_file file = calls_files_of_path(path, 0);
	assert_true(file.inode != 0);
	assert_int_equal(files_named(), 3);
	assert_string_equal(name_of(file), ".../the/name"); /* it loses its beginning */
	assert_int_equal(calls_files_of_path((const char *)8, -EINVAL).inode, 0);
	assert_int_equal(calls_files_of_path("a/path", -EINVAL).inode, calls_files_of_path("a/path", 0).inode);
	for (uint32_t i = 0; i < 8; i++)
		assert_true(memchr(calls_memory.files[i].path, 0, sizeof calls_memory.files[i].path) != NULL);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "name%d", i);
		calls_files_of_path(name, -ENOENT);
	}
	assert_int_equal(files_named(), 8);
	assert_int_equal(seen->files_full, 15);
	memory_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_of_all_kinds), cmocka_unit_test(threads_add),      cmocka_unit_test(a_full_table_says_so),
		cmocka_unit_test(rows_that_are_not_ready), cmocka_unit_test(records_go_round), cmocka_unit_test(files_are_named_once),
		cmocka_unit_test(long_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
