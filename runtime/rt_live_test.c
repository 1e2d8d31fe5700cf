/* SPDX-License-Identifier: BSD-2-Clause */
/* The live file: growth, what readers find in it, and that a store into it never meets what the disk cannot hold. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt_live.h"
#include "rt_sys.h"

enum { BLOCK = 64 << 10 };

static char path[64], live_path[80];

static int begin(void **state)
{
	(void)state;
	strcpy(path, "/tmp/cprof-live-XXXXXX");
	close(mkstemp(path));
	snprintf(live_path, sizeof live_path, "%s.live", path);
	return rt_live_create(path, 1 << 20);
}

static int end(void **state)
{
	(void)state;
	rt_live_remove();
	rt_live_forget();
	return unlink(path) || !access(live_path, F_OK);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

static void test_growth(void **state)
{
	struct stat st;

	(void)state;
	for (uint32_t i = 0; i < 300000; i += 97) {
		assert_true(rt_table_ensure(&rt_live.contexts, i));
		((struct cprof_context *)rt_table_at(&rt_live.contexts, i))->hook_return = i;
	}
	assert_false(rt_table_ensure(&rt_live.contexts, rt_live.contexts.capacity));
	/* As a reader finds it: by the extents alone. */
	int fd = open(live_path, O_RDONLY);
	struct cprof_live_header *header = mmap(NULL, CPROF_LIVE_HEADER_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	uint64_t next = 0, allocated = CPROF_LIVE_HEADER_BYTES;
	assert_return_code(fstat(fd, &st), errno);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (uint32_t e = 0; e < CPROF_LIVE_EXTENTS && header->extents[e].kind; e++) {
		const struct cprof_extent *extent = &header->extents[e];

		assert_int_equal(extent->kind, CPROF_EXTENT_CONTEXTS);
		assert_int_equal(extent->item_bytes, sizeof(struct cprof_context));
		assert_int_equal(extent->first, next);
		assert_int_equal(extent->offset, allocated);
		assert_int_equal(extent->bytes % extent->item_bytes, 0);
		for (uint64_t i = (next + 96) / 97 * 97; i < next + extent->bytes / extent->item_bytes && i < 300000; i += 97) {
			struct cprof_context record;
			assert_int_equal(pread(fd, &record, sizeof record, (off_t)(extent->offset + (i - next) * sizeof record)), sizeof record);
			assert_int_equal(record.hook_return, i);
		}
		next += extent->bytes / extent->item_bytes;
		allocated += extent->bytes;
	}
	assert_in_range(next, 300000, 2 * 300000);
	assert_int_equal(st.st_size, allocated);
	assert_in_range(st.st_blocks * 512, allocated, UINT64_MAX); /* no holes */
	munmap(header, CPROF_LIVE_HEADER_BYTES);
	close(fd);
}

/* A store into each page. Not checked by AddressSanitizer, whose shadow memory would fault. */
__attribute__((noinline, no_sanitize("address"))) static void touch(volatile uint8_t *memory, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 4096)
		memory[at] = 1;
}

/* Every page has been written to before anybody stores into it. */
static void test_no_faults(void **state)
{
	(void)state;
#ifdef CPROF_TEST_TSAN
	skip(); /* its shadow memory faults */
#endif
	volatile uint8_t *blocks = rt_live_extend_blocks(64 * BLOCK, BLOCK);
	assert_non_null(blocks);
	assert_true(rt_table_ensure(&rt_live.contexts, 20000));
	volatile uint8_t *contexts = rt_live.contexts.base;
	uint64_t bytes = 20000 * sizeof(struct cprof_context);

	long before = faults();
	touch(blocks, 64 * BLOCK);
	touch(contexts, bytes);
	assert_in_range(faults() - before, 0, 20); /* 1,259 pages */
}

static volatile sig_atomic_t size_signals;

static void count_signal(int signal)
{
	(void)signal;
	size_signals++;
}

/* A limit of the file's size: an error, no signal for the host, and what was there can be used as before. */
static void test_limit(void **state)
{
	struct rlimit old, limit;
	uint64_t mapped;

	(void)state;
	signal(SIGXFSZ, count_signal);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 1 << 20;
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_non_null(rt_live_extend_blocks(4 * BLOCK, BLOCK));
	uint32_t i = 0;
	while (rt_table_ensure(&rt_live.contexts, i))
		i++;
	mapped = atomic_load(&rt_live.contexts.mapped);
	assert_int_equal(i, mapped);
	assert_int_equal(rt_live.error, EFBIG);
	memset(rt_live.contexts.base, 1, mapped * sizeof(struct cprof_context));
	uint64_t mask = rt_signals_block(); /* as its callers have */
	assert_null(rt_live_extend_blocks(64 * BLOCK, BLOCK));
	rt_signals_restore(mask);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(size_signals, 0);
	/* There is space again. */
	assert_true(rt_table_ensure(&rt_live.contexts, i));
	assert_non_null(rt_live_extend_blocks(64 * BLOCK, BLOCK));
	signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_growth, begin, end),
		cmocka_unit_test_setup_teardown(test_no_faults, begin, end),
		cmocka_unit_test_setup_teardown(test_limit, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
