/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug_info.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "inline_chain.h"

/*
 * Reading SQLite's 1.5 MB of .debug_info takes 40 ms of CPU time; a hostile file can make libdw walk the same bytes again and again.
 */
#define METER_BASE_NS     UINT64_C(500000000)
#define METER_NS_PER_BYTE 1000
enum { METER_STEPS = 64 }; /* between two looks at the clock */

static uint64_t cpu_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void debug_info_meter_start(struct debug_info *info)
{
	info->started_ns = cpu_now_ns();
}

bool debug_info_may_go_on(struct debug_info *info)
{
	if (info->damage)
		return false;
	if (++info->steps % METER_STEPS == 0 && info->spent_ns + (cpu_now_ns() - info->started_ns) > info->limit_ns)
		info->damage = "its debug info takes too long to read: damaged?";
	return !info->damage;
}

void debug_info_meter_stop(struct debug_info *info)
{
	info->spent_ns += cpu_now_ns() - info->started_ns;
	if (info->spent_ns > info->limit_ns && !info->damage)
		info->damage = "its debug info takes too long to read: damaged?";
}

struct cprof_error *debug_info_add_ranges(struct debug_info *info, Dwarf_Die *die, uint32_t value, struct range_list *list)
{
	Dwarf_Addr base = 0, low, high;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0) {
		/* In a real file no range is used twice. */
		if (++info->nr_ranges > info->max_ranges)
			info->damage = "its debug info has more address ranges than bytes: damaged";
		if (!debug_info_may_go_on(info))
			return NULL;
		/* A linker leaves ranges of functions it dropped at 0 or -1: they are not in the program. */
		if (!elf_file_is_code(info->program, low) || high <= low)
			continue;
		struct cprof_error *error = range_list_add(list, low, high, value);
		if (error)
			return error;
	}
	return NULL;
}

/* libdw opens the .dwo file by itself; not before it is known to be a file that can be opened without waiting. */
static bool unit_has_split_file(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	struct stat status;
	char path[4096];

	if (!dwarf_attr(die, DW_AT_dwo_name, &attribute) && !dwarf_attr(die, DW_AT_GNU_dwo_name, &attribute))
		return false;
	const char *name = dwarf_formstring(&attribute);
	const char *folder = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attribute));
	if (!name)
		return false;
	int length = *name == '/' || !folder ? snprintf(path, sizeof path, "%s", name) : snprintf(path, sizeof path, "%s/%s", folder, name);
	return length > 0 && (size_t)length < sizeof path && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static struct cprof_error *unit_add(struct debug_info *info, const Dwarf_Die *die, size_t *capacity)
{
	if (info->nr_units == *capacity) {
		size_t wanted = *capacity ? *capacity * 2 : 64;
		struct debug_unit *units = wanted < UINT32_MAX ? realloc(info->units, wanted * sizeof *units) : NULL;

		if (!units)
			return &cprof_enomem;
		info->units = units;
		*capacity = wanted;
	}
	struct debug_unit *unit = &info->units[info->nr_units++];
	*unit = (struct debug_unit) { .lines_die = *die, .scopes_die = *die };

	Dwarf_Die split;
	if (unit_has_split_file(&unit->lines_die) && dwarf_cu_info(die->cu, NULL, NULL, NULL, &split, NULL, NULL, NULL) == 0 && split.cu &&
	    dwarf_tag(&split) == DW_TAG_compile_unit)
		unit->scopes_die = split;
	return NULL;
}

static struct cprof_error *units_read(struct debug_info *info)
{
	Dwarf_CU *cu = NULL, *next;
	Dwarf_Die die;
	size_t capacity = 0;

	while (debug_info_may_go_on(info) && dwarf_get_units(info->dwarf, cu, &next, NULL, NULL, &die, NULL) == 0) {
		cu = next;
		int tag = dwarf_tag(&die);
		if (tag != DW_TAG_compile_unit && tag != DW_TAG_skeleton_unit)
			continue;
		struct cprof_error *error = unit_add(info, &die, &capacity);
		if (error)
			return error;
	}
	return NULL;
}

static struct cprof_error *units_map(struct debug_info *info)
{
	struct range_list list = { 0 };
	struct cprof_error *error = NULL;

	info->rangeless = malloc((info->nr_units + 1) * sizeof *info->rangeless);
	if (!info->rangeless)
		return &cprof_enomem;
	for (uint32_t i = 0; i < info->nr_units && !error; i++) {
		size_t before = list.count;

		error = debug_info_add_ranges(info, &info->units[i].lines_die, i, &list);
		if (list.count == before)
			info->rangeless[info->nr_rangeless++] = i;
	}
	if (!error)
		error = range_map_init(&info->units_by_address, &list);
	range_list_deinit(&list);
	return error;
}

static Elf_Data *section_data(Elf *elf, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *found = gelf_getshdr(scn, &section) ? elf_strptr(elf, names, section.sh_name) : NULL;

		if (found && (strcmp(found, name) == 0 || (strncmp(found, ".z", 2) == 0 && strcmp(found + 2, name + 1) == 0)))
			return elf_rawdata(scn, NULL);
	}
	return NULL;
}

static uint64_t data_number(const Elf_Data *data, uint64_t offset, int bytes, bool big_endian)
{
	uint64_t number = 0;

	if (offset > data->d_size || data->d_size - offset < (uint64_t)bytes)
		return 0;
	for (int i = 0; i < bytes; i++) {
		int shift = 8 * (big_endian ? bytes - 1 - i : i);

		number |= (uint64_t)((const uint8_t *)data->d_buf)[offset + (uint64_t)i] << shift;
	}
	return number;
}

