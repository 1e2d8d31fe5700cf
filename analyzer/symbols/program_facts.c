/* SPDX-License-Identifier: BSD-2-Clause */
#include "program_facts.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug_file.h"
#include "debug_info.h"
#include "demangle.h"
#include "hook_calls.h"
#include "needed_library.h"
#include "symbol_table.h"

static const char enter_hook[] = "__cyg_profile_func_enter", exit_hook[] = "__cyg_profile_func_exit";

enum { MAX_NAME = 4096, PROLOGUE_BYTES = 256 };

struct inspection {
	struct program_facts *facts;
	struct elf_file *program, *debug; /* debug: NULL when there is none */
	struct string_pool *pool;
	struct symbol_table symbols;
	struct debug_info *debug_info;    /* or NULL */
	struct hook_calls calls;
	struct unit_facts *units;         /* by index in debug_info */
	bool *own;                        /* [unit] is of the runtime itself */
};

static char *text_copy(const char *text)
{
	return strndup(text, MAX_NAME);
}

/* Who answers the hooks. */

/* An empty function: "ret", with endbr64 before it or not. */
static bool is_empty_function(const struct elf_file *file, uint64_t address)
{
	static const uint8_t endbr[] = { 0xF3, 0x0F, 0x1E, 0xFA };
	uint8_t code[5];
	size_t nr_bytes = elf_code_read(file, address, code, sizeof code);

	return (nr_bytes >= 1 && code[0] == 0xC3) || (nr_bytes == 5 && memcmp(code, endbr, 4) == 0 && code[4] == 0xC3);
}

static bool hook_defined(const struct inspection *inspection, const char *name, uint64_t *address)
{
	uint64_t size_bytes;

	return elf_symbol_defined(inspection->program, name, address, &size_bytes) ||
	       (inspection->debug && elf_symbol_defined(inspection->debug, name, address, &size_bytes));
}

static enum hooks_origin origin_inside(const struct inspection *inspection, uint64_t enter)
{
	uint64_t exit;

	if ((hook_defined(inspection, exit_hook, &exit) && exit == enter) || is_empty_function(inspection->program, enter))
		return HOOKS_EMPTY;
	return inspection->facts->has_runtime_text ? HOOKS_INSIDE : HOOKS_FOREIGN;
}

/* An undefined hook: its version says whose it is; without one the first library that has it. */
static enum hooks_origin origin_outside(const struct needed_libraries *needed)
{
	if (strncmp(needed->hook_version, "CPROF_", 6) == 0)
		return HOOKS_SHARED;
	if (strncmp(needed->hook_version, "GLIBC_", 6) == 0)
		return HOOKS_EMPTY;
	if (needed->hook_version[0])
		return HOOKS_FOREIGN;
	return needed->runtime && needed->runtime_before_libc ? HOOKS_SHARED : HOOKS_EMPTY;
}

static struct cprof_error *runtime_find(struct inspection *inspection, const struct needed_libraries *needed)
{
	struct program_facts *facts = inspection->facts;
	struct elf_file *library = NULL;
	uint64_t address, size_bytes;
	struct cprof_error *error;

	if (!needed->runtime)
		return NULL;
	facts->runtime_name = text_copy(needed->runtime);
	if (!facts->runtime_name)
		return &cprof_enomem;
	error = needed_library_find(inspection->program, needed, needed->runtime, &facts->runtime_path);
	if (error || !facts->runtime_path)
		return error;
	error = elf_file_open(facts->runtime_path, &library);
	if (!error)
		facts->runtime_defines_hooks = elf_symbol_defined(library, enter_hook, &address, &size_bytes) && elf_has_runtime_text(library);
	elf_file_close(error ? NULL : library);
	if (error == &cprof_enomem)
		return error;
	cprof_error_free(error); /* a file that cannot be read defines nothing */
	return NULL;
}

static struct cprof_error *origin_read(struct inspection *inspection)
{
	struct program_facts *facts = inspection->facts;
	struct needed_libraries needed = { 0 };
	uint64_t enter;

