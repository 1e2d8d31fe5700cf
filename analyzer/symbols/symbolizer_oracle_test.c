/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inline chains against llvm-symbolizer, at every byte of .text of programs compiled in many ways.
 *
 * (binutils' addr2line is no oracle: it is wrong on clang's inline ranges.)
 */
#include "symbolizer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "demangle.h"
#include "elf_file.h"

static char folder[] = "/tmp/symbolizer_oracle.XXXXXX";

static int folder_create(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int folder_destroy(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

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

static void text_range(const char *path, uint64_t *low, uint64_t *high)
{
	struct elf_file *file;
	Elf_Scn *scn = NULL;
	GElf_Shdr section;
	size_t names;

	assert_null(elf_file_open(path, &file));
	elf_getshdrstrndx(file->elf, &names);
	*low = *high = 0;
	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &section) && strcmp(elf_strptr(file->elf, names, section.sh_name), ".text") == 0) {
			*low = section.sh_addr;
			*high = section.sh_addr + section.sh_size;
		}
	elf_file_close(file);
	assert_true(*low < *high);
}

/* "/a/./b/../c:1:2" as the symbolizer writes it; done on whole lines in place, by removing text only. */
static void place_fold(char *place)
{
	char *at;

	while ((at = strstr(place, "/./")))
		memmove(at, at + 2, strlen(at + 2) + 1);
	while ((at = strstr(place, "//")))
		memmove(at, at + 1, strlen(at + 1) + 1);
	while ((at = strstr(place, "/../")) && at != place) {
		char *before = at - 1;

		while (before > place && *before != '/')
			before--;
		memmove(before, at + 3, strlen(at + 3) + 1);
	}
}

/* Clones and cold parts show under the function's own name. */
static void name_strip(char *name)
{
	name[demangle_plain_length(name)] = '\0';
}

/* Where there is no row, llvm-symbolizer gives the bare name of a STT_FILE symbol: no place. */
static bool place_unknown(const char *place)
{
	size_t length = strlen(place);

	return *place != '/' && length > 4 && strcmp(place + length - 4, ":0:0") == 0;
}

