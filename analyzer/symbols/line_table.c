/* SPDX-License-Identifier: BSD-2-Clause */
#include "line_table.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_files.h"
#include "vec.h"

enum { PATH_BYTES = 16 * 1024 };

/* Folds "//", "/./" and "/x/../" as text: the folders may be those of another machine. */
static void path_clean(const char *path, char *clean)
{
	size_t used = 0, fixed = 0; /* fixed: leading "/" or "../" that no ".." takes back */

	if (*path == '/')
		clean[used++] = '/', fixed = used;
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && memcmp(path, "..", 2) == 0 && used > fixed) {
			used--; /* the slash */
			while (used > fixed && clean[used - 1] != '/')
				used--;
		} else if (length == 2 && memcmp(path, "..", 2) == 0 && fixed != 1) {
			memcpy(clean + used, "../", 3);
			fixed = used += 3;
		} else if (length > 2 || (length && memcmp(path, "..", length) != 0)) {
			memcpy(clean + used, path, length);
			used += length;
			clean[used++] = '/';
		}
		path += length + (path[length] == '/');
	}
	if (used > 1)
		used--;
	clean[used] = '\0';
}

/* Relative paths (libdw leaves some of DWARF 5 so) are relative to the folder the unit was compiled in. */
static struct cprof_error *path_add(struct debug_info *info, Dwarf_Die *unit_die, const char *path, const char **ret)
{
	char joined[PATH_BYTES], clean[PATH_BYTES + 2];
	Dwarf_Attribute attribute;

	*ret = NULL;
	if (!path || strcmp(path, "???") == 0 || !*path) /* "???": libdw's file 0 up to DWARF 4 */
		return NULL;
	const char *folder = *path == '/' ? NULL : dwarf_formstring(dwarf_attr(unit_die, DW_AT_comp_dir, &attribute));
	int length = snprintf(joined, sizeof joined, "%.*s%s%.*s", PATH_BYTES, folder ? folder : "", folder ? "/" : "", PATH_BYTES, path);
	if (length < 0 || length >= PATH_BYTES)
		return NULL;
	path_clean(joined, clean);
	return string_pool_add(info->pool, clean, ret);
}

static bool paths_reserve(struct debug_unit *unit, size_t count)
{
	size_t before = unit->paths_capacity;

	if (!vec_reserve(&unit->paths, &unit->paths_capacity, count, sizeof *unit->paths))
		return false;
	for (size_t i = before; i < unit->paths_capacity; i++)
		unit->paths[i] = NULL;
	return true;
}

static struct cprof_error *lines_read(struct debug_info *info, struct debug_unit *unit)
{
	Dwarf_Files *files;
	size_t nr_files;

	unit->lines_read = true;
	if (info->damage || info->lines_overlap)
		return NULL;
	debug_info_meter_start(info);
	if (dwarf_getsrclines(&unit->lines_die, &unit->lines, &unit->nr_lines) != 0)
		unit->nr_lines = 0;
	if (dwarf_getsrcfiles(&unit->lines_die, &files, &nr_files) != 0)
		nr_files = 0;
	debug_info_meter_stop(info);
	return paths_reserve(unit, nr_files) ? NULL : &cprof_enomem;
}

/* The row in force at address: the last that is not behind it. */
static Dwarf_Line *row_find(const struct debug_unit *unit, uint64_t address)
{
	size_t low = 0, high = unit->nr_lines;
	Dwarf_Addr at;
	bool end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (dwarf_lineaddr(dwarf_onesrcline(unit->lines, middle), &at) == 0 && at <= address)
			low = middle + 1;
		else
			high = middle;
	}
	Dwarf_Line *row = low ? dwarf_onesrcline(unit->lines, low - 1) : NULL;
	return row && dwarf_lineendsequence(row, &end) == 0 && !end ? row : NULL;
}

