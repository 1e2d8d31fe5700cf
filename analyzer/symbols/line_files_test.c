/* SPDX-License-Identifier: BSD-2-Clause */
/* The paths of a unit's files are those that libdw finds, without its reading the lines; damaged headers are read no further than their bytes. */
#include "line_table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/line_files.XXXXXX";

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

/* Of the samples, in the folder, where the compiler sees their folder by a path with "..". */
static struct debug_info *compile(const char *compiler, const char *flags, struct elf_file **file, struct string_pool **pool)
{
	struct debug_info *info;
	char command[2048], path[128];

	snprintf(path, sizeof path, "%s/sample", folder);
	snprintf(command, sizeof command,
		 "mkdir -p %s/sub && cd %s/sub && cp %s/*.c %s/*.h . && %s %s -c -Dmain=names_main %s/names_sample.c && %s %s -O1 -I../sub ../sub/inline_sample.c names_sample.o -o %s",
		 folder, folder, SAMPLES, SAMPLES, compiler, flags, SAMPLES, compiler, flags, path);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
	assert_null(elf_file_open(path, file));
	assert_null(string_pool_create(pool));
	assert_null(debug_info_create(*file, *file, *pool, false, &info));
	return info;
}

static size_t compare_unit(struct debug_info *info, struct debug_unit *unit, const char *what)
{
	Dwarf_Files *files;
	size_t nr_files, compared = 0;

	assert_int_equal(dwarf_getsrcfiles(&unit->lines_die, &files, &nr_files), 0);
	for (size_t index = 0; index < nr_files; index++) {
		const char *header, *table;

		assert_null(header_path(info, unit, index, &header));
		assert_null(table_path(info, &unit->lines_die, index, &table));
		if (!table) {
			assert_null(header);
			continue;
		}
		if (!header || strcmp(header, table) != 0)
			fail_msg("%s: file %zu is %s, not %s", what, index, header ? header : "not found", table);
		compared++;
	}
	const char *beyond;

	assert_null(header_path(info, unit, nr_files, &beyond));
	assert_null(beyond);
	return compared;
}

static void test_paths_are_those_of_libdw(void **state)
{
	static const char *const compilers[] = { "gcc", "clang" };
	static const char *const versions[] = { "-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5" };
	static const char *const packings[] = { "-gz=none", "-gz=zlib", "-Wl,--compress-debug-sections=zlib-gnu", "-gdwarf64" };

	(void)state;
	for (size_t i = 0; i < 2 * 4 * 4; i++) {
		struct elf_file *file;
		struct string_pool *pool;
		char flags[128];

		if (i / 8 == 3 && (i % 2 || i / 2 % 4 < 1)) /* clang has no 64-bit DWARF here, and 2 knows none */
			continue;
		snprintf(flags, sizeof flags, "%s %s", versions[i / 2 % 4], packings[i / 8]);

		struct debug_info *info = compile(compilers[i % 2], flags, &file, &pool);
		size_t units = 0;

		assert_false(info->lines_overlap);
		for (uint32_t u = 0; u < info->nr_units; u++) {
			char what[256];

			snprintf(what, sizeof what, "%s %s, unit %u", compilers[i % 2], flags, u);
			if (!compare_unit(info, &info->units[u], what))
				fail_msg("%s: no files", what);
			units++;
		}
		assert_true(units >= 2);
		debug_info_destroy(info);
		string_pool_destroy(pool);
		elf_file_close(file);
	}
}

/* Bytes on the heap, so that a byte too far is seen by the sanitizers and valgrind. */
static bool find_in_copy(struct line_sections sections, const uint8_t *bytes, size_t nr_bytes, uint64_t index)
{
	uint8_t *copy = malloc(nr_bytes ? nr_bytes : 1);
	struct line_file file;
	bool found;

	memcpy(copy, bytes, nr_bytes);
	sections.lines = cursor_make(copy, nr_bytes);
	found = line_files_find(&sections, 0, index, &file);
	if (found)
		found = strlen(file.name) + (file.folder ? strlen(file.folder) : 0) + (file.base ? strlen(file.base) : 0) > 0;
	free(copy);
	return found;
}

static void test_damage_is_no_file(void **state)
{
	static const char *const versions[] = { "-gdwarf-4", "-gdwarf-5" };

	(void)state;
	for (size_t v = 0; v < 2; v++) {
		struct elf_file *file;
		struct string_pool *pool;
		struct debug_info *info = compile("gcc", versions[v], &file, &pool);
		const struct line_sections sections = info->line_sections;
		size_t nr_bytes = cursor_left(&sections.lines) < 600 ? cursor_left(&sections.lines) : 600;
		uint8_t *bytes = malloc(nr_bytes);
		uint32_t header_bytes;

		memcpy(bytes, sections.lines.position, nr_bytes);
		memcpy(&header_bytes, bytes + (v ? 8 : 6), sizeof header_bytes);
		assert_true(header_bytes + 12 < nr_bytes);
		assert_true(find_in_copy(sections, sections.lines.position, cursor_left(&sections.lines), 1));
		for (size_t cut = 0; cut < header_bytes + 10; cut++) { /* the length of the unit says that more is there */
			assert_false(find_in_copy(sections, bytes, cut, 1));
		}
		for (size_t i = 0; i < header_bytes + 10; i++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				bytes[i] ^= (uint8_t)(1u << bit);
				for (uint64_t index = 0; index < 4; index++)
					(void)find_in_copy(sections, bytes, nr_bytes, index);
				bytes[i] ^= (uint8_t)(1u << bit);
			}
		}
		free(bytes);
		debug_info_destroy(info);
		string_pool_destroy(pool);
		elf_file_close(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_are_those_of_libdw),
		cmocka_unit_test(test_damage_is_no_file),
	};
	return cmocka_run_group_tests(tests, folder_create, folder_destroy);
}