static bool line_read(FILE *file, char *line, size_t bytes)
{
	if (!fgets(line, (int)bytes, file))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

/* Equal, or two of the names (C1, C2, D1, D2 ...) that one constructor or destructor has at one address. */
static bool names_match(const char *a, const char *b)
{
	size_t same = 0;

	while (a[same] && a[same] == b[same])
		same++;
	if (!a[same] && !b[same])
		return true;
	return same && (a[same - 1] == 'C' || a[same - 1] == 'D') && strchr("123", a[same]) && strchr("123", b[same]) &&
	       strcmp(a + same + 1, b + same + 1) == 0;
}

struct tally {
	size_t addresses, frames, inlined;
};

/* One address's answer of llvm-symbolizer (pairs of lines, then an empty one) against ours. */
static void chain_compare(FILE *oracle, struct symbolizer *symbolizer, uint64_t address, const char *flags, struct tally *tally)
{
	const struct symbol_frame *frames;
	char name[8192], place[8192], own[8192];
	size_t count, i = 0;

	assert_null(symbolizer_chain(symbolizer, 1, address, &frames, &count));
	for (; line_read(oracle, name, sizeof name) && *name; i++) {
		assert_true(line_read(oracle, place, sizeof place));
		if (place_unknown(place)) {
			if (count == 0) /* startup code without debug info */
				continue;
			strcpy(place, "??:0:0");
		}
		if (strcmp(name, "??") == 0) /* padding between functions */
			snprintf(name, sizeof name, "program+0x%" PRIx64, address);
		name_strip(name);
		place_fold(place);
		if (i >= count)
			fail_msg("%s: 0x%" PRIx64 ": frame %zu of %zu is missing: %s %s", flags, address, i, count, name, place);
		snprintf(own, sizeof own, "%s:%u:%u", frames[i].file ? frames[i].file : "??", frames[i].line, frames[i].column);
		if (strcmp(own, place) != 0 || !names_match(frames[i].function, name))
			fail_msg("%s: 0x%" PRIx64 ": frame %zu is %s %s, should be %s %s", flags, address, i, frames[i].function, own, name,
				 place);
		tally->frames++;
	}
	if (count && i != count)
		fail_msg("%s: 0x%" PRIx64 ": %zu frames, should be %zu", flags, address, count, i);
	tally->addresses += count != 0;
	tally->inlined += count > 1;
}

static void program_compare(const char *program, const char *flags, bool must_inline)
{
	struct symbolizer_options options = { .mangled = true };
	struct symbolizer *symbolizer;
	struct tally tally = { 0 };
	char path[512];
	uint64_t low, high;

	text_range(program, &low, &high);
	snprintf(path, sizeof path, "%s/addresses", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (uint64_t address = low; address < high; address++)
		fprintf(file, "0x%" PRIx64 "\n", address);
	fclose(file);
	run(LLVM_SYMBOLIZER " --inlines --no-demangle --obj=%s < %s > %s.oracle", program, path, path);

	assert_null(symbolizer_create(&options, &symbolizer));
	assert_null(symbolizer_add_module(symbolizer, 1, program, NULL, 0));
	assert_int_equal(symbolizer_module_info(symbolizer, 1).status, SYMBOLS_FULL);
	snprintf(path, sizeof path, "%s/addresses.oracle", folder);
	FILE *oracle = fopen(path, "r");
	assert_non_null(oracle);
	for (uint64_t address = low; address < high; address++)
		chain_compare(oracle, symbolizer, address, flags, &tally);
	assert_int_equal(fgetc(oracle), EOF);
	fclose(oracle);
	symbolizer_destroy(symbolizer);

	/* The comparison has met what it is for. */
	assert_in_range(tally.addresses, 300, high - low);
	if (must_inline)
		assert_in_range(tally.inlined, 50, high - low);
}

static void compile_and_compare(const char *compiler, const char *source, const char *flags, bool must_inline)
{
	char program[512], all[512];

	snprintf(program, sizeof program, "%s/program", folder);
	snprintf(all, sizeof all, "%s %s %s", compiler, flags, source);
	/* From the folder of the source, so that DWARF has relative names as in a real build. */
	run("cd " SAMPLES " && %s %s -w -I. %s -o %s", compiler, flags, source, program);
	program_compare(program, all, must_inline);
}

static const char *const variants[] = {
	"-gdwarf-4",
	"-gdwarf-5",
	"-gdwarf-4 -gz -finstrument-functions",
	"-gdwarf-5 -gz -finstrument-functions",
};

static void compiler_test(const char *compiler, const char *source)
{
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++)
		for (int optimised = 0; optimised < 2; optimised++) {
			char flags[128];

			snprintf(flags, sizeof flags, "%s -g %s", optimised ? "-O2" : "-O0", variants[i]);
			compile_and_compare(compiler, source, flags, optimised);
		}
}

static void test_gcc(void **state)
{
	(void)state;
	compiler_test("gcc", "inline_sample.c");
}

static void test_clang(void **state)
{
	(void)state;
	compiler_test("clang", "inline_sample.c");
}

static void test_gxx(void **state)
{
	(void)state;
	compiler_test("g++", "inline_sample.cc");
}

static void test_clangxx(void **state)
{
	(void)state;
	compiler_test("clang++", "inline_sample.cc");
}

/* DIEs that continue in other units (LTO), code dropped by the linker, DWARF in .dwo files, position-dependent programs. */
static void test_unusual_builds(void **state)
{
	char split[128];

	(void)state;
	snprintf(split, sizeof split, "-O2 -g -gsplit-dwarf -dumpdir %s/", folder);
	compile_and_compare("gcc", "inline_sample.c", split, true);
	compile_and_compare("gcc", "inline_sample.c", "-O2 -g -flto", true);
	compile_and_compare("gcc", "inline_sample.c", "-O3 -g -no-pie", true);
	compile_and_compare("g++", "inline_sample.cc", "-O2 -g -ffunction-sections -Wl,--gc-sections", true);
	compile_and_compare("g++", "inline_sample.cc", "-O2 -g1", true);
	compile_and_compare("clang", "inline_sample.c", "-O2 -gline-tables-only", true);
	compile_and_compare("clang++", "inline_sample.cc", "-O3 -g -ffunction-sections -Wl,--gc-sections -no-pie", true);
	compile_and_compare("clang", "inline_sample.c", "-Os -g -fdebug-types-section -gdwarf-5", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcc),     cmocka_unit_test(test_clang),          cmocka_unit_test(test_gxx),
		cmocka_unit_test(test_clangxx), cmocka_unit_test(test_unusual_builds),
	};

	return cmocka_run_group_tests(tests, folder_create, folder_destroy);
}
