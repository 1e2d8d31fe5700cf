/* SPDX-License-Identifier: BSD-2-Clause */
/* Which file is used for a module, and which name for a function. Chains and places: symbolizer_oracle_test.c. */
#include "symbolizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "elf_file.h"

enum { EXPORTED_LINE = 32 }; /* in names_sample.c */

static char folder[] = "/tmp/symbolizer_test.XXXXXX";

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

/* "names": the sample with everything in it; its build-id is fixed. */
static int folder_create(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	run("gcc -g -O1 -rdynamic " SAMPLES "/names_sample.c -o names -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567");
	run("nm names > names.nm");
	return 0;
}

static int folder_destroy(void **state)
{
	char command[256];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", folder);
	return system(command);
}

/* From nm, not from the code under test. */
static uint64_t address_of(const char *symbol)
{
	FILE *file = fopen("names.nm", "r");
	char line[512], name[256];
	unsigned long address, found = 0;

	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "%lx %*c %255s", &address, name) == 2 && strcmp(name, symbol) == 0)
			found = address;
	fclose(file);
	assert_true(found);
	return found;
}

static const uint8_t build_id[20] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
				      0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67 };

static struct symbolizer *open_with(const char *path, const uint8_t *id, size_t id_bytes, const struct symbolizer_options *options)
{
	struct symbolizer *symbolizer;

	assert_null(symbolizer_create(options, &symbolizer));
	assert_null(symbolizer_add_module(symbolizer, 1, path, id, id_bytes));
	return symbolizer;
}

static struct symbolizer *open_path(const char *path)
{
	static const struct symbolizer_options options;

	return open_with(path, build_id, sizeof build_id, &options);
}

static struct symbol_function function_at(struct symbolizer *symbolizer, uint64_t address)
{
	struct symbol_function function;

	assert_null(symbolizer_function(symbolizer, 1, address, &function));
	assert_non_null(function.name);
	return function;
}

static void assert_unknown(struct symbolizer *symbolizer, const char *module, uint64_t address)
{
	struct symbol_function function = function_at(symbolizer, address);
	char expected[256];

	snprintf(expected, sizeof expected, "%s+0x%lx", module, (unsigned long)address);
	assert_string_equal(function.name, expected);
	assert_false(function.known);
	assert_null(function.linkage);
}

static void assert_status(struct symbolizer *symbolizer, enum symbol_status status, const char *said)
{
	struct symbol_module_info info = symbolizer_module_info(symbolizer, 1);

	assert_int_equal(info.status, status);
	if (!said) {
		assert_null(info.detail);
		return;
	}
	assert_non_null(info.detail);
	if (!strstr(info.detail, said))
		fail_msg("\"%s\" does not say \"%s\"", info.detail, said);
}

static size_t chain_length(struct symbolizer *symbolizer, uint64_t address)
{
	const struct symbol_frame *frames;
	size_t count;

	assert_null(symbolizer_chain(symbolizer, 1, address, &frames, &count));
	return count;
}

static void test_source_names_and_declarations(void **state)
{
	struct symbolizer *symbolizer = open_path("names");
	struct symbol_function function;

	(void)state;
	assert_status(symbolizer, SYMBOLS_FULL, NULL);
	function = function_at(symbolizer, address_of("exported"));
	assert_string_equal(function.name, "exported");
	assert_true(function.known);
	assert_string_equal(function.file, SAMPLES "/names_sample.c");
	assert_int_equal(function.line, EXPORTED_LINE);
	function = function_at(symbolizer, address_of("exported") + 1); /* inside it */
	assert_string_equal(function.name, "exported");

	function = function_at(symbolizer, address_of("a_public_alias")); /* static in the source, exported by another name */
	assert_string_equal(function.name, "real_name");
	assert_string_equal(function.linkage, "real_name");
	function = function_at(symbolizer, address_of("symbol_of_renamed"));
	assert_string_equal(function.name, "renamed");
	assert_string_equal(function.linkage, "symbol_of_renamed");
	symbolizer_destroy(symbolizer);
}

