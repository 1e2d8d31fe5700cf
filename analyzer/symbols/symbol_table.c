/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbol_table.h"

#include <stdlib.h>
#include <string.h>

#include "demangle.h"
#include "string_pool.h" /* STRING_POOL_TEXT_BYTES */

struct table_sections {
	Elf_Data *symbols, *names;
	uint64_t nr_symbols;
};

static bool table_find(const struct elf_file *file, uint32_t section_type, struct table_sections *ret)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &section) || section.sh_type != section_type)
			continue;
		size_t entry_bytes = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
		Elf_Data *symbols = elf_getdata(scn, NULL);
		Elf_Data *names = elf_getdata(elf_getscn(file->elf, section.sh_link), NULL);

		/* The table of names must end with a NUL (ELF demands it): then every name in it ends. */
		if (!entry_bytes || !symbols || !names || !names->d_buf || !names->d_size ||
		    ((const char *)names->d_buf)[names->d_size - 1] != '\0')
			continue;
		*ret = (struct table_sections) { symbols, names, symbols->d_size / entry_bytes };
		if (ret->nr_symbols > INT32_MAX)
			ret->nr_symbols = INT32_MAX;
		return true;
	}
	return false;
}

/* Which sections hold what is looked for, code or data, and where they end. */
struct kind_sections {
	enum symbol_kind kind;
	uint64_t *end; /* by section index; 0: it does not */
	size_t count;
};

static struct cprof_error *kind_sections_init(struct kind_sections *sections, Elf *elf)
{
	const uint64_t mask = SHF_ALLOC | SHF_EXECINSTR, wanted = sections->kind == SYMBOL_FUNCTIONS ? mask : SHF_ALLOC;
	Elf_Scn *scn = NULL;
	GElf_Shdr section;

	if (elf_getshdrnum(elf, &sections->count) != 0)
		sections->count = 0;
	sections->end = calloc(sections->count + 1, sizeof *sections->end);
	if (!sections->end)
		return &cprof_enomem;
	while ((scn = elf_nextscn(elf, scn)))
		if (elf_ndxscn(scn) < sections->count && gelf_getshdr(scn, &section) && (section.sh_flags & mask) == wanted && !(section.sh_flags & SHF_TLS) &&
		    section.sh_size < UINT64_MAX - section.sh_addr)
			sections->end[elf_ndxscn(scn)] = section.sh_addr + section.sh_size;
	return NULL;
}

static bool type_is_of(enum symbol_kind kind, int type)
{
	return kind == SYMBOL_VARIABLES ? type == STT_OBJECT : type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

static bool symbol_is_wanted(const GElf_Sym *entry, const char *name, const struct kind_sections *sections, uint64_t *section_end)
{
	int type = GELF_ST_TYPE(entry->st_info);

	if (!type_is_of(sections->kind, type))
		return false;
	if (!*name || *name == '$' || strncmp(name, ".L", 2) == 0) /* '$': marks between code and data on ARM */
		return false;
	if (entry->st_shndx >= SHN_LORESERVE && entry->st_shndx == SHN_XINDEX) {
		*section_end = 0;
		return type != STT_NOTYPE && entry->st_size;
	}
	if (entry->st_shndx == SHN_UNDEF || entry->st_shndx >= sections->count || !sections->end[entry->st_shndx])
		return false;
	*section_end = sections->end[entry->st_shndx];
	return entry->st_value < *section_end;
}

static uint8_t symbol_rank(const GElf_Sym *entry)
{
	int binding = GELF_ST_BIND(entry->st_info);
	uint8_t rank = binding == STB_LOCAL ? 0 : binding == STB_WEAK ? 1 : 2;

	if (GELF_ST_TYPE(entry->st_info) != STT_NOTYPE)
		rank += 4;
	return entry->st_size ? rank + 8 : rank;
}

static int symbol_compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;

	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank > b->rank ? -1 : 1;
	if (a->name_bytes != b->name_bytes)
		return a->name_bytes < b->name_bytes ? -1 : 1;
	return a->name == b->name ? 0 : strcmp(a->name, b->name);
}

