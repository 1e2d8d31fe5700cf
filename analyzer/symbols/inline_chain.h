/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of a compilation unit, and what was inlined into them.
 *
 * One walk over a unit's DIEs keeps every subprogram and inlined_subroutine; names and call places are read when asked for.
 */
#ifndef CPROF_INLINE_CHAIN_H
#define CPROF_INLINE_CHAIN_H

#include "debug_info.h"
#include "line_table.h"

#define SCOPE_NONE UINT32_MAX

struct debug_scope {
	void *die;       /* Dwarf_Die.addr */
	uint32_t parent; /* the scope it was inlined into; less than its own index. SCOPE_NONE: out of line */
	bool inlined;
	bool resolved;                 /* what follows has been read */
	const char *name;              /* for people, or NULL */
	const char *source_name;       /* DW_AT_name, or NULL */
	const char *linkage;           /* or NULL */
	struct line_place call;        /* inlined: from where */
	struct line_place declaration; /* out of line only */
	const char *symbol_name;       /* for the symbolizer's use; NULL at first */
};

/* The innermost scope at address, its index in unit->scopes; or SCOPE_NONE. */
struct cprof_error *inline_chain_find(struct debug_info *info, struct debug_unit *unit, uint64_t address, uint32_t *ret) CPROF_MUST_CHECK;
struct cprof_error *inline_chain_resolve(struct debug_info *info, struct debug_unit *unit, uint32_t scope) CPROF_MUST_CHECK;

#endif
