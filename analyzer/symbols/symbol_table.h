/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions, or the variables, of an ELF symbol table (.symtab, else .dynsym) by address.
 *
 * A symbol covers its st_size and not a byte more: the nearest symbol below an address is often a wrong name. Symbols without a size
 * (functions written in assembler) reach to the next symbol or the end of their section, and yield to any that has one.
 */
#ifndef CPROF_SYMBOL_TABLE_H
#define CPROF_SYMBOL_TABLE_H

#include "elf_file.h"
#include "range_map.h"

struct symbol {
	uint64_t address, size_bytes; /* size 0: not recorded */
	uint64_t section_end;         /* 0: unknown */
	const char *name;             /* in the ELF file's memory */
	uint32_t name_bytes;
	uint8_t rank;        /* among symbols of one address; higher is the better name */
	const char *display; /* for the symbolizer's use; NULL at first */
};

struct symbol_table {
	struct symbol *symbols; /* by address, the best of one address first */
	size_t count;
	bool dynamic_only;
	struct range_map by_address;
};

enum symbol_kind { SYMBOL_FUNCTIONS, SYMBOL_VARIABLES };

/* Adds nothing and succeeds when the file has no table or one that is damaged. */
struct cprof_error *symbol_table_init(struct symbol_table *table, const struct elf_file *file, uint32_t section_type, enum symbol_kind kind) CPROF_MUST_CHECK;
void symbol_table_deinit(struct symbol_table *table);

struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t address);
/* The symbol at the very address of symbol whose plain name (demangle_plain_length) is name, or NULL. */
struct symbol *symbol_table_find_alias(const struct symbol_table *table, const struct symbol *symbol, const char *name);

#endif
