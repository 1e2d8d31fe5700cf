/* SPDX-License-Identifier: BSD-2-Clause */
#include "hook_calls.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

/* Linkers write one or two tables of a kind; a hostile file may have thousands that are all the same bytes. */
enum { MAX_PLACES = 64, MAX_TABLES = 8, OPERAND_BYTES = 4 };

struct targets {
	uint64_t code[MAX_PLACES];  /* a call here calls the function */
	size_t nr_code;
	uint64_t slots[MAX_PLACES]; /* words that hold its address */
	size_t nr_slots;
};

struct code_bytes { /* an executable segment as it is in the file */
	const uint8_t *bytes;
	uint64_t address, nr_bytes;
};

bool hook_calls_can_read(const struct elf_file *file)
{
	GElf_Ehdr header;

	return gelf_getehdr(file->elf, &header) && header.e_machine == EM_X86_64;
}

static bool is_one_of(const uint64_t *places, size_t count, uint64_t address)
{
	for (size_t i = 0; i < count; i++)
		if (places[i] == address)
			return true;
	return false;
}

static void place_add(uint64_t *places, size_t *count, uint64_t address)
{
	if (*count < MAX_PLACES && !is_one_of(places, *count, address))
		places[(*count)++] = address;
}

/* The i-th executable segment. False behind the last. */
static bool segment_read(const struct elf_file *file, size_t i, struct code_bytes *ret)
{
	size_t file_bytes = 0, nr_segments, seen = 0;
	const char *start = elf_rawfile(file->elf, &file_bytes);
	GElf_Phdr segment;

	if (!start || elf_getphdrnum(file->elf, &nr_segments) != 0)
		return false;
	for (size_t number = 0; number < nr_segments && seen < ELF_FILE_CODE_SEGMENTS; number++) {
		if (!gelf_getphdr(file->elf, (int)number, &segment))
			return false;
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X) || segment.p_offset > file_bytes ||
		    segment.p_filesz > file_bytes - segment.p_offset || segment.p_filesz > UINT64_MAX - segment.p_vaddr)
			continue;
		if (seen++ < i)
			continue;
		*ret = (struct code_bytes){ (const uint8_t *)start + segment.p_offset, segment.p_vaddr, segment.p_filesz };
		return true;
	}
	return false;
}

size_t elf_code_read(const struct elf_file *file, uint64_t address, void *buffer, size_t bytes)
{
	struct code_bytes code;

	for (size_t i = 0; segment_read(file, i, &code); i++) {
		if (address < code.address || address - code.address >= code.nr_bytes)
			continue;
		uint64_t left = code.nr_bytes - (address - code.address);
		size_t nr_bytes = left < bytes ? (size_t)left : bytes;

		memcpy(buffer, code.bytes + (address - code.address), nr_bytes);
		return nr_bytes;
	}
	return 0;
}

static bool symbol_is(Elf *elf, size_t names, const GElf_Sym *symbol, const char *name)
{
	const char *found = elf_strptr(elf, names, symbol->st_name);

	return found && strcmp(found, name) == 0;
}

/* *size_bytes: of the first one. */
static void symbols_find(const struct elf_file *file, const char *name, struct targets *targets, uint64_t *size_bytes)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;
	size_t nr_tables = 0;

	while (nr_tables < MAX_TABLES && (scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &section) || (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM))
			continue;
		nr_tables++;
		size_t entry_bytes = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
		Elf_Data *data = elf_getdata(scn, NULL);
		size_t count = data && entry_bytes ? data->d_size / entry_bytes : 0;
		GElf_Sym symbol;

		for (size_t i = 0; i < count && i < INT32_MAX; i++) {
			if (!gelf_getsym(data, (int)i, &symbol) || symbol.st_shndx == SHN_UNDEF || !symbol_is(file->elf, section.sh_link, &symbol, name))
				continue;
			if (!targets->nr_code)
				*size_bytes = symbol.st_size;
			place_add(targets->code, &targets->nr_code, symbol.st_value);
		}
	}
}

bool elf_has_runtime_text(const struct elf_file *file)
{
	static const char text[] = "libcprof ", option[] = "CPROF_OUTPUT";
	size_t nr_bytes = 0;
	const char *bytes = elf_rawfile(file->elf, &nr_bytes);

	return bytes && memmem(bytes, nr_bytes, text, sizeof text - 1) && memmem(bytes, nr_bytes, option, sizeof option);
}

bool elf_symbol_defined(const struct elf_file *file, const char *name, uint64_t *address, uint64_t *size_bytes)
{
	struct targets targets = { .nr_code = 0 };
	uint64_t bytes = 0;

	symbols_find(file, name, &targets, &bytes);
	if (!targets.nr_code)
		return false;
	*address = targets.code[0];
	*size_bytes = bytes;
	return true;
}