static int offset_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/*
 * True if units' line tables lie in each other's bytes. libdw would expand each on its own, so that n tables of nearly the whole section
 * cost n times its size in memory (a hundred bytes for each of its bytes).
 */
static bool tables_overlap(const uint64_t *offsets, size_t count, Elf_Data *lines, bool big_endian)
{
	for (size_t i = 0; i + 1 < count; i++) {
		uint64_t length = data_number(lines, offsets[i], 4, big_endian), head = 4;

		if (length == 0xffffffff) {
			length = data_number(lines, offsets[i] + 4, 8, big_endian);
			head = 12;
		}
		if (offsets[i] != offsets[i + 1] && length + head > offsets[i + 1] - offsets[i])
			return true;
	}
	return false;
}

static struct cprof_error *lines_check(struct debug_info *info, Elf *elf)
{
	Elf_Data *lines = section_data(elf, ".debug_line");
	uint64_t *offsets = malloc((info->nr_units + 1) * sizeof *offsets);
	size_t count = 0;

	if (!offsets)
		return &cprof_enomem;
	for (uint32_t i = 0; i < info->nr_units; i++) {
		Dwarf_Attribute attribute;
		Dwarf_Word offset;

		if (dwarf_formudata(dwarf_attr(&info->units[i].lines_die, DW_AT_stmt_list, &attribute), &offset) == 0)
			offsets[count++] = offset;
	}
	qsort(offsets, count, sizeof *offsets, offset_compare);
	info->lines_overlap =
		lines && lines->d_buf && tables_overlap(offsets, count, lines, elf_getident(elf, NULL)[EI_DATA] == ELFDATA2MSB);
	free(offsets);
	return NULL;
}

static struct cursor section_cursor(Elf *elf, const char *name)
{
	Elf_Data *data = section_data(elf, name);

	return data && data->d_buf ? cursor_make(data->d_buf, data->d_size) : cursor_make(NULL, 0);
}

/* libdw has uncompressed them. */
static void line_sections_find(struct line_sections *sections, Elf *elf)
{
	if (elf_getident(elf, NULL)[EI_DATA] != ELFDATA2LSB || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
		return;
	sections->lines = section_cursor(elf, ".debug_line");
	sections->line_strings = section_cursor(elf, ".debug_line_str");
	sections->strings = section_cursor(elf, ".debug_str");
}

static struct cprof_error *debug_info_init(struct debug_info *info, const struct elf_file *debug)
{
	struct cprof_error *error = elf_file_check_debug(debug);
	Elf_Data *section;

	if (error)
		return error;
	info->dwarf = dwarf_begin_elf(debug->elf, DWARF_C_READ, NULL);
	if (!info->dwarf)
		return cprof_error_at(CPROF_ERROR_FORMAT, debug->path, CPROF_NO_OFFSET, "%s", dwarf_errmsg(-1));
	static const char *const counted[] = { ".debug_info", ".debug_ranges", ".debug_rnglists" };
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		if ((section = section_data(debug->elf, counted[i])))
			info->max_ranges += section->d_size;
	info->limit_ns = METER_BASE_NS + info->max_ranges * METER_NS_PER_BYTE;

	line_sections_find(&info->line_sections, debug->elf);

	debug_info_meter_start(info);
	error = units_read(info);
	if (!error)
		error = units_map(info);
	if (!error)
		error = lines_check(info, debug->elf);
	debug_info_meter_stop(info);
	if (!error && !info->nr_units)
		error = cprof_error_at(CPROF_ERROR_FORMAT, debug->path, CPROF_NO_OFFSET, "no readable compilation unit");
	return error;
}

struct cprof_error *debug_info_create(const struct elf_file *program, const struct elf_file *debug, struct string_pool *pool, bool mangled,
				      struct debug_info **ret)
{
	struct debug_info *info = calloc(1, sizeof *info);

	if (!info)
		return &cprof_enomem;
	info->program = program;
	info->pool = pool;
	info->mangled = mangled;
	struct cprof_error *error = debug_info_init(info, debug);
	if (error) {
		debug_info_destroy(info);
		return error;
	}
	*ret = info;
	return NULL;
}

void debug_info_destroy(struct debug_info *info)
{
	if (!info)
		return;
	for (uint32_t i = 0; i < info->nr_units; i++) {
		free(info->units[i].paths);
		free(info->units[i].scopes);
		range_map_deinit(&info->units[i].scopes_by_address);
	}
	free(info->units);
	free(info->rangeless);
	range_map_deinit(&info->units_by_address);
	dwarf_end(info->dwarf);
	free(info);
}

struct cprof_error *debug_info_find_unit(struct debug_info *info, uint64_t address, struct debug_unit **ret)
{
	uint32_t i = range_map_find(&info->units_by_address, address), kept = 0;

	*ret = i == RANGE_NONE ? NULL : &info->units[i];
	if (*ret || !elf_file_is_code(info->program, address))
		return NULL;
	for (i = 0; i < info->nr_rangeless; i++) { /* ask their functions instead; those without any are not asked again */
		struct debug_unit *unit = &info->units[info->rangeless[i]];
		uint32_t scope;
		struct cprof_error *error = inline_chain_find(info, unit, address, &scope);

		if (error)
			return error;
		if (unit->scopes_by_address.count)
			info->rangeless[kept++] = info->rangeless[i];
		if (scope != SCOPE_NONE && !*ret)
			*ret = unit;
	}
	info->nr_rangeless = kept;
	return NULL;
}
