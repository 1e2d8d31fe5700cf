/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts together what a module's symbol table and its DWARF say.
 *
 * The symbol table names functions (it has those that were compiled without -g too), DWARF places them in source and tells which of several
 * names of one address the source used. Names are made once per symbol and scope; everything returned lives in one pool.
 */
#include "symbolizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "inline_chain.h"
#include "line_table.h"
#include "module_symbols.h"
#include "perf_map.h"

struct symbolizer {
	struct symbolizer_options options;
	char **search_paths; /* own copies */
	struct string_pool *pool;
	struct perf_map *perf_map;
	struct module_symbols **modules; /* by id */
	size_t nr_modules, module_capacity;
	struct symbol_frame *frames; /* of the last chain */
	size_t frame_capacity;
};

static struct cprof_error *search_paths_copy(struct symbolizer *symbolizer, const char *const *search_paths)
{
	size_t count = 0;

	while (search_paths && search_paths[count])
		count++;
	symbolizer->search_paths = calloc(count + 1, sizeof *symbolizer->search_paths);
	for (size_t i = 0; symbolizer->search_paths && i < count; i++) {
		symbolizer->search_paths[i] = strdup(search_paths[i]);
		if (!symbolizer->search_paths[i])
			return &cprof_enomem;
	}
	symbolizer->options.search_paths = (const char *const *)symbolizer->search_paths;
	return symbolizer->search_paths ? NULL : &cprof_enomem;
}

struct cprof_error *symbolizer_create(const struct symbolizer_options *options, struct symbolizer **ret)
{
	struct symbolizer *symbolizer = calloc(1, sizeof *symbolizer);
	struct cprof_error *error;

	if (!symbolizer)
		return &cprof_enomem;
	symbolizer->options.mangled = options->mangled;
	error = string_pool_create(&symbolizer->pool);
	if (!error)
		error = search_paths_copy(symbolizer, options->search_paths);
	if (!error && options->perf_map)
		error = perf_map_create(options->perf_map, &symbolizer->perf_map);
	if (error) {
		symbolizer_destroy(symbolizer);
		return error;
	}
	*ret = symbolizer;
	return NULL;
}

void symbolizer_destroy(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	for (size_t i = 0; i < symbolizer->nr_modules; i++)
		module_symbols_destroy(symbolizer->modules[i]);
	free(symbolizer->modules);
	for (size_t i = 0; symbolizer->search_paths && symbolizer->search_paths[i]; i++)
		free(symbolizer->search_paths[i]);
	free(symbolizer->search_paths);
	perf_map_destroy(symbolizer->perf_map);
	string_pool_destroy(symbolizer->pool);
	free(symbolizer->frames);
	free(symbolizer);
}