/* The words that the loader fills with the function's address. */
static void slots_find(const struct elf_file *file, const char *name, struct targets *targets)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section, table;
	size_t nr_tables = 0;

	while (nr_tables < MAX_TABLES && (scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &section) || section.sh_type != SHT_RELA)
			continue;
		nr_tables++;
		Elf_Scn *symbols_scn = elf_getscn(file->elf, section.sh_link);
		Elf_Data *data = elf_getdata(scn, NULL), *symbols = symbols_scn ? elf_getdata(symbols_scn, NULL) : NULL;
		size_t entry_bytes = gelf_fsize(file->elf, ELF_T_RELA, 1, EV_CURRENT);
		GElf_Rela relocation;
		GElf_Sym symbol;

		if (!data || !symbols || !entry_bytes || !gelf_getshdr(symbols_scn, &table))
			continue;
		for (size_t i = 0; i < data->d_size / entry_bytes && i < INT32_MAX; i++)
			if (gelf_getrela(data, (int)i, &relocation) && GELF_R_SYM(relocation.r_info) < INT32_MAX &&
			    gelf_getsym(symbols, (int)GELF_R_SYM(relocation.r_info), &symbol) && symbol_is(file->elf, table.sh_link, &symbol, name))
				place_add(targets->slots, &targets->nr_slots, relocation.r_offset);
	}
}

/* Where the operand at bytes leads that the instruction ends with. */
static uint64_t operand_target(const struct code_bytes *code, uint64_t offset)
{
	int32_t distance;

	memcpy(&distance, code->bytes + offset, sizeof distance);
	return code->address + offset + OPERAND_BYTES + (uint64_t)(int64_t)distance;
}

/* PLT entries jump through a slot: "ff 25 slot", with endbr64 and bnd before it or not. */
static void stubs_find(const struct code_bytes *code, struct targets *targets)
{
	static const uint8_t before[] = { 0, 1, 4, 5 };

	for (uint64_t i = 0; i + 2 + OPERAND_BYTES <= code->nr_bytes; i++) {
		if (code->bytes[i] != 0xFF || code->bytes[i + 1] != 0x25 || !is_one_of(targets->slots, targets->nr_slots, operand_target(code, i + 2)))
			continue;
		for (size_t k = 0; k < sizeof before; k++)
			place_add(targets->code, &targets->nr_code, code->address + i - before[k]);
	}
}

static bool is_call(const struct code_bytes *code, uint64_t i, const struct targets *targets)
{
	if (code->bytes[i] == 0xE8 && i + 1 + OPERAND_BYTES <= code->nr_bytes)
		return is_one_of(targets->code, targets->nr_code, operand_target(code, i + 1));
	if (code->bytes[i] == 0xFF && i + 2 + OPERAND_BYTES <= code->nr_bytes && code->bytes[i + 1] == 0x15)
		return is_one_of(targets->slots, targets->nr_slots, operand_target(code, i + 2));
	return false;
}

static struct cprof_error *calls_find(struct hook_calls *calls, const struct code_bytes *code, const struct targets *targets)
{
	for (uint64_t i = 0; i < code->nr_bytes; i++) {
		if (!is_call(code, i, targets))
			continue;
		if (!vec_reserve(&calls->addresses, &calls->capacity, calls->count + 1, sizeof *calls->addresses))
			return &cprof_enomem;
		calls->addresses[calls->count++] = code->address + i;
	}
	return NULL;
}

static int address_compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

struct cprof_error *hook_calls_init(struct hook_calls *calls, const struct elf_file *file, const struct elf_file *symbols, const char *name)
{
	struct targets targets = { .nr_code = 0 };
	uint64_t size_bytes = 0;
	struct code_bytes code;
	struct cprof_error *error = NULL;

	*calls = (struct hook_calls){ 0 };
	if (!hook_calls_can_read(file))
		return NULL;
	symbols_find(file, name, &targets, &size_bytes);
	if (symbols != file)
		symbols_find(symbols, name, &targets, &size_bytes);
	slots_find(file, name, &targets);
	for (size_t i = 0; targets.nr_slots && segment_read(file, i, &code); i++)
		stubs_find(&code, &targets);
	for (size_t i = 0; !error && (targets.nr_code || targets.nr_slots) && segment_read(file, i, &code); i++)
		error = calls_find(calls, &code, &targets);
	if (error)
		hook_calls_deinit(calls);
	else if (calls->count)
		qsort(calls->addresses, calls->count, sizeof *calls->addresses, address_compare);
	return error;
}

void hook_calls_deinit(struct hook_calls *calls)
{
	free(calls->addresses);
	*calls = (struct hook_calls){ 0 };
}

uint64_t hook_calls_first(const struct hook_calls *calls, uint64_t low, uint64_t high)
{
	size_t from = 0, to = calls->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (calls->addresses[middle] < low)
			from = middle + 1;
		else
			to = middle;
	}
	return from < calls->count && calls->addresses[from] < high ? calls->addresses[from] : UINT64_MAX;
}
