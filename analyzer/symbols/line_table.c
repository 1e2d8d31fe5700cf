/* SPDX-License-Identifier: BSD-2-Clause */
#include "line_table.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct cprof_error *lines_read(struct debug_info *info, struct debug_unit *unit)
{
	Dwarf_Files *files;

	unit->lines_read = true;
	if (info->damage || info->lines_overlap)
		return NULL;
	debug_info_meter_start(info);
	if (dwarf_getsrclines(&unit->lines_die, &unit->lines, &unit->nr_lines) != 0)
		unit->nr_lines = 0;
	if (dwarf_getsrcfiles(&unit->lines_die, &files, &unit->nr_paths) != 0)
		unit->nr_paths = 0;
	debug_info_meter_stop(info);
	unit->paths = calloc(unit->nr_paths + 1, sizeof *unit->paths);
	return unit->paths ? NULL : &cprof_enomem;
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
	if (dwarf_line_file(row, &files, &index) != 0 || index >= unit->nr_paths)
		return path_add(info, &unit->lines_die, dwarf_linesrc(row, NULL, NULL), &ret->path);
	if (!unit->paths[index])
		error = path_add(info, &unit->lines_die, dwarf_filesrc(files, index, NULL, NULL), &unit->paths[index]);
	ret->path = unit->paths[index];
	return error;
}

struct cprof_error *line_table_attribute_path(struct debug_info *info, struct debug_unit *unit, Dwarf_Attribute *attribute,
					      const char **ret)
{
	struct cprof_error *error = unit->lines_read ? NULL : lines_read(info, unit);
	Dwarf_Die die = { .cu = attribute->cu }, unit_die;
	Dwarf_Files *files;
	Dwarf_Word index;
	size_t nr_files;

	*ret = NULL;
	if (error || info->damage || info->lines_overlap)
		return error;
	if (dwarf_formudata(attribute, &index) != 0 || !dwarf_diecu(&die, &unit_die, NULL, NULL))
		return NULL;
	bool own = attribute->cu == unit->lines_die.cu;
	if (own && index < unit->nr_paths && unit->paths[index]) {
		*ret = unit->paths[index];
		return NULL;
	}
	debug_info_meter_start(info);
	if (dwarf_getsrcfiles(&unit_die, &files, &nr_files) != 0)
		nr_files = 0;
	debug_info_meter_stop(info);
	if (index >= nr_files)
		return NULL;
	error = path_add(info, &unit_die, dwarf_filesrc(files, index, NULL, NULL), ret);
	if (!error && own && index < unit->nr_paths)
		unit->paths[index] = *ret;
	return error;
}
