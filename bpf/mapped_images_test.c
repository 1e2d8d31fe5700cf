/* SPDX-License-Identifier: BSD-2-Clause */
/* What each image had mapped, as the kernel told it; our own process is what there is to read. */
#include "mapped_images.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "record_clock.h"

enum { NOBODY = 0x7ffffff0 /* above every pid */, ONE = NOBODY, TWO = NOBODY + 1 };

static void tell(struct mapped_images *images, enum perf_news_kind kind, uint32_t tgid, uint32_t parent, uint64_t time_ns)
{
	mapped_images_take(images, &(struct perf_news){ .kind = (uint8_t)kind, .tgid = tgid, .parent_tgid = parent, .time_ns = time_ns });
}

static void tell_mapping(struct mapped_images *images, uint32_t tgid, uint64_t time_ns, uint64_t start, uint64_t offset, uint64_t inode, const char *path)
{
	struct perf_mapping *mapping = calloc(1, sizeof *mapping + strlen(path) + 1);

	assert_non_null(mapping);
	*mapping = (struct perf_mapping){ start, start + 0x1000, offset, inode };
	memcpy(mapping->path, path, strlen(path) + 1);
	mapped_images_take(images, &(struct perf_news){ .kind = PERF_MAPPED, .tgid = tgid, .time_ns = time_ns, .mapping = mapping });
	free(mapping);
}

static size_t nr_modules(const struct mapped_image *image)
{
	return image->modules.used / sizeof(struct cprof_module);
}

static const struct cprof_module *module_at(const struct mapped_image *image, size_t i)
{
	assert_true(i < nr_modules(image));
	return (const struct cprof_module *)(const void *)image->modules.data + i;
}

static void assert_path(const struct cprof_module *module, const char *path)
{
	assert_int_equal(module->path_bytes, strlen(path));
	assert_memory_equal(module->path, path, strlen(path));
}

/* exec begins a new image, fork one with what the parent had then; each is found by any time that it lived at. */
static void test_images_by_time(void **state)
{
	struct mapped_images images = { .images = NULL };

	(void)state;
	tell(&images, PERF_EXECUTED, ONE, 0, 10);
	tell(&images, PERF_FORKED, TWO, ONE, 10);
	assert_null(mapped_images_at(&images, ONE, 10)); /* of whom nobody told us */
	assert_null(mapped_images_at(&images, TWO, 10));
	assert_non_null(mapped_images_begin(&images, ONE, 0));
	tell(&images, PERF_EXECUTED, ONE, 0, 100);
	tell_mapping(&images, ONE, 101, 0x10000, 0, 1, "/none/first");
	tell_mapping(&images, ONE, 101, 0x90000, 0, 0, "//anon");
	tell_mapping(&images, ONE, 101, 0x90000, 0, 0, "[vdso]");
	tell(&images, PERF_FORKED, ONE, ONE, 150); /* a thread */
	tell(&images, PERF_FORKED, TWO, ONE, 200);
	tell_mapping(&images, ONE, 201, 0x20000, 0, 2, "/none/second");
	tell_mapping(&images, ONE, 202, 0x20000, 0, 2, "/none/second");
	tell(&images, PERF_EXECUTED, TWO, 0, 300);
	tell_mapping(&images, TWO, 301, 0x10000, 0, 3, "/none/third");

	assert_int_equal(mapped_images_at(&images, ONE, 99)->start_ns, 0);
	assert_int_equal(nr_modules(mapped_images_at(&images, ONE, 1000)), 2); /* the second once */
	assert_path(module_at(mapped_images_at(&images, ONE, 1000), 1), "/none/second (deleted)");
	assert_int_equal(module_at(mapped_images_at(&images, ONE, 1000), 1)->id, 2);
	assert_null(mapped_images_at(&images, TWO, 199));
	assert_int_equal(nr_modules(mapped_images_at(&images, TWO, 299)), 1);
	assert_path(module_at(mapped_images_at(&images, TWO, 299), 0), "/none/first (deleted)");
	assert_int_equal(module_at(mapped_images_at(&images, TWO, 299), 0)->flags, CPROF_MODULE_MAIN);
	assert_int_equal(nr_modules(mapped_images_at(&images, TWO, 300)), 1);
	assert_path(module_at(mapped_images_at(&images, TWO, 300), 0), "/none/third (deleted)");

	mapped_images_forget(&images, TWO, 299);
	assert_null(mapped_images_at(&images, TWO, 299));
	assert_non_null(mapped_images_at(&images, TWO, 300));
	mapped_images_forget(&images, ONE, 100);
	assert_null(mapped_images_at(&images, ONE, 1000));
	assert_int_equal(images.nr, 1);
	assert_int_equal(images.lost, 0);
	tell_mapping(&images, TWO, 302, 0x30000, 0, 0, "//enomem");
	tell_mapping(&images, TWO, 302, 0x30000, 0, 0, "//toolong");
	assert_int_equal(images.lost, 2);
	mapped_images_deinit(&images);
}