static void test_symbols_end_where_they_say(void **state)
{
	struct symbolizer *symbolizer = open_path("names");

	(void)state;
	assert_string_equal(function_at(symbolizer, address_of("asm_a")).name, "asm_a"); /* of three, the short and first one */
	assert_unknown(symbolizer, "names", address_of("asm_a") + 1);
	assert_unknown(symbolizer, "names", address_of("asm_unsized") - 1);
	assert_string_equal(function_at(symbolizer, address_of("asm_unsized")).name, "asm_unsized");
	assert_string_equal(function_at(symbolizer, address_of("asm_unsized") + 2).name, "asm_unsized");
	assert_string_equal(function_at(symbolizer, address_of("asm_unsized") + 3).name, "asm_next");
	assert_unknown(symbolizer, "names", address_of("asm_next") + 1);
	assert_unknown(symbolizer, "names", 0);
	assert_unknown(symbolizer, "names", UINT64_MAX);
	assert_int_equal(chain_length(symbolizer, UINT64_MAX), 0);
	symbolizer_destroy(symbolizer);
}

static struct symbol_variable variable_at(struct symbolizer *symbolizer, uint64_t address)
{
	struct symbol_variable variable;

	assert_null(symbolizer_variable(symbolizer, 1, address, &variable));
	return variable;
}

static void assert_variable(struct symbolizer *symbolizer, const char *name, uint64_t bytes)
{
	uint64_t address = address_of(name);

	for (uint64_t offset = 0; offset < bytes; offset++) {
		struct symbol_variable variable = variable_at(symbolizer, address + offset);

		assert_string_equal(variable.name, name);
		assert_int_equal(variable.bytes, bytes);
		assert_int_equal(variable.offset, offset);
	}
}

static void test_variables(void **state)
{
	struct symbolizer *symbolizer = open_path("names");

	(void)state;
	assert_variable(symbolizer, "filled", 4 * sizeof(int));
	assert_variable(symbolizer, "zeroed", 1000 * sizeof(int));
	assert_null(variable_at(symbolizer, address_of("exported")).name);    /* a function */
	assert_null(variable_at(symbolizer, 0).name);                         /* where a thread's variables begin to be counted */
	assert_string_equal(function_at(symbolizer, address_of("exported")).name, "exported");
	symbolizer_destroy(symbolizer);

	static const uint8_t other_id[20] = { 1 };
	static const struct symbolizer_options options;

	symbolizer = open_with("names", other_id, sizeof other_id, &options);
	assert_null(variable_at(symbolizer, address_of("filled")).name); /* of another build nothing is used */
	symbolizer_destroy(symbolizer);
}

static void test_rebuilt_binary_is_not_used(void **state)
{
	static const struct symbolizer_options plain;
	uint8_t other[20];
	struct symbolizer *symbolizer;

	(void)state;
	memcpy(other, build_id, sizeof other);
	other[19] ^= 1;
	symbolizer = open_with("names", other, sizeof other, &plain);
	assert_status(symbolizer, SYMBOLS_CHANGED,
		      "0123456789abcdef0123456789abcdef01234567, the run's was 0123456789abcdef0123456789abcdef01234566");
	assert_unknown(symbolizer, "names", address_of("exported"));
	assert_int_equal(chain_length(symbolizer, address_of("exported")), 0);
	symbolizer_destroy(symbolizer);

	run("gcc -g " SAMPLES "/names_sample.c -o idless -Wl,--build-id=none");
	symbolizer = open_path("idless"); /* the run had one */
	assert_status(symbolizer, SYMBOLS_CHANGED, "its build-id is none");
	symbolizer_destroy(symbolizer);
	symbolizer = open_with("idless", NULL, 0, &plain);
	assert_status(symbolizer, SYMBOLS_FULL, "no build-id");
	symbolizer_destroy(symbolizer);

	/* The build that ran is kept elsewhere. */
	run("mkdir -p kept && cp names kept/idless");
	const struct symbolizer_options searching = { .search_paths = (const char *const[]) { "nowhere", "kept", NULL } };
	symbolizer = open_with("idless", build_id, sizeof build_id, &searching);
	assert_status(symbolizer, SYMBOLS_FULL, NULL);
	assert_string_equal(function_at(symbolizer, address_of("exported")).name, "exported");
	symbolizer_destroy(symbolizer);
}

