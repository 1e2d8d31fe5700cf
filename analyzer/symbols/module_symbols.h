/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that is known of one module: which files speak for it, how far they can be trusted, and the names in them.
 *
 * Used by the symbolizer only. Files are opened by module_symbols_open(), once.
 */
#ifndef CPROF_MODULE_SYMBOLS_H
#define CPROF_MODULE_SYMBOLS_H

#include "debug_info.h"
#include "symbol_table.h"
#include "symbolizer.h"

struct module_symbols {
	uint32_t id;
	char *path;        /* as in the trace */
	uint8_t *build_id; /* as in the trace */
	size_t build_id_bytes;

	bool opened;
	enum symbol_status status;
	const char *detail;
	struct elf_file *program, *debug; /* debug: separate file, or NULL */
	struct symbol_table symbols;
	bool variables_read;
	struct symbol_table variables; /* module_symbols_read_variables() */
	struct debug_info *debug_info; /* or NULL */
};

struct cprof_error *module_symbols_create(uint32_t id, const char *path, const uint8_t *build_id, size_t build_id_bytes,
					  struct module_symbols **ret) CPROF_MUST_CHECK;
void module_symbols_destroy(struct module_symbols *module);

/* Status and detail say what came of it: only a lack of memory is an error. */
struct cprof_error *module_symbols_open(struct module_symbols *module, const struct symbolizer_options *options,
					struct string_pool *pool) CPROF_MUST_CHECK;
/* Of an opened module, at its first use. */
struct cprof_error *module_symbols_read_variables(struct module_symbols *module) CPROF_MUST_CHECK;
const char *module_symbols_basename(const struct module_symbols *module);

#endif