static struct cprof_error *symbols_collect(struct symbol_table *table, const struct elf_file *file, const struct table_sections *sections, enum symbol_kind kind)
{
	struct kind_sections of_kind = { .kind = kind };
	struct cprof_error *error = kind_sections_init(&of_kind, file->elf);

	if (error)
		return error;
	table->symbols = calloc(sections->nr_symbols + 1, sizeof *table->symbols);
	for (uint64_t i = 0; table->symbols && i < sections->nr_symbols; i++) {
		GElf_Sym entry;
		uint64_t section_end;

		if (!gelf_getsym(sections->symbols, (int)i, &entry) || entry.st_name >= sections->names->d_size)
			continue;
		const char *name = (const char *)sections->names->d_buf + entry.st_name;
		if (!symbol_is_wanted(&entry, name, &of_kind, &section_end))
			continue;
		size_t name_bytes = strnlen(name, STRING_POOL_TEXT_BYTES);
		if (name_bytes == STRING_POOL_TEXT_BYTES || entry.st_size > UINT64_MAX - entry.st_value)
			continue;
		table->symbols[table->count++] = (struct symbol) { entry.st_value,       entry.st_size,       section_end, name,
								   (uint32_t)name_bytes, symbol_rank(&entry), NULL };
	}
	free(of_kind.end);
	return table->symbols ? NULL : &cprof_enomem;
}

/* Without a size: up to the next address that has a symbol. */
static uint64_t symbol_reach(const struct symbol_table *table, size_t i)
{
	const struct symbol *symbol = &table->symbols[i];
	uint64_t end = symbol->section_end;

	for (i++; i < table->count && table->symbols[i].address == symbol->address;)
		i++;
	if (i < table->count && table->symbols[i].address < end)
		end = table->symbols[i].address;
	return end;
}

static struct cprof_error *symbols_map(struct symbol_table *table)
{
	struct range_list list = { 0 };
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < table->count && !error; i++) /* the best of an address is the first of it */
		if (!table->symbols[i].size_bytes && (!i || table->symbols[i - 1].address != table->symbols[i].address))
			error = range_list_add(&list, table->symbols[i].address, symbol_reach(table, i), (uint32_t)i);
	for (size_t first = 0, next; first < table->count && !error; first = next) {
		for (next = first + 1; next < table->count && table->symbols[next].address == table->symbols[first].address;)
			next++;
		for (size_t i = next; i-- > first && !error;) /* the best one last: it lies on top */
			error = range_list_add(&list, table->symbols[i].address, table->symbols[i].address + table->symbols[i].size_bytes,
					       (uint32_t)i);
	}
	if (!error)
		error = range_map_init(&table->by_address, &list);
	range_list_deinit(&list);
	return error;
}

struct cprof_error *symbol_table_init(struct symbol_table *table, const struct elf_file *file, uint32_t section_type, enum symbol_kind kind)
{
	struct table_sections sections;
	struct cprof_error *error;

	*table = (struct symbol_table) { .dynamic_only = section_type == SHT_DYNSYM };
	if (!table_find(file, section_type, &sections))
		return NULL;
	error = symbols_collect(table, file, &sections, kind);
	if (!error && table->count) {
		qsort(table->symbols, table->count, sizeof *table->symbols, symbol_compare);
		error = symbols_map(table);
	}
	if (error || !table->count)
		symbol_table_deinit(table);
	return error;
}

void symbol_table_deinit(struct symbol_table *table)
{
	free(table->symbols);
	range_map_deinit(&table->by_address);
	*table = (struct symbol_table) { 0 };
}

struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t address)
{
	uint32_t i = range_map_find(&table->by_address, address);

	return i == RANGE_NONE ? NULL : &table->symbols[i];
}

struct symbol *symbol_table_find_alias(const struct symbol_table *table, const struct symbol *symbol, const char *name)
{
	size_t first = (size_t)(symbol - table->symbols), length = strlen(name);

	while (first && table->symbols[first - 1].address == symbol->address)
		first--;
	for (size_t i = first; i < table->count && table->symbols[i].address == symbol->address; i++) {
		struct symbol *alias = &table->symbols[i];

		if (demangle_plain_length(alias->name) == length && memcmp(alias->name, name, length) == 0)
			return alias;
	}
	return NULL;
}