static void test_stripped(void **state)
{
	struct symbolizer *symbolizer;

	(void)state;
	run("strip names -o stripped");
	symbolizer = open_path("stripped");
	assert_status(symbolizer, SYMBOLS_STRIPPED, "stripped");
	assert_string_equal(function_at(symbolizer, address_of("exported")).name, "exported"); /* -rdynamic */
	assert_string_equal(function_at(symbolizer, address_of("a_public_alias")).name, "a_public_alias");
	assert_unknown(symbolizer, "stripped", address_of("asm_a") + 1);
	symbolizer_destroy(symbolizer);

	run("strip -g names -o lineless");
	symbolizer = open_path("lineless");
	assert_status(symbolizer, SYMBOLS_NO_LINES, "-g");
	assert_string_equal(function_at(symbolizer, address_of("main")).name, "main");
	assert_int_equal(chain_length(symbolizer, address_of("main")), 0);
	symbolizer_destroy(symbolizer);

	/* No symbol table at all, but DWARF. */
	run("objcopy --strip-all --keep-section='.debug_*' names dwarf_only");
	symbolizer = open_path("dwarf_only");
	assert_status(symbolizer, SYMBOLS_FULL, NULL);
	assert_string_equal(function_at(symbolizer, address_of("real_name")).name, "a_public_alias"); /* .dynsym is still there */
	struct symbol_function function = function_at(symbolizer, address_of("only_static"));
	assert_string_equal(function.name, "only_static");
	assert_string_equal(function.linkage, "only_static");
	symbolizer_destroy(symbolizer);
}

static void assert_separate(const char *path, const struct symbolizer_options *options, const char *debug_path)
{
	struct symbolizer *symbolizer = open_with(path, build_id, sizeof build_id, options);

	assert_status(symbolizer, SYMBOLS_FULL, NULL);
	assert_string_equal(symbolizer_module_info(symbolizer, 1).debug_path, debug_path);
	assert_string_equal(function_at(symbolizer, address_of("real_name")).name, "real_name");
	assert_int_equal(function_at(symbolizer, address_of("exported")).line, EXPORTED_LINE);
	assert_int_equal(chain_length(symbolizer, address_of("exported")), 1);
	symbolizer_destroy(symbolizer);
}

static void test_separate_debug_files(void **state)
{
	static const struct symbolizer_options plain;
	const struct symbolizer_options searching = { .search_paths = (const char *const[]) { "store", NULL } };

	(void)state;
	run("mkdir -p bin/.debug store/.build-id/01 && objcopy --only-keep-debug names bin/names.debug");
	run("objcopy --strip-all --add-gnu-debuglink=bin/names.debug names bin/names");
	assert_separate("bin/names", &plain, "bin/names.debug");
	run("mv bin/names.debug bin/.debug/");
	assert_separate("bin/names", &plain, "bin/.debug/names.debug");
	run("mv bin/.debug/names.debug store/");
	assert_separate("bin/names", &searching, "store/names.debug");
	run("mkdir -p store/bin && mv store/names.debug store/bin/");
	assert_separate("bin/names", &searching, "store/bin/names.debug");
	run("mv store/bin/names.debug store/.build-id/01/23456789abcdef0123456789abcdef01234567.debug");
	assert_separate("bin/names", &searching, "store/.build-id/01/23456789abcdef0123456789abcdef01234567.debug");

	/* The program itself is gone: its debug file still knows. */
	struct symbolizer *symbolizer = open_with("bin/gone", build_id, sizeof build_id, &searching);
	assert_status(symbolizer, SYMBOLS_FULL, NULL);
	assert_string_equal(function_at(symbolizer, address_of("real_name")).name, "real_name");
	symbolizer_destroy(symbolizer);

	/* A debug file of another build. */
	run("gcc -g -O0 " SAMPLES "/names_sample.c -o bin/names.debug -Wl,--build-id=0xff");
	symbolizer = open_path("bin/names");
	assert_status(symbolizer, SYMBOLS_STRIPPED, "stripped");
	assert_null(symbolizer_module_info(symbolizer, 1).debug_path);
	symbolizer_destroy(symbolizer);
}