	needed_libraries_read(inspection->program, enter_hook, &needed);
	facts->is_dynamic = needed.is_dynamic;
	facts->is_library = needed.is_library;
	facts->has_runtime_text = elf_has_runtime_text(inspection->program);
	if (hook_defined(inspection, enter_hook, &enter))
		facts->hooks = origin_inside(inspection, enter);
	else if (needed.hook_wanted)
		facts->hooks = origin_outside(&needed);
	else if (facts->has_runtime_text && !needed.is_dynamic) /* stripped */
		facts->hooks = HOOKS_INSIDE;
	return runtime_find(inspection, &needed);
}

/* Which functions call them. */

static bool ends_like_a_piece(const char *name)
{
	return strstr(name, ".cold") || strstr(name, ".part.");
}

/* push %rbp, then mov %rsp,%rbp, somewhere before the hook is called. */
static bool keeps_frame_pointer(const struct elf_file *file, uint64_t low, uint64_t hook_call)
{
	uint8_t code[PROLOGUE_BYTES];
	size_t nr_bytes = hook_call - low < sizeof code ? (size_t)(hook_call - low) : sizeof code;
	bool pushed = false;

	nr_bytes = elf_code_read(file, low, code, nr_bytes);
	for (size_t i = 0; i < nr_bytes; i++) {
		if (code[i] == 0x55)
			pushed = true;
		else if (pushed && i + 3 <= nr_bytes && code[i] == 0x48 &&
			 ((code[i + 1] == 0x89 && code[i + 2] == 0xE5) || (code[i + 1] == 0x8B && code[i + 2] == 0xEC)))
			return true;
	}
	return false;
}

static struct cprof_error *frameless_add(struct program_facts *facts, const char *name)
{
	char text[512];

	if (facts->frameless++ >= sizeof facts->frameless_names / sizeof *facts->frameless_names)
		return NULL;
	char **place = &facts->frameless_names[facts->frameless - 1];
	*place = text_copy(demangle(name, text, sizeof text) ? text : name);
	return *place ? NULL : &cprof_enomem;
}

/* *index: of the unit at address, UINT32_MAX without one. */
static struct cprof_error *unit_at(const struct inspection *inspection, uint64_t address, uint32_t *index)
{
	struct debug_unit *unit = NULL;
	struct cprof_error *error = NULL;

	if (inspection->debug_info)
		error = debug_info_find_unit(inspection->debug_info, address, &unit);
	*index = unit ? (uint32_t)(unit - inspection->debug_info->units) : UINT32_MAX;
	return error;
}

static struct cprof_error *function_look(struct inspection *inspection, const struct symbol *symbol)
{
	struct program_facts *facts = inspection->facts;
	uint64_t call = hook_calls_first(&inspection->calls, symbol->address, symbol->address + symbol->size_bytes);
	uint32_t unit;
	struct cprof_error *error = unit_at(inspection, symbol->address, &unit);

	if (error)
		return error;
	if (unit != UINT32_MAX && inspection->own[unit])
		return NULL;
	if (unit == UINT32_MAX && inspection->debug_info && call == UINT64_MAX) {
		facts->functions_without_unit++;
		return NULL;
	}
	facts->functions++;
	if (unit != UINT32_MAX)
		inspection->units[unit].functions++;
	if (call == UINT64_MAX)
		return NULL;
	facts->instrumented++;
	if (unit != UINT32_MAX)
		inspection->units[unit].instrumented++;
	return keeps_frame_pointer(inspection->program, symbol->address, call) ? NULL : frameless_add(facts, symbol->name);
}

static struct cprof_error *functions_look(struct inspection *inspection)
{
	const struct symbol_table *symbols = &inspection->symbols;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < symbols->count && !error; i++) {
		const struct symbol *symbol = &symbols->symbols[i];

		if (symbol->size_bytes && (!i || symbols->symbols[i - 1].address != symbol->address) && !ends_like_a_piece(symbol->name))
			error = function_look(inspection, symbol);
	}
	return error;
}

/* Units. */