struct cprof_error *line_table_find(struct debug_info *info, struct debug_unit *unit, uint64_t address, bool *found, struct line_place *ret)
{
	struct cprof_error *error = unit->lines_read ? NULL : lines_read(info, unit);
	Dwarf_Files *files;
	size_t index;
	int line = 0, column = 0;

	if (error)
		return error;
	Dwarf_Line *row = row_find(unit, address);
	*found = row;
	*ret = (struct line_place) { 0 };
	if (!row)
		return NULL;
	dwarf_lineno(row, &line);
	dwarf_linecol(row, &column);
	ret->line = line > 0 ? (uint32_t)line : 0;
	ret->column = column > 0 ? (uint32_t)column : 0;
	if (dwarf_line_file(row, &files, &index) != 0 || index >= unit->paths_capacity)
		return path_add(info, &unit->lines_die, dwarf_linesrc(row, NULL, NULL), &ret->path);
	if (!unit->paths[index])
		error = path_add(info, &unit->lines_die, dwarf_filesrc(files, index, NULL, NULL), &unit->paths[index]);
	ret->path = unit->paths[index];
	return error;
}

/* Without reading the lines. *ret is NULL where that does not do, or there is no path. */
static struct cprof_error *header_path(struct debug_info *info, struct debug_unit *unit, uint64_t index, const char **ret)
{
	Dwarf_Attribute attribute;
	struct line_file file;
	char joined[PATH_BYTES];
	Dwarf_Word offset;
	bool found;

	*ret = NULL;
	debug_info_meter_start(info);
	found = dwarf_formudata(dwarf_attr(&unit->lines_die, DW_AT_stmt_list, &attribute), &offset) == 0 &&
		line_files_find(&info->line_sections, offset, index, &file);
	debug_info_meter_stop(info);
	if (!found)
		return NULL;
	if (*file.name == '/' || !file.folder)
		return path_add(info, &unit->lines_die, file.name, ret);
	bool based = file.base && *file.folder != '/';
	int length = snprintf(joined, sizeof joined, "%.*s%s%.*s/%.*s", PATH_BYTES, based ? file.base : "", based ? "/" : "", PATH_BYTES, file.folder, PATH_BYTES,
			      file.name);
	return length < PATH_BYTES ? path_add(info, &unit->lines_die, joined, ret) : NULL;
}

/* As libdw says, which reads the lines as well. */
static struct cprof_error *table_path(struct debug_info *info, Dwarf_Die *unit_die, uint64_t index, const char **ret)
{
	Dwarf_Files *files;
	size_t nr_files;

	*ret = NULL;
	debug_info_meter_start(info);
	if (dwarf_getsrcfiles(unit_die, &files, &nr_files) != 0)
		nr_files = 0;
	debug_info_meter_stop(info);
	return index < nr_files ? path_add(info, unit_die, dwarf_filesrc(files, index, NULL, NULL), ret) : NULL;
}

struct cprof_error *line_table_attribute_path(struct debug_info *info, struct debug_unit *unit, Dwarf_Attribute *attribute,
					      const char **ret)
{
	Dwarf_Die die = { .cu = attribute->cu }, unit_die;
	struct cprof_error *error = NULL;
	Dwarf_Word index;

	*ret = NULL;
	if (info->damage || info->lines_overlap || dwarf_formudata(attribute, &index) != 0 || !dwarf_diecu(&die, &unit_die, NULL, NULL))
		return NULL;
	bool own = attribute->cu == unit->lines_die.cu;
	if (own && index < unit->paths_capacity)
		*ret = unit->paths[index];
	if (*ret)
		return NULL;
	if (own)
		error = header_path(info, unit, index, ret);
	if (!error && !*ret)
		error = table_path(info, &unit_die, index, ret);
	if (error || !own || !*ret)
		return error;
	if (!paths_reserve(unit, index + 1))
		return &cprof_enomem;
	unit->paths[index] = *ret;
	return NULL;
}
