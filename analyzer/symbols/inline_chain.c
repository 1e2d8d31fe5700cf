/* SPDX-License-Identifier: BSD-2-Clause */
#include "inline_chain.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"

/* Blocks and inlined functions nest some dozens deep in real programs. What lies deeper is left out. */
enum { MAX_DEPTH = 1024 };

struct walk {
	struct debug_info *info;
	struct debug_unit *unit;
	size_t capacity;
	struct range_list ranges;
};

static struct cprof_error *scope_add(struct walk *walk, Dwarf_Die *die, uint32_t parent, bool inlined, uint32_t *ret)
{
	struct debug_unit *unit = walk->unit;
	size_t before = walk->ranges.count;
	struct cprof_error *error = debug_info_add_ranges(walk->info, die, unit->nr_scopes, &walk->ranges);

	*ret = SCOPE_NONE;
	/* Declarations and abstract instances have no code. An inlined one without code of its own may still be a link of a chain. */
	if (error || (!inlined && walk->ranges.count == before))
		return error;
	if (unit->nr_scopes == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 64;
		struct debug_scope *scopes = capacity < UINT32_MAX ? realloc(unit->scopes, capacity * sizeof *scopes) : NULL;

		if (!scopes)
			return &cprof_enomem;
		unit->scopes = scopes;
		walk->capacity = capacity;
	}
	*ret = unit->nr_scopes;
	unit->scopes[unit->nr_scopes++] =
		(struct debug_scope) { .die = die->addr, .parent = inlined ? parent : SCOPE_NONE, .inlined = inlined };
	return NULL;
}

static bool tag_may_hold_code(int tag)
{
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type: /* methods of local classes */
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return true;
	default:
		return false;
	}
}

struct level {
	Dwarf_Die die;
	uint32_t scope;
};

static struct cprof_error *scopes_walk(struct walk *walk, struct level *levels)
{
	size_t depth = 0;

	if (dwarf_child(&walk->unit->scopes_die, &levels[0].die) != 0)
		return NULL;
	levels[0].scope = SCOPE_NONE;
	while (debug_info_may_go_on(walk->info)) {
		struct level *level = &levels[depth];
		int tag = dwarf_tag(&level->die);
		uint32_t scope = level->scope;

		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) {
			struct cprof_error *error = scope_add(walk, &level->die, scope, tag == DW_TAG_inlined_subroutine, &scope);

			if (error)
				return error;
		}
		if (tag_may_hold_code(tag) && depth + 1 < MAX_DEPTH && dwarf_child(&level->die, &levels[depth + 1].die) == 0) {
			levels[++depth].scope = scope;
			continue;
		}
		while (dwarf_siblingof(&levels[depth].die, &levels[depth].die) != 0) {
			if (!depth || !debug_info_may_go_on(walk->info))
				return NULL;
			depth--;
		}
	}
	return NULL;
}

static struct cprof_error *scopes_read(struct debug_info *info, struct debug_unit *unit)
{
	struct walk walk = { .info = info, .unit = unit };
	struct level *levels = malloc(MAX_DEPTH * sizeof *levels);
	struct cprof_error *error = levels ? NULL : &cprof_enomem;

	unit->scopes_read = true;
	debug_info_meter_start(info);
	if (!error)
		error = scopes_walk(&walk, levels);
	debug_info_meter_stop(info);
	free(levels);
	if (info->damage) /* half a tree would give wrong callers */
		range_list_deinit(&walk.ranges);
	if (!error)
		error = range_map_init(&unit->scopes_by_address, &walk.ranges);
	range_list_deinit(&walk.ranges);
	return error;
}

struct cprof_error *inline_chain_find(struct debug_info *info, struct debug_unit *unit, uint64_t address, uint32_t *ret)
{
	struct cprof_error *error = unit->scopes_read ? NULL : scopes_read(info, unit);

	if (!error)
		*ret = range_map_find(&unit->scopes_by_address, address);
	return error;
}

static const char *die_string(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	const char *text = dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));

	return text && *text ? text : NULL;
}

static uint32_t die_number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	return dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &number) == 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static struct cprof_error *scope_names(struct debug_info *info, Dwarf_Die *die, struct debug_scope *scope)
{
	char text[STRING_POOL_TEXT_BYTES];
	const char *linkage = die_string(die, DW_AT_linkage_name), *source_name = die_string(die, DW_AT_name);
	struct cprof_error *error = NULL;

	if (!linkage)
		linkage = die_string(die, DW_AT_MIPS_linkage_name);
	if (linkage)
		error = string_pool_add(info->pool, linkage, &scope->linkage);
	if (!error && source_name)
		error = string_pool_add(info->pool, source_name, &scope->source_name);
	if (error)
		return error;
	if (linkage && !info->mangled && demangle(scope->linkage, text, sizeof text))
		return string_pool_add(info->pool, text, &scope->name);
	/* In C a linkage name that differs was chosen with asm("..."): the source's own name is the better one. */
	bool cpp = scope->linkage && strncmp(scope->linkage, "_Z", 2) == 0;
	scope->name = scope->source_name && !cpp ? scope->source_name : scope->linkage;
	return NULL;
}

static struct cprof_error *scope_place(struct debug_info *info, struct debug_unit *unit, Dwarf_Die *die, unsigned int file,
				       unsigned int line, unsigned int column, struct line_place *ret)
{
	Dwarf_Attribute attribute;

	ret->line = die_number(die, line);
	ret->column = die_number(die, column);
	return dwarf_attr_integrate(die, file, &attribute) ? line_table_attribute_path(info, unit, &attribute, &ret->path) : NULL;
}

struct cprof_error *inline_chain_resolve(struct debug_info *info, struct debug_unit *unit, uint32_t index)
{
	struct debug_scope *scope = &unit->scopes[index];
	Dwarf_Die die = { .addr = scope->die, .cu = unit->scopes_die.cu };
	struct cprof_error *error;

	if (scope->resolved)
		return NULL;
	error = scope_names(info, &die, scope);
	if (!error && scope->inlined)
		error = scope_place(info, unit, &die, DW_AT_call_file, DW_AT_call_line, DW_AT_call_column, &scope->call);
	else if (!error)
		error = scope_place(info, unit, &die, DW_AT_decl_file, DW_AT_decl_line, DW_AT_decl_column, &scope->declaration);
	scope->resolved = !error;
	return error;
}