static const char *unit_name(const struct debug_unit *unit)
{
	Dwarf_Die die = unit->lines_die;
	const char *name = dwarf_diename(&die);

	if (!name) {
		die = unit->scopes_die;
		name = dwarf_diename(&die);
	}
	return name ? name : "";
}

static bool same_folder(const char *a, const char *b)
{
	const char *a_slash = strrchr(a, '/'), *b_slash = strrchr(b, '/');

	return a_slash && b_slash && a_slash - a == b_slash - b && strncmp(a, b, (size_t)(a_slash - a)) == 0;
}

/* Where the hooks are, the rest of the runtime is: it is linked as one object. */
static struct cprof_error *own_units_find(struct inspection *inspection)
{
	const struct debug_info *info = inspection->debug_info;
	uint64_t enter;
	uint32_t hooks;
	struct cprof_error *error = NULL;

	if (inspection->facts->hooks != HOOKS_INSIDE || !hook_defined(inspection, enter_hook, &enter))
		return NULL;
	error = unit_at(inspection, enter, &hooks);
	if (error || hooks == UINT32_MAX)
		return error;
	for (uint32_t i = 0; i < info->nr_units; i++)
		inspection->own[i] = i == hooks || same_folder(unit_name(&info->units[i]), unit_name(&info->units[hooks]));
	return NULL;
}

static struct cprof_error *units_prepare(struct inspection *inspection)
{
	const struct debug_info *info = inspection->debug_info;
	struct program_facts *facts = inspection->facts;
	uint32_t nr_units = info ? info->nr_units : 0;

	inspection->units = calloc(nr_units + 1, sizeof *inspection->units);
	inspection->own = calloc(nr_units + 1, sizeof *inspection->own);
	if (!inspection->units || !inspection->own)
		return &cprof_enomem;
	for (uint32_t i = 0; i < nr_units; i++) {
		Dwarf_Half version = 0;
		Dwarf_Die die = info->units[i].lines_die;
		Dwarf_Attribute attribute;

		if (dwarf_cu_info(die.cu, &version, NULL, NULL, NULL, NULL, NULL, NULL) == 0) {
			facts->dwarf_min = !facts->dwarf_min || version < facts->dwarf_min ? version : facts->dwarf_min;
			facts->dwarf_max = version > facts->dwarf_max ? version : facts->dwarf_max;
		}
		facts->units_without_lines += !dwarf_attr(&die, DW_AT_stmt_list, &attribute);
	}
	return own_units_find(inspection);
}

