/* SPDX-License-Identifier: BSD-2-Clause */
/* From addresses to places in source files, within one compilation unit. */
#ifndef CPROF_LINE_TABLE_H
#define CPROF_LINE_TABLE_H

#include "debug_info.h"

struct line_place {
	const char *path;      /* absolute where DWARF says enough for it, "." and ".." folded; NULL: unknown */
	uint32_t line, column; /* 0: unknown */
};

/* False: no row covers address. */
struct cprof_error *line_table_find(struct debug_info *info, struct debug_unit *unit, uint64_t address, bool *found,
				    struct line_place *ret) CPROF_MUST_CHECK;
/* The path of an entry of the file table of the unit that attribute is from (a DIE may be continued in another unit). */
struct cprof_error *line_table_attribute_path(struct debug_info *info, struct debug_unit *unit, Dwarf_Attribute *attribute,
					      const char **ret) CPROF_MUST_CHECK;

#endif
