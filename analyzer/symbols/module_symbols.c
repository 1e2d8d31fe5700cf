/* SPDX-License-Identifier: BSD-2-Clause */
#include "module_symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug_file.h"

struct cprof_error *module_symbols_create(uint32_t id, const char *path, const uint8_t *build_id, size_t build_id_bytes,
					  struct module_symbols **ret)
{
	struct module_symbols *module = calloc(1, sizeof *module);

	if (!module)
		return &cprof_enomem;
	module->id = id;
	module->path = strdup(path);
	module->build_id = malloc(build_id_bytes + 1);
	module->build_id_bytes = build_id_bytes;
	if (!module->path || !module->build_id) {
		module_symbols_destroy(module);
		return &cprof_enomem;
	}
	if (build_id_bytes)
		memcpy(module->build_id, build_id, build_id_bytes);
	*ret = module;
	return NULL;
}

void module_symbols_destroy(struct module_symbols *module)
{
	if (!module)
		return;
	debug_info_destroy(module->debug_info);
	symbol_table_deinit(&module->symbols);
	symbol_table_deinit(&module->variables);
	elf_file_close(module->debug);
	elf_file_close(module->program);
	free(module->build_id);
	free(module->path);
	free(module);
}

const char *module_symbols_basename(const struct module_symbols *module)
{
	const char *slash = strrchr(module->path, '/');

	return slash && slash[1] ? slash + 1 : module->path;
}

static const char *build_id_text(const uint8_t *build_id, size_t bytes, char text[static 2 * 20 + 1])
{
	if (!bytes)
		return "none";
	for (size_t i = 0; i < bytes && i < 20; i++)
		sprintf(text + 2 * i, "%02x", build_id[i]);
	return text;
}

/* Whether file is what ran. Without a recorded build-id there is nothing to tell by. */
static bool program_is_same(const struct module_symbols *module, const struct elf_file *file)
{
	return !module->build_id_bytes || elf_file_build_id_equal(file, module->build_id, module->build_id_bytes);
}

/* What became of the best file there was, for people. */
static struct cprof_error *verdict_set(struct module_symbols *module, struct string_pool *pool, const struct elf_file *file,
				       const struct cprof_error *open_error)
{
	char was[41], is[41];

	if (file) {
		module->status = SYMBOLS_CHANGED;
		return string_pool_format(pool, &module->detail,
					  "%s was rebuilt since the run: its build-id is %s, the run's was %s; no name of it is used",
					  file->path, build_id_text(file->build_id, file->build_id_bytes, is),
					  build_id_text(module->build_id, module->build_id_bytes, was));
	}
	module->status = open_error->os_errno == ENOENT || open_error->os_errno == ENOTDIR ? SYMBOLS_MISSING : SYMBOLS_BAD;
	return string_pool_format(pool, &module->detail, "%s: %s", module->path, open_error->message);
}

/* Tries one file. An unusable one leaves the verdict of the first that was tried. */
static struct cprof_error *program_try(struct module_symbols *module, struct string_pool *pool, const char *path)
{
	struct elf_file *file = NULL;
	struct cprof_error *error = elf_file_open(path, &file), *failure = NULL;

	if (error == &cprof_enomem)
		return error;
	if (file && program_is_same(module, file)) {
		module->program = file;
		return NULL;
	}
	if (!module->detail || (file && module->status != SYMBOLS_CHANGED))
		failure = verdict_set(module, pool, file, error);
	cprof_error_free(error);
	elf_file_close(file);
	return failure;
}

/*
 * At its path; then in the search paths, by its whole path (a copy of a root file system) and by its name; then a debug file of its build-
 * id.
 */
static struct cprof_error *program_find(struct module_symbols *module, const char *const *search_paths, struct string_pool *pool)
{
	struct cprof_error *error = program_try(module, pool, module->path);