static void test_debuglink_crc_without_build_ids(void **state)
{
	static const struct symbolizer_options plain;
	struct symbolizer *symbolizer;

	(void)state;
	run("mkdir -p crc && gcc -g " SAMPLES "/names_sample.c -o crc/full -Wl,--build-id=none");
	run("objcopy --only-keep-debug crc/full crc/full.debug && objcopy --strip-all --add-gnu-debuglink=crc/full.debug crc/full "
	    "crc/bare");
	symbolizer = open_with("crc/bare", NULL, 0, &plain);
	assert_int_equal(symbolizer_module_info(symbolizer, 1).status, SYMBOLS_FULL);
	symbolizer_destroy(symbolizer);
	run("printf x >> crc/full.debug");
	symbolizer = open_with("crc/bare", NULL, 0, &plain);
	assert_status(symbolizer, SYMBOLS_STRIPPED, "stripped");
	symbolizer_destroy(symbolizer);
}

static void test_files_that_are_none(void **state)
{
	static const struct {
		const char *path, *said;
		enum symbol_status status;
	} cases[] = {
		{ "absent", "No such file", SYMBOLS_MISSING }, { "names/absent", "Not a directory", SYMBOLS_MISSING },
		{ ".", "not a regular file", SYMBOLS_BAD },    { "fifo", "not a regular file", SYMBOLS_BAD },
		{ "text", "not an ELF file", SYMBOLS_BAD },    { "empty", "not an ELF file", SYMBOLS_BAD },
		{ "object.o", "neither", SYMBOLS_BAD },        { "/dev/zero", "not a regular file", SYMBOLS_BAD },
		{ "", "No such file", SYMBOLS_MISSING },
	};
	struct symbolizer *symbolizer;
	struct symbol_function function;

	(void)state;
	run("mkfifo fifo && echo text > text && : > empty && echo 'int f(void) { return 1; }' | gcc -c -x c - -o object.o");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		symbolizer = open_path(cases[i].path);
		assert_status(symbolizer, cases[i].status, cases[i].said);
		assert_false(function_at(symbolizer, 0x1234).known);
		assert_int_equal(chain_length(symbolizer, 0x1234), 0);
		symbolizer_destroy(symbolizer);
	}
	symbolizer = open_path("names");
	assert_null(symbolizer_function(symbolizer, 7, 0x10, &function)); /* never declared */
	assert_string_equal(function.name, "?+0x10");
	assert_int_equal(symbolizer_module_info(symbolizer, 7).status, SYMBOLS_BAD);
	symbolizer_destroy(symbolizer);
}

/* Every prefix of a program is a status, never a crash; what is claimed to be known is right. */
static void test_truncated_program(void **state)
{
	static const struct symbolizer_options plain;
	struct stat status;

	(void)state;
	run("cp names cut");
	assert_int_equal(stat("cut", &status), 0);
	uint64_t address = address_of("exported");
	for (off_t size = status.st_size - 1; size >= 0; size -= 97) {
		assert_int_equal(truncate("cut", size), 0);
		struct symbolizer *symbolizer = open_with("cut", NULL, 0, &plain);
		struct symbol_function function = function_at(symbolizer, address);

		if (function.known)
			assert_string_equal(function.name, "exported");
		chain_length(symbolizer, address);
		assert_true(symbolizer_module_info(symbolizer, 1).detail);
		symbolizer_destroy(symbolizer);
	}
}