static int unit_compare(const void *left, const void *right)
{
	const struct unit_facts *a = left, *b = right;

	if (!a->instrumented != !b->instrumented)
		return a->instrumented ? 1 : -1;
	if (a->functions != b->functions)
		return a->functions > b->functions ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Those that have functions become the facts'. */
static struct cprof_error *units_take(struct inspection *inspection)
{
	struct program_facts *facts = inspection->facts;
	size_t kept = 0;

	facts->units = inspection->units;
	inspection->units = NULL;
	for (uint32_t i = 0; inspection->debug_info && i < inspection->debug_info->nr_units; i++) {
		struct unit_facts unit = facts->units[i];

		if (!unit.functions)
			continue;
		unit.name = text_copy(unit_name(&inspection->debug_info->units[i]));
		if (!unit.name)
			return &cprof_enomem;
		facts->units[kept++] = unit;
		facts->nr_units = kept;
	}
	qsort(facts->units, kept, sizeof *facts->units, unit_compare);
	return NULL;
}

/* Names. */

static struct cprof_error *symbols_read(struct inspection *inspection)
{
	struct program_facts *facts = inspection->facts;
	struct cprof_error *error = symbol_table_init(&inspection->symbols, inspection->program, SHT_SYMTAB, SYMBOL_FUNCTIONS);

	if (!error && !inspection->symbols.count && inspection->debug)
		error = symbol_table_init(&inspection->symbols, inspection->debug, SHT_SYMTAB, SYMBOL_FUNCTIONS);
	facts->has_symbols = inspection->symbols.count > 0;
	if (!error && !inspection->symbols.count) {
		error = symbol_table_init(&inspection->symbols, inspection->program, SHT_DYNSYM, SYMBOL_FUNCTIONS);
		facts->dynamic_symbols = inspection->symbols.count > 0;
	}
	return error;
}

static struct cprof_error *debug_info_read(struct inspection *inspection)
{
	struct elf_file *file = elf_file_has_debug_info(inspection->program) ? inspection->program : inspection->debug;
	struct cprof_error *error;

	if (!file || !elf_file_has_debug_info(file))
		return NULL;
	error = debug_info_create(inspection->program, file, inspection->pool, false, &inspection->debug_info);
	if (!error || error == &cprof_enomem)
		return error;
	inspection->facts->debug_damage = text_copy(error->message);
	cprof_error_free(error);
	return inspection->facts->debug_damage ? NULL : &cprof_enomem;
}

static struct cprof_error *names_read(struct inspection *inspection)
{
	struct program_facts *facts = inspection->facts;
	const struct elf_file *program = inspection->program;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < program->build_id_bytes && i < 64; i++)
		snprintf(facts->build_id + 2 * i, 3, "%02x", program->build_id[i]);
	if (!elf_file_has_debug_info(program) || !elf_file_section_bytes(program, ".symtab"))
		error = debug_file_find(program, NULL, &inspection->debug);
	if (!error && inspection->debug) {
		facts->debug_path = text_copy(inspection->debug->path);
		if (!facts->debug_path)
			error = &cprof_enomem;
	}
	if (!error)
		error = symbols_read(inspection);
	return error ? error : debug_info_read(inspection);
}

static struct cprof_error *program_inspect(struct inspection *inspection)
{
	struct program_facts *facts = inspection->facts;
	struct cprof_error *error = names_read(inspection);

	if (!error)
		error = origin_read(inspection);
	if (!error)
		error = program_libraries_find(inspection->program, &facts->libraries);
	if (!error)
		error = units_prepare(inspection);
	if (error)
		return error;
	facts->code_readable = hook_calls_can_read(inspection->program);
	error = hook_calls_init(&inspection->calls, inspection->program, inspection->debug ? inspection->debug : inspection->program, enter_hook);
	if (!error)
		error = functions_look(inspection);
	if (error)
		return error;
	facts->hook_calls = inspection->calls.count;
	if (inspection->debug_info && inspection->debug_info->damage) {
		facts->debug_damage = text_copy(inspection->debug_info->damage);
		if (!facts->debug_damage)
			return &cprof_enomem;
	}
	return units_take(inspection);
}

static void inspection_deinit(struct inspection *inspection)
{
	hook_calls_deinit(&inspection->calls);
	free(inspection->units);
	free(inspection->own);
	debug_info_destroy(inspection->debug_info);
	symbol_table_deinit(&inspection->symbols);
	string_pool_destroy(inspection->pool);
	elf_file_close(inspection->debug);
	elf_file_close(inspection->program);
}

struct cprof_error *program_facts_create(const char *path, struct program_facts **ret)
{
	struct program_facts *facts = calloc(1, sizeof *facts);
	struct inspection inspection = { .facts = facts };
	struct cprof_error *error = facts ? elf_file_open(path, &inspection.program) : &cprof_enomem;

	if (!error)
		error = string_pool_create(&inspection.pool);
	if (!error)
		error = program_inspect(&inspection);
	inspection_deinit(&inspection);
	if (error)
		program_facts_destroy(facts);
	else
		*ret = facts;
	return error;
}

void program_facts_destroy(struct program_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < sizeof facts->frameless_names / sizeof *facts->frameless_names; i++)
		free(facts->frameless_names[i]);
	for (size_t i = 0; i < facts->nr_units; i++)
		free(facts->units[i].name);
	free(facts->units);
	program_libraries_deinit(&facts->libraries);
	free(facts->runtime_name);
	free(facts->runtime_path);
	free(facts->debug_path);
	free(facts->debug_damage);
	free(facts);
}
