/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DWARF of one module: its compilation units by address.
 *
 * Units are found by their own ranges (.debug_aranges is optional, clang omits it). What a unit holds is read at its first use, by
 * line_table.h and inline_chain.h. libdw bounds-checks what it reads but not how often it is made to read it, so all of this is metered:
 * when reading takes far longer than any real file of that size, debug_info.damage is set and no more is read.
 */
#ifndef CPROF_DEBUG_INFO_H
#define CPROF_DEBUG_INFO_H

#include <elfutils/libdw.h>

#include "elf_file.h"
#include "line_files.h"
#include "range_map.h"
#include "string_pool.h"

struct debug_unit {
	Dwarf_Die lines_die;  /* the unit */
	Dwarf_Die scopes_die; /* the same, or its split half (.dwo) */

	/* line_table */
	bool lines_read;
	Dwarf_Lines *lines;
	size_t nr_lines;
	const char **paths; /* by index in the unit's file table, as far as there is room; NULL until asked for */
	size_t paths_capacity;

	/* inline_chain */
	bool scopes_read;
	struct debug_scope *scopes;
	uint32_t nr_scopes;
	struct range_map scopes_by_address;
};

struct debug_info {
	Dwarf *dwarf;
	const struct elf_file *program; /* where the code is; the DWARF may be in another file */
	struct string_pool *pool;
	struct line_sections line_sections;
	struct debug_unit *units;
	uint32_t nr_units;
	struct range_map units_by_address;
	uint32_t *rangeless; /* units that do not say where their code is */
	uint32_t nr_rangeless;
	bool mangled;       /* keep C++ names mangled */
	bool lines_overlap; /* line tables share bytes: none is used */
	const char *damage; /* why no more is read, or NULL */

	/* the meter */
	uint64_t spent_ns, limit_ns; /* of CPU time, in reading */
	uint64_t started_ns;
	uint32_t steps;
	uint64_t nr_ranges, max_ranges;
};

/* program and debug (which may be the same) and pool must outlive it. */
struct cprof_error *debug_info_create(const struct elf_file *program, const struct elf_file *debug, struct string_pool *pool, bool mangled,
				      struct debug_info **ret) CPROF_MUST_CHECK;
void debug_info_destroy(struct debug_info *info);

/* *ret is NULL when no unit has code there. */
struct cprof_error *debug_info_find_unit(struct debug_info *info, uint64_t address, struct debug_unit **ret) CPROF_MUST_CHECK;

/* For line_table and inline_chain. Reading goes between start and stop; each step asks may_go_on. */
void debug_info_meter_start(struct debug_info *info);
bool debug_info_may_go_on(struct debug_info *info);
void debug_info_meter_stop(struct debug_info *info);
/* Adds the ranges of die that are code as value. */
struct cprof_error *debug_info_add_ranges(struct debug_info *info, Dwarf_Die *die, uint32_t value,
					  struct range_list *list) CPROF_MUST_CHECK;

#endif