/* The index of the first module whose id is not below id. */
static size_t module_index(const struct symbolizer *symbolizer, uint32_t id)
{
	size_t low = 0, high = symbolizer->nr_modules;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbolizer->modules[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Opened; *ret is NULL when it was never declared. */
static struct cprof_error *module_use(struct symbolizer *symbolizer, uint32_t id, struct module_symbols **ret)
{
	size_t i = module_index(symbolizer, id);

	*ret = i < symbolizer->nr_modules && symbolizer->modules[i]->id == id ? symbolizer->modules[i] : NULL;
	return *ret ? module_symbols_open(*ret, &symbolizer->options, symbolizer->pool) : NULL;
}

struct cprof_error *symbolizer_add_module(struct symbolizer *symbolizer, uint32_t id, const char *path, const uint8_t *build_id,
					  size_t build_id_bytes)
{
	size_t i = module_index(symbolizer, id);
	struct module_symbols *module;
	struct cprof_error *error;

	if (symbolizer->nr_modules == symbolizer->module_capacity) {
		size_t capacity = symbolizer->module_capacity ? symbolizer->module_capacity * 2 : 16;
		struct module_symbols **modules = realloc(symbolizer->modules, capacity * sizeof *modules);

		if (!modules)
			return &cprof_enomem;
		symbolizer->modules = modules;
		symbolizer->module_capacity = capacity;
	}
	error = module_symbols_create(id, path, build_id, build_id_bytes, &module);
	if (error)
		return error;
	if (i < symbolizer->nr_modules && symbolizer->modules[i]->id == id) {
		/* Once opened its strings are out: the first declaration stays. */
		bool opened = symbolizer->modules[i]->opened;

		module_symbols_destroy(opened ? module : symbolizer->modules[i]);
		if (!opened)
			symbolizer->modules[i] = module;
		return NULL;
	}
	memmove(symbolizer->modules + i + 1, symbolizer->modules + i, (symbolizer->nr_modules - i) * sizeof *symbolizer->modules);
	symbolizer->modules[i] = module;
	symbolizer->nr_modules++;
	return NULL;
}

struct symbol_module_info symbolizer_module_info(struct symbolizer *symbolizer, uint32_t id)
{
	struct module_symbols *module;
	struct cprof_error *error = module_use(symbolizer, id, &module);

	if (error || !module) {
		cprof_error_free(error);
		return (struct symbol_module_info) { SYMBOLS_BAD, NULL, error ? "out of memory" : "the trace has no such module" };
	}
	struct symbol_module_info info = { module->status, module->debug ? module->debug->path : NULL, module->detail };
	const struct debug_info *debug_info = module->debug_info;
	if (debug_info && (debug_info->damage || debug_info->lines_overlap)) { /* found on the way */
		info.status = SYMBOLS_BAD;
		info.detail = debug_info->damage ? debug_info->damage : "its line tables overlap: damaged; none is used";
	}
	return info;
}

/* The name for people of a symbol. */
static struct cprof_error *symbol_display(struct symbolizer *symbolizer, struct symbol *symbol)
{
	char text[STRING_POOL_TEXT_BYTES];
	const char *plain;
	struct cprof_error *error;

	if (symbol->display)
		return NULL;
	error = string_pool_format(symbolizer->pool, &plain, "%.*s", (int)demangle_plain_length(symbol->name), symbol->name);
	if (error)
		return error;
	if (!symbolizer->options.mangled && demangle(plain, text, sizeof text))
		return string_pool_add(symbolizer->pool, text, &symbol->display);
	symbol->display = plain;
	return NULL;
}

/* A function, as far as symbol table and DWARF know it. Any part may be missing. */
struct function_facts {
	struct symbol *symbol;
	struct debug_unit *unit;
	struct debug_scope *scope; /* out of line; resolved */
	uint32_t innermost;        /* scope at the address */
};

static struct cprof_error *facts_find(struct module_symbols *module, uint64_t address, struct function_facts *facts)
{
	struct cprof_error *error = NULL;

	*facts = (struct function_facts) { .innermost = SCOPE_NONE };
	facts->symbol = symbol_table_find(&module->symbols, address);
	if (module->debug_info)
		error = debug_info_find_unit(module->debug_info, address, &facts->unit);
	if (error || !facts->unit)
		return error;
	error = inline_chain_find(module->debug_info, facts->unit, address, &facts->innermost);
	if (error || facts->innermost == SCOPE_NONE)
		return error;
	uint32_t scope = facts->innermost;
	while (facts->unit->scopes[scope].inlined && facts->unit->scopes[scope].parent != SCOPE_NONE)
		scope = facts->unit->scopes[scope].parent;
	if (facts->unit->scopes[scope].inlined) /* damaged: inlined into nothing */
		return NULL;
	facts->scope = &facts->unit->scopes[scope];
	return inline_chain_resolve(module->debug_info, facts->unit, scope);
}

static bool symbol_has_plain_name(const struct symbol *symbol, const char *name)
{
	size_t length = demangle_plain_length(symbol->name);

	return strncmp(symbol->name, name, length) == 0 && name[length] == '\0';
}

/* Which of its names a function goes by. *ret is NULL when it has none. */
static struct cprof_error *function_name(struct symbolizer *symbolizer, struct module_symbols *module, struct function_facts *facts,
					 const char **ret)
{
	struct debug_scope *scope = facts->scope;
	struct cprof_error *error;

	*ret = scope ? scope->symbol_name : NULL;
	if (!facts->symbol && !*ret)
		*ret = scope ? scope->name : NULL;
	if (!facts->symbol)
		return NULL;
	const char *linked = scope && scope->linkage ? scope->linkage : scope ? scope->source_name : NULL;
	struct symbol *alias = linked ? symbol_table_find_alias(&module->symbols, facts->symbol, linked) : NULL;
	if (alias)
		facts->symbol = alias;
	if (*ret)
		return NULL;
	if (alias && scope->name && symbol_has_plain_name(alias, linked)) {
		*ret = scope->name; /* demangled already; and in C, what the source calls it even if asm("...") renamed it */
	} else {
		error = symbol_display(symbolizer, facts->symbol);
		if (error)
			return error;
		*ret = facts->symbol->display;
	}
	if (scope)
		scope->symbol_name = *ret;
	return NULL;
}

static struct cprof_error *unknown_name(struct symbolizer *symbolizer, const struct module_symbols *module, uint64_t address,
					const char **ret)
{
	return string_pool_format(symbolizer->pool, ret, "%s+0x%" PRIx64, module ? module_symbols_basename(module) : "?", address);
}

/* Code that no module of the trace holds. */
static struct cprof_error *jit_function(struct symbolizer *symbolizer, uint64_t address, struct symbol_function *ret)
{
	struct symbol_function function = { 0 };
	struct cprof_error *error = NULL;

	function.linkage = symbolizer->perf_map ? perf_map_find(symbolizer->perf_map, address) : NULL;
	function.known = function.linkage;
	function.name = function.linkage;
	if (!function.known)
		error = string_pool_format(symbolizer->pool, &function.name, "0x%" PRIx64, address);
	if (!error)
		*ret = function;
	return error;
}

struct cprof_error *symbolizer_function(struct symbolizer *symbolizer, uint32_t id, uint64_t address, struct symbol_function *ret)
{
	struct symbol_function function = { 0 };
	struct function_facts facts = { 0 };
	struct module_symbols *module;
	struct cprof_error *error;

	if (id == 0)
		return jit_function(symbolizer, address, ret);
	error = module_use(symbolizer, id, &module);
	if (!error && module)
		error = facts_find(module, address, &facts);
	if (!error && module)
		error = function_name(symbolizer, module, &facts, &function.name);
	if (error)
		return error;
	function.known = function.name;
	if (!function.known)
		error = unknown_name(symbolizer, module, address, &function.name);
	if (error)
		return error;
	function.linkage = facts.symbol ? facts.symbol->name : facts.scope && facts.scope->linkage ? facts.scope->linkage : NULL;
	if (!function.linkage && facts.scope)
		function.linkage = facts.scope->source_name;
	if (facts.scope) {
		function.file = facts.scope->declaration.path;
		function.line = facts.scope->declaration.line;
	}
	*ret = function;
	return NULL;
}

struct cprof_error *symbolizer_variable(struct symbolizer *symbolizer, uint32_t id, uint64_t address, struct symbol_variable *ret)
{
	struct module_symbols *module = NULL;
	struct symbol *symbol = NULL;
	struct cprof_error *error = id ? module_use(symbolizer, id, &module) : NULL;

	*ret = (struct symbol_variable){ NULL, 0, 0 };
	if (!error && module)
		error = module_symbols_read_variables(module);
	if (!error && module)
		symbol = symbol_table_find(&module->variables, address);
	if (!error && symbol)
		error = symbol_display(symbolizer, symbol);
	if (!error && symbol)
		*ret = (struct symbol_variable){ symbol->display, symbol->size_bytes, address - symbol->address };
	return error;
}

static struct cprof_error *frames_reserve(struct symbolizer *symbolizer, size_t count)
{
	if (count <= symbolizer->frame_capacity)
		return NULL;
	size_t capacity = count * 2;
	struct symbol_frame *frames = realloc(symbolizer->frames, capacity * sizeof *frames);
	if (!frames)
		return &cprof_enomem;
	symbolizer->frames = frames;
	symbolizer->frame_capacity = capacity;
	return NULL;
}

static struct cprof_error *frame_add(struct symbolizer *symbolizer, const char *function, const struct line_place *place, size_t *count)
{
	struct cprof_error *error = frames_reserve(symbolizer, *count + 1);

	if (!error)
		symbolizer->frames[(*count)++] =
			(struct symbol_frame) { function ? function : "??", place->path, place->line, place->column };
	return error;
}

static struct cprof_error *chain_build(struct symbolizer *symbolizer, struct module_symbols *module, uint64_t address, size_t *count)
{
	struct function_facts facts;
	struct line_place place;
	const char *name;
	bool found;
	struct cprof_error *error = facts_find(module, address, &facts);

	if (error || !facts.unit)
		return error;
	error = line_table_find(module->debug_info, facts.unit, address, &found, &place);
	if (error || (!found && facts.innermost == SCOPE_NONE))
		return error;
	for (uint32_t i = facts.innermost; !error && i != SCOPE_NONE && facts.unit->scopes[i].inlined; i = facts.unit->scopes[i].parent) {
		error = inline_chain_resolve(module->debug_info, facts.unit, i);
		if (!error)
			error = frame_add(symbolizer, facts.unit->scopes[i].name, &place, count);
		place = facts.unit->scopes[i].call;
	}
	if (!error)
		error = function_name(symbolizer, module, &facts, &name);
	if (!error && !name)
		error = unknown_name(symbolizer, module, address, &name);
	return error ? error : frame_add(symbolizer, name, &place, count);
}

struct cprof_error *symbolizer_chain(struct symbolizer *symbolizer, uint32_t id, uint64_t address, const struct symbol_frame **frames,
				     size_t *count)
{
	struct module_symbols *module = NULL;
	struct cprof_error *error = id ? module_use(symbolizer, id, &module) : NULL;
	size_t nr_frames = 0;

	if (!error && module && module->debug_info)
		error = chain_build(symbolizer, module, address, &nr_frames);
	if (error)
		return error;
	*frames = symbolizer->frames;
	*count = nr_frames;
	return NULL;
}