	for (size_t i = 0; !error && !module->program && search_paths && search_paths[i / 2]; i++) {
		const char *name = i % 2 ? module_symbols_basename(module) : module->path;
		char *path;

		if (asprintf(&path, "%s/%s", search_paths[i / 2], name) < 0)
			return &cprof_enomem;
		error = program_try(module, pool, path);
		free(path);
	}
	if (!error && !module->program)
		error = debug_file_find_build_id(module->build_id, module->build_id_bytes, search_paths, &module->program);
	return error;
}

/* Damage of DWARF costs the lines, not the names. */
static struct cprof_error *debug_info_open(struct module_symbols *module, const struct elf_file *file, bool mangled,
					   struct string_pool *pool)
{
	struct cprof_error *error = debug_info_create(module->program, file, pool, mangled, &module->debug_info);

	if (!error || error == &cprof_enomem)
		return error;
	struct cprof_error *failure = string_pool_format(pool, &module->detail, "%s: no lines: %s", file->path, error->message);
	cprof_error_free(error);
	return failure;
}

static struct cprof_error *files_read(struct module_symbols *module, const struct symbolizer_options *options, struct string_pool *pool)
{
	struct cprof_error *error = symbol_table_init(&module->symbols, module->program, SHT_SYMTAB, SYMBOL_FUNCTIONS);
	bool has_lines = elf_file_has_debug_info(module->program);

	if (!error && (!has_lines || !module->symbols.count))
		error = debug_file_find(module->program, options->search_paths, &module->debug);
	if (!error && !module->symbols.count && module->debug)
		error = symbol_table_init(&module->symbols, module->debug, SHT_SYMTAB, SYMBOL_FUNCTIONS);
	if (!error && !module->symbols.count)
		error = symbol_table_init(&module->symbols, module->program, SHT_DYNSYM, SYMBOL_FUNCTIONS);
	if (error)
		return error;
	if (has_lines)
		return debug_info_open(module, module->program, options->mangled, pool);
	return module->debug && elf_file_has_debug_info(module->debug) ? debug_info_open(module, module->debug, options->mangled, pool)
								       : NULL;
}

struct cprof_error *module_symbols_open(struct module_symbols *module, const struct symbolizer_options *options, struct string_pool *pool)
{
	struct cprof_error *error;

	if (module->opened)
		return NULL;
	module->opened = true;
	error = program_find(module, options->search_paths, pool);
	if (error || !module->program)
		return error;
	module->detail = NULL;
	error = files_read(module, options, pool);
	if (error)
		return error;
	bool named = module->symbols.count && !module->symbols.dynamic_only;
	module->status = module->debug_info ? SYMBOLS_FULL : named ? SYMBOLS_NO_LINES : SYMBOLS_STRIPPED;
	if (module->detail)
		return NULL;
	if (module->status == SYMBOLS_NO_LINES)
		return string_pool_format(pool, &module->detail, "%s has no debug info: compile with -g to see lines and inlined calls",
					  module->path);
	if (module->status == SYMBOLS_STRIPPED)
		return string_pool_format(pool, &module->detail,
					  "%s is stripped and no debug file of it was found: %s", module->path,
					  module->symbols.count ? "only exported functions have names" : "functions are shown as offsets");
	if (!module->build_id_bytes)
		return string_pool_format(
			pool, &module->detail,
			"%s had no build-id in the run (link with -Wl,--build-id): names are wrong if it was rebuilt since", module->path);
	return NULL;
}

struct cprof_error *module_symbols_read_variables(struct module_symbols *module)
{
	struct cprof_error *error = NULL;

	if (module->variables_read || !module->program)
		return NULL;
	module->variables_read = true;
	error = symbol_table_init(&module->variables, module->program, SHT_SYMTAB, SYMBOL_VARIABLES);
	if (!error && !module->variables.count && module->debug)
		error = symbol_table_init(&module->variables, module->debug, SHT_SYMTAB, SYMBOL_VARIABLES);
	if (!error && !module->variables.count)
		error = symbol_table_init(&module->variables, module->program, SHT_DYNSYM, SYMBOL_VARIABLES);
	return error;
}
