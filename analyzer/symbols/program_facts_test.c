/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs built every way that people build them, and some that go wrong: what is said of each. */
#include "program_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/program_facts_test.XXXXXX";

/* Two objects: one that is instrumented when the flags say so, one never. */
static const char app[] = "int other(int); __attribute__((noinline)) int work(int x) { return other(x) + 1; }\n"
			  "int main(int c, char **v) { (void)v; return work(c) == 12345; }\n";
static const char other[] = "int other(int x) { return x * 3; } int more(int x) { return x - 1; }\n";

#define HOOKS " -finstrument-functions -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer "
#define ARCHIVE " -Wl,-u,__cyg_profile_func_enter -Wl,-u,__cyg_profile_func_exit " RUNTIME "/libcprof.a -pthread -ldl"
#define SHARED " -L" RUNTIME " -lcprof"

static void CPROF_PRINTF(1, 2) run(const char *format, ...)
{
	char command[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof command, format, arguments);
	va_end(arguments);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

static void text_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int folder_create(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	unsetenv("LD_LIBRARY_PATH");
	text_write("app.c", app);
	text_write("other.c", other);
	run("gcc -g -O2 -c other.c -o other.o");
	return 0;
}

static int folder_destroy(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

static struct program_facts *facts_of(const char *path)
{
	struct program_facts *facts;

	assert_null(program_facts_create(path, &facts));
	return facts;
}

static void expect_counts(const struct program_facts *facts)
{
	assert_true(facts->code_readable);
	assert_int_equal(facts->instrumented, 2);
	assert_int_equal(facts->functions, 4);
	assert_int_equal(facts->nr_units, 2);
	assert_string_equal(facts->units[0].name, "other.c");
	assert_int_equal(facts->units[0].functions, 2);
	assert_int_equal(facts->units[0].instrumented, 0);
	assert_string_equal(facts->units[1].name, "app.c");
	assert_int_equal(facts->units[1].functions, 2);
	assert_int_equal(facts->units[1].instrumented, 2);
	assert_int_equal(facts->frameless, 0);
}

static void test_shared_runtime_is_found_by_rpath_only(void **state)
{
	static const char *const compilers[] = { "gcc", "clang" }, *const plts[] = { "", "-fno-plt", "-O0" };
	struct program_facts *facts;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t k = 0; k < 3; k++) {
			run("%s -g -O2 %s" HOOKS "app.c other.o" SHARED " -Wl,-rpath," RUNTIME " -o shared", compilers[i], plts[k]);
			facts = facts_of("shared");
			assert_int_equal(facts->hooks, HOOKS_SHARED);
			assert_true(facts->is_dynamic && !facts->is_library && facts->runtime_defines_hooks && facts->has_symbols);
			assert_string_equal(facts->runtime_name, "libcprof.so.0");
			assert_string_equal(facts->runtime_path, RUNTIME "/libcprof.so.0");
			expect_counts(facts);
			program_facts_destroy(facts);
		}
	}
	run("gcc -g -O2" HOOKS "app.c other.o" SHARED " -o lost");
	facts = facts_of("lost");
	assert_int_equal(facts->hooks, HOOKS_SHARED);
	assert_null(facts->runtime_path);
	program_facts_destroy(facts);
}

static void test_archive_is_found_and_not_counted(void **state)
{
	static const char *const ways[] = { "", "-static", "-static-pie", "-no-pie" };

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		run("gcc -g -O2 %s" HOOKS "%s app.c other.o" ARCHIVE " -o archive", ways[i], strstr(ways[i], "static-pie") ? "-fPIE" : "");
		struct program_facts *facts = facts_of("archive");

		assert_int_equal(facts->hooks, HOOKS_INSIDE);
		assert_null(facts->runtime_name);
		expect_counts(facts);
		program_facts_destroy(facts);
	}
}

static void test_empty_hooks_of_libc_are_known(void **state)
{
	static const char *const ways[] = { "", "-static" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		run("gcc -g -O2 %s" HOOKS "app.c other.o -o empty", ways[i]);
		struct program_facts *facts = facts_of("empty");

		assert_int_equal(facts->hooks, HOOKS_EMPTY);
		assert_false(facts->has_runtime_text);
		expect_counts(facts);
		program_facts_destroy(facts);
	}
}

static void test_hooks_of_others_are_not_ours(void **state)
{
	struct program_facts *facts;

	(void)state;
	text_write("own.c", "int n; void __cyg_profile_func_enter(void *a, void *b) { n += a != b; } void __cyg_profile_func_exit(void *a, void *b) { n -= a != b; }\n");
	run("gcc -g -O2 -c own.c && gcc -g -O2" HOOKS "app.c other.o own.o -o own");
	facts = facts_of("own");
	assert_int_equal(facts->hooks, HOOKS_FOREIGN);
	program_facts_destroy(facts);
}

