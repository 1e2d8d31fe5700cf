/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One name of the file table in a line program's header, without the program itself.
 *
 * libdw reads both together: of a large unit that is most of what naming its functions costs, where only the name of their file is asked for. This reads
 * the headers of DWARF 2 to 5 as they are written by gcc and clang; whatever else is found in one is left to libdw. Bytes are a stranger's.
 */
#ifndef CPROF_LINE_FILES_H
#define CPROF_LINE_FILES_H

#include <stdbool.h>

#include "cursor.h"

struct line_sections { /* little-endian, not compressed; empty: not there */
	struct cursor lines, line_strings, strings; /* .debug_line, .debug_line_str, .debug_str */
};

struct line_file { /* parts of a path, of the sections' memory; NULL: there is none. A relative one is relative to that before it */
	const char *base, *folder, *name;
};

/* False: that entry is not in the header, or the header is none that is known here. */
bool line_files_find(const struct line_sections *sections, uint64_t offset, uint64_t index, struct line_file *ret);

#endif