/* Of whoever made a child before anybody listened, too. */
static void test_everyone(void **state)
{
	struct mapped_images images = { .everyone = true };

	(void)state;
	tell(&images, PERF_FORKED, TWO, (uint32_t)getpid(), 10);
	assert_true(nr_modules(mapped_images_at(&images, TWO, 10)) >= 2); /* we and libc */
	tell(&images, PERF_EXECUTED, ONE, 0, 10);
	assert_int_equal(nr_modules(mapped_images_at(&images, ONE, 10)), 0);
	mapped_images_deinit(&images);
}

static int check_bias(struct dl_phdr_info *info, size_t bytes, void *context)
{
	const struct mapped_image *image = context;
	bool found = false;

	(void)bytes;
	if (strstr(info->dlpi_name, "vdso"))
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];

		for (size_t m = 0; header->p_type == PT_LOAD && header->p_flags & PF_X && m < nr_modules(image); m++) {
			const struct cprof_module *module = module_at(image, m);

			if (info->dlpi_addr + header->p_vaddr < module->start || info->dlpi_addr + header->p_vaddr >= module->end)
				continue;
			assert_int_equal(module->bias, info->dlpi_addr);
			found = true;
		}
	}
	assert_true(found);
	return 0;
}

/* Each file's bias is the loader's; the same mappings, told, are the same modules. */
static void test_bias(void **state)
{
	struct mapped_images images = { .images = NULL };
	struct mapped_image *read = mapped_images_begin(&images, (uint32_t)getpid(), 0), *told;
	size_t nr;

	(void)state;
	mapped_images_read(&images, read);
	nr = nr_modules(read);
	assert_true(nr >= 2);
	dl_iterate_phdr(check_bias, read);
	mapped_images_read(&images, read);
	assert_int_equal(nr_modules(read), nr);

	told = mapped_images_begin(&images, TWO, 0);
	for (size_t i = 0; i < nr; i++) {
		const struct cprof_module *module = module_at(read, i);
		char path[CPROF_MODULE_PATH_MAX + 1];
		struct stat st;

		snprintf(path, sizeof path, "%.*s", (int)module->path_bytes, module->path);
		assert_int_equal(stat(path, &st), 0);
		tell_mapping(&images, TWO, record_clock_ns(CLOCK_MONOTONIC), module->start, 0, st.st_ino, path);
		assert_int_equal(module_at(told, i)->build_id_bytes, module->build_id_bytes);
		assert_memory_equal(module_at(told, i)->build_id, module->build_id, module->build_id_bytes);
		assert_path(module_at(told, i), path);
	}
	assert_true(images.files.nr <= nr);
	mapped_images_deinit(&images);
}

/* A file that is another by now, or has been written to, is not asked. */
static void test_changed_files(void **state)
{
	struct mapped_images images = { .images = NULL };
	struct mapped_image *image = mapped_images_begin(&images, ONE, 0);
	char path[4096], copy[] = "/tmp/cprof-mapped-XXXXXX", deleted[64], command[8192];
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	struct timespec jiffies = { 0, 50000000 };
	uint64_t mapped_ns;
	struct stat st;
	int fd = mkstemp(copy);

	(void)state;
	assert_true(fd >= 0 && length > 0);
	close(fd);
	path[length] = '\0';
	snprintf(command, sizeof command, "cp '%s' %s", path, copy);
	snprintf(deleted, sizeof deleted, "%s (deleted)", copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(stat(copy, &st), 0);
	nanosleep(&jiffies, NULL); /* a file's times are those of the clock's ticks */
	mapped_ns = record_clock_ns(CLOCK_MONOTONIC);
	tell_mapping(&images, ONE, mapped_ns, 0x100000, 0, st.st_ino, copy);
	assert_path(module_at(image, 0), copy);
	assert_true(module_at(image, 0)->build_id_bytes > 0);
	tell_mapping(&images, ONE, mapped_ns, 0x200000, 0, st.st_ino + 1, copy);
	assert_path(module_at(image, 1), deleted);
	assert_int_equal(module_at(image, 1)->build_id_bytes, 0);
	nanosleep(&jiffies, NULL);
	assert_int_equal(system(command), 0); /* the same inode */
	tell_mapping(&images, ONE, mapped_ns, 0x300000, 0, st.st_ino, copy);
	assert_path(module_at(image, 2), deleted);
	unlink(copy);
	tell_mapping(&images, ONE, mapped_ns, 0x400000, 0x3000, st.st_ino, copy);
	assert_path(module_at(image, 3), deleted);
	assert_int_equal(module_at(image, 3)->bias, 0x400000 - 0x3000);
	mapped_images_deinit(&images);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images_by_time),
		cmocka_unit_test(test_everyone),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_changed_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