static void test_uninstrumented_and_frameless(void **state)
{
	struct program_facts *facts;

	(void)state;
	run("gcc -g -O2 app.c other.o -o plain");
	facts = facts_of("plain");
	assert_int_equal(facts->hooks, HOOKS_NONE);
	assert_int_equal(facts->hook_calls, 0);
	assert_int_equal(facts->instrumented, 0);
	program_facts_destroy(facts);

	run("gcc -g -O2 -finstrument-functions -fomit-frame-pointer app.c other.o" ARCHIVE " -o frameless");
	facts = facts_of("frameless");
	assert_int_equal(facts->instrumented, 2);
	assert_int_equal(facts->frameless, 2);
	assert_non_null(facts->frameless_names[0]);
	assert_null(facts->frameless_names[2]);
	program_facts_destroy(facts);
}

static void test_stripped_with_and_without_debug_file(void **state)
{
	struct program_facts *facts;

	(void)state;
	run("gcc -g -gdwarf-4 -O2" HOOKS "app.c -c && gcc -g app.o other.o" SHARED " -Wl,--build-id=0x000102030405060708090a0b0c0d0e0f10111213 -o whole");
	run("objcopy --only-keep-debug whole whole.debug && objcopy --strip-all --add-gnu-debuglink=whole.debug whole split && strip whole");
	facts = facts_of("split");
	assert_non_null(facts->debug_path);
	assert_true(facts->has_symbols);
	assert_int_equal(facts->dwarf_min, 4);
	assert_int_equal(facts->dwarf_max, 5);
	assert_string_equal(facts->build_id, "000102030405060708090a0b0c0d0e0f10111213");
	expect_counts(facts);
	program_facts_destroy(facts);

	facts = facts_of("whole");
	assert_null(facts->debug_path);
	assert_false(facts->has_symbols);
	assert_int_equal(facts->dwarf_max, 0);
	assert_int_equal(facts->hooks, HOOKS_SHARED);
	assert_int_equal(facts->hook_calls, 2);
	program_facts_destroy(facts);

	run("gcc -g -O2" HOOKS "app.c other.o" ARCHIVE " -Wl,--build-id=none -static -s -o static");
	facts = facts_of("static");
	assert_int_equal(facts->hooks, HOOKS_INSIDE);
	assert_string_equal(facts->build_id, "");
	program_facts_destroy(facts);
}

static void test_library(void **state)
{
	struct program_facts *facts;

	(void)state;
	run("gcc -g -O2 -shared -fPIC" HOOKS "app.c other.c" SHARED " -o library.so");
	facts = facts_of("library.so");
	assert_true(facts->is_library);
	assert_int_equal(facts->hooks, HOOKS_SHARED);
	assert_int_equal(facts->instrumented, 4);
	program_facts_destroy(facts);
}

/* Every byte of the headers and tables broken, one after the other: an error or facts, nothing else. */
static void test_damaged_files_are_survived(void **state)
{
	char *bytes = NULL;
	long nr_bytes;
	FILE *file;

	(void)state;
	run("gcc -O2" HOOKS "app.c other.c" SHARED " -s -o small");
	file = fopen("small", "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	nr_bytes = ftell(file);
	rewind(file);
	bytes = malloc((size_t)nr_bytes);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)nr_bytes, file), nr_bytes);
	fclose(file);
	for (long at = 0; at < nr_bytes; at += at < 2048 ? 1 : 41) {
		struct program_facts *facts = NULL;

		bytes[at] = (char)(bytes[at] ^ 0xFF);
		file = fopen("damaged", "wb");
		assert_non_null(file);
		assert_int_equal(fwrite(bytes, 1, (size_t)nr_bytes, file), nr_bytes);
		assert_int_equal(fclose(file), 0);
		struct cprof_error *error = program_facts_create("damaged", &facts);
		assert_true(!error != !facts);
		cprof_error_free(error);
		program_facts_destroy(facts);
		bytes[at] = (char)(bytes[at] ^ 0xFF);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_runtime_is_found_by_rpath_only),
		cmocka_unit_test(test_archive_is_found_and_not_counted),
		cmocka_unit_test(test_empty_hooks_of_libc_are_known),
		cmocka_unit_test(test_hooks_of_others_are_not_ours),
		cmocka_unit_test(test_uninstrumented_and_frameless),
		cmocka_unit_test(test_stripped_with_and_without_debug_file),
		cmocka_unit_test(test_library),
		cmocka_unit_test(test_damaged_files_are_survived),
	};
	return cmocka_run_group_tests(tests, folder_create, folder_destroy);
}