/* A debug section that says it unpacks to a gigabyte. */
static void test_compression_bomb(void **state)
{
	struct elf_file *file;
	Elf_Scn *scn = NULL;
	GElf_Shdr section;
	uint64_t at = 0, claim = UINT64_C(1) << 30;

	(void)state;
	run("objcopy --compress-debug-sections=zlib names bomb");
	assert_null(elf_file_open("bomb", &file));
	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &section) && section.sh_flags & SHF_COMPRESSED)
			at = section.sh_offset + offsetof(Elf64_Chdr, ch_size);
	elf_file_close(file);
	assert_true(at);
	FILE *bomb = fopen("bomb", "r+");
	assert_non_null(bomb);
	assert_int_equal(fseek(bomb, (long)at, SEEK_SET), 0);
	assert_int_equal(fwrite(&claim, sizeof claim, 1, bomb), 1);
	fclose(bomb);

	struct symbolizer *symbolizer = open_path("bomb");
	assert_status(symbolizer, SYMBOLS_NO_LINES, "cannot unpack");
	assert_string_equal(function_at(symbolizer, address_of("main")).name, "main");
	symbolizer_destroy(symbolizer);
}

/* A program whose .debug_info is one unit over .text with body in it, then more; whose .debug_ranges starts with ranges. */
static void hostile_program(const char *body, const char *ranges, const char *more)
{
	FILE *file = fopen("hostile.s", "w");

	assert_non_null(file);
	fprintf(file,
		".text\n.globl _start\n.type _start,@function\n_start: nop\n.fill 4096,1,0x90\nend:\n.size _start,end-_start\n"
		".section .debug_abbrev,\"\",@progbits\n"
		".byte 1,0x11,1,0x11,1,0x12,1,0,0\n"             /* 1: compile_unit with children; low_pc, high_pc */
		".byte 2,0x0b,1,0,0\n"                           /* 2: lexical_block with children */
		".byte 3,0x2e,0,0x55,0x17,0,0\n"                 /* 3: subprogram; ranges */
		".byte 4,0x1d,1,0x55,0x17,0x31,0x13,0,0\n"       /* 4: inlined_subroutine with children; ranges, abstract_origin */
		".byte 5,0x11,0,0x10,0x17,0x11,1,0x12,1,0,0,0\n" /* 5: compile_unit; stmt_list, low_pc, high_pc */
		".section .debug_info,\"\",@progbits\n"
		".4byte unit_end-unit\nunit: .2byte 4\n.4byte .debug_abbrev\n.byte 8\n.byte 1\n.8byte _start,end\n%s\nunit_end:\n%s\n"
		".section .debug_ranges,\"\",@progbits\n%s\n.8byte 0,0\n"
		".section .debug_line,\"\",@progbits\n.4byte 200\n.fill 200,1,0\n",
		body, more, ranges);
	fclose(file);
	run("gcc -nostdlib -static -o hostile hostile.s && nm hostile > names.nm");
}

/* Small files that make libdw work long: each is given up after a while, and what the symbol table says stays. */
static void test_hostile_dwarf(void **state)
{
	static const struct symbolizer_options plain;
	static const struct {
		const char *body, *ranges, *more, *said;
	} cases[] = {
		/* blocks 300,000 deep: each way back to a sibling walks what is below */
		{ ".fill 300000,1,2", "", "", "too long" },
		/* all functions share one long list */
		{ ".rept 30000\n.byte 3\n.4byte 0\n.endr", ".rept 30000\n.8byte 1,2\n.endr", "", "more address ranges" },
		/* one that only ever changes its base */
		{ ".rept 30000\n.byte 3\n.4byte 0\n.endr", ".rept 30000\n.8byte -1,2\n.endr", "", "too long" },
		/* inlined into itself, without end */
		{ ".rept 30000\n.byte 4\n.4byte 0\n.4byte 28\n.endr", ".8byte 0,100", "", NULL },
		/* line tables inside each other: n of them cost n times the section */
		{ "", "",
		  ".irp at,0,8,16\n.4byte 28\n.2byte 4\n.4byte .debug_abbrev\n.byte 8\n.byte 5\n.4byte \\at\n.8byte _start,end\n.endr",
		  "line tables overlap" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hostile_program(cases[i].body, cases[i].ranges, cases[i].more);
		struct symbolizer *symbolizer = open_with("hostile", NULL, 0, &plain);
		uint64_t address = address_of("_start");

		assert_in_range(chain_length(symbolizer, address), 0, 1025);
		assert_string_equal(function_at(symbolizer, address).name, "_start");
		if (cases[i].said)
			assert_status(symbolizer, SYMBOLS_BAD, cases[i].said);
		symbolizer_destroy(symbolizer);
	}
	run("nm names > names.nm");
}

static void test_jit_code(void **state)
{
	struct symbolizer_options options = { .perf_map = "perf.map" };
	struct symbolizer *symbolizer;
	struct symbol_function function;

	(void)state;
	run("printf '1000 20 first\\nnonsense\\n1010 8 later one\\n2000 zz no\\nffffffffffffffff 10 over\\n3000 10 last' > perf.map");
	symbolizer = open_with("names", NULL, 0, &options);
	static const struct {
		uint64_t address;
		const char *name;
		bool known;
	} cases[] = {
		{ 0x1000, "first", true },   { 0x100f, "first", true }, { 0x1010, "later one", true }, { 0x1018, "first", true },
		{ 0x1020, "0x1020", false }, { 0x3000, "last", true },  { 0x2000, "0x2000", false },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_null(symbolizer_function(symbolizer, 0, cases[i].address, &function));
		assert_string_equal(function.name, cases[i].name);
		assert_int_equal(function.known, cases[i].known);
	}
	symbolizer_destroy(symbolizer);

	options.perf_map = "absent.map";
	struct cprof_error *error = symbolizer_create(&options, &symbolizer);
	assert_non_null(error);
	assert_string_equal(error->path, "absent.map");
	cprof_error_free(error);
}

static void test_cpp_names(void **state)
{
	struct symbolizer_options options = { 0 };
	struct symbolizer *symbolizer;
	static const char source[] = "namespace ns { template <class T> __attribute__((noinline)) T f(T a, char) { return a; } }"
				     "int main(int n, char **) { return ns::f(n, 'a'); }";

	(void)state;
	run("echo \"%s\" | g++ -g -x c++ - -o cpp && nm cpp > names.nm", source);
	for (int mangled = 0; mangled < 2; mangled++) {
		options.mangled = mangled;
		symbolizer = open_with("cpp", NULL, 0, &options);
		struct symbol_function function = function_at(symbolizer, address_of("_ZN2ns1fIiEET_S1_c"));
		assert_string_equal(function.name, mangled ? "_ZN2ns1fIiEET_S1_c" : "int ns::f<int>(int, char)");
		assert_string_equal(function.linkage, "_ZN2ns1fIiEET_S1_c");
		symbolizer_destroy(symbolizer);
	}
	run("nm names > names.nm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_names_and_declarations),
		cmocka_unit_test(test_symbols_end_where_they_say),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_rebuilt_binary_is_not_used),
		cmocka_unit_test(test_stripped),
		cmocka_unit_test(test_separate_debug_files),
		cmocka_unit_test(test_debuglink_crc_without_build_ids),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_truncated_program),
		cmocka_unit_test(test_compression_bomb),
		cmocka_unit_test(test_hostile_dwarf),
		cmocka_unit_test(test_jit_code),
		cmocka_unit_test(test_cpp_names),
	};

	return cmocka_run_group_tests(tests, folder_create, folder_destroy);
}
