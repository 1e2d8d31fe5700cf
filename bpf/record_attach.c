/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_attach.h. */
#include "record_attach.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADERS_MAX = 64, DYNAMIC_MAX = 512, NAME_MAX_BYTES = 32 };

struct memory {
	int fd;        /* /proc/PID/mem */
	uint64_t base; /* of the object that is looked at */
	int exe;       /* the program's file while its own object is looked at, else -1 */
};

static bool memory_read(const struct memory *memory, uint64_t address, void *ret, size_t bytes)
{
	return pread(memory->fd, ret, bytes, (off_t)address) == (ssize_t)bytes;
}

/* Tables of .dynamic are addresses in the process when the loader has relocated them, else relative to the base. */
static uint64_t table_address(const struct memory *memory, uint64_t value, uint64_t bias)
{
	return value >= memory->base ? value : value + bias;
}

struct dynamic_tables {
	uint64_t symbols, strings, gnu_hash, string_bytes;
};

/* Number of symbols, from the longest chain of DT_GNU_HASH. */
static uint32_t count_symbols(const struct memory *memory, uint64_t gnu_hash)
{
	uint32_t head[4], last = 0, bucket, link = 0;

	if (!memory_read(memory, gnu_hash, head, sizeof head) || head[0] > 1 << 22 || head[2] > 1 << 22)
		return 0;
	uint64_t buckets = gnu_hash + sizeof head + (uint64_t)head[2] * 8, chains = buckets + (uint64_t)head[0] * 4;

	for (uint32_t i = 0; i < head[0]; i++) {
		if (!memory_read(memory, buckets + i * 4u, &bucket, sizeof bucket))
			return 0;
		if (bucket > last)
			last = bucket;
	}
	if (last < head[1])
		return head[1];
	while (!(link & 1) && last < 1 << 24) {
		if (!memory_read(memory, chains + (uint64_t)(last - head[1]) * 4, &link, sizeof link))
			return 0;
		last++;
	}
	return last;
}

static bool find_symbol(const struct memory *memory, const struct dynamic_tables *tables, uint64_t bias, const char *wanted,
			uint64_t *address)
{
	uint32_t count = count_symbols(memory, tables->gnu_hash);
	size_t wanted_bytes = strlen(wanted) + 1;

	for (uint32_t i = 1; i < count; i++) {
		char name[NAME_MAX_BYTES];
		Elf64_Sym symbol;

		if (!memory_read(memory, tables->symbols + i * sizeof symbol, &symbol, sizeof symbol))
			return false;
		if (symbol.st_shndx == SHN_UNDEF || symbol.st_size != sizeof(struct cprof_runtime_header) ||
		    symbol.st_name + wanted_bytes > tables->string_bytes)
			continue;
		if (memory_read(memory, tables->strings + symbol.st_name, name, wanted_bytes) && !memcmp(name, wanted, wanted_bytes)) {
			*address = bias + symbol.st_value;
			return true;
		}
	}
	return false;
}

static bool file_read(int fd, uint64_t offset, void *ret, size_t bytes)
{
	return pread(fd, ret, bytes, (off_t)offset) == (ssize_t)bytes;
}

/* A static program has the symbol in .symtab alone, which is not mapped. */
static bool find_in_symtab(int fd, const char *wanted, uint64_t bias, uint64_t *address)
{
	size_t wanted_bytes = strlen(wanted) + 1;
	Elf64_Shdr symbols, strings;
	Elf64_Ehdr elf;

	if (!file_read(fd, 0, &elf, sizeof elf) || elf.e_shentsize != sizeof symbols)
		return false;
	for (unsigned i = 0; i < elf.e_shnum; i++) {
		if (!file_read(fd, elf.e_shoff + i * sizeof symbols, &symbols, sizeof symbols))
			return false;
		if (symbols.sh_type != SHT_SYMTAB || symbols.sh_link >= elf.e_shnum ||
		    !file_read(fd, elf.e_shoff + symbols.sh_link * sizeof strings, &strings, sizeof strings))
			continue;
		for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= symbols.sh_size && at < 1 << 30; at += sizeof(Elf64_Sym)) {
			char name[NAME_MAX_BYTES];
			Elf64_Sym symbol;

			if (!file_read(fd, symbols.sh_offset + at, &symbol, sizeof symbol))
				return false;
			if (symbol.st_size == sizeof(struct cprof_runtime_header) && symbol.st_name + wanted_bytes <= strings.sh_size &&
			    file_read(fd, strings.sh_offset + symbol.st_name, name, wanted_bytes) && !memcmp(name, wanted, wanted_bytes)) {
				*address = bias + symbol.st_value;
				return true;
			}
		}
	}
	return false;
}

static bool read_header(const struct memory *memory, uint64_t address, struct cprof_runtime_header *ret)
{
	return memory_read(memory, address, ret, sizeof *ret) && ret->magic == CPROF_RUNTIME_MAGIC && ret->version == CPROF_SLOTS_VERSION;
}

/* The object whose ELF header is mapped at memory->base. */
static bool find_in_object(const struct memory *memory, struct cprof_runtime_header *ret)
{
	static const char wanted[] = "cprof_runtime_header";
	struct dynamic_tables tables = { 0, 0, 0, 0 };
	Elf64_Phdr headers[HEADERS_MAX];
	uint64_t bias = 0, dynamic = 0, address;
	bool biased = false;
	Elf64_Ehdr elf;

	if (!memory_read(memory, memory->base, &elf, sizeof elf) || memcmp(elf.e_ident, ELFMAG, SELFMAG) ||
	    elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof *headers || elf.e_phnum > HEADERS_MAX ||
	    !memory_read(memory, memory->base + elf.e_phoff, headers, elf.e_phnum * sizeof *headers))
		return false;
	for (unsigned i = 0; i < elf.e_phnum; i++) {
		if (headers[i].p_type == PT_LOAD && !biased) {
			bias = memory->base - (headers[i].p_vaddr & ~(uint64_t)4095);
			biased = true;
		} else if (headers[i].p_type == PT_DYNAMIC) {
			dynamic = headers[i].p_vaddr;
		}
	}
	if (!biased)
		return false;
	for (unsigned i = 0; dynamic && i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;

		if (!memory_read(memory, bias + dynamic + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_SYMTAB)
			tables.symbols = table_address(memory, entry.d_un.d_ptr, bias);
		else if (entry.d_tag == DT_STRTAB)
			tables.strings = table_address(memory, entry.d_un.d_ptr, bias);
		else if (entry.d_tag == DT_GNU_HASH)
			tables.gnu_hash = table_address(memory, entry.d_un.d_ptr, bias);
		else if (entry.d_tag == DT_STRSZ)
			tables.string_bytes = entry.d_un.d_val;
	}
	if (tables.symbols && tables.strings && tables.gnu_hash && find_symbol(memory, &tables, bias, wanted, &address) &&
	    read_header(memory, address, ret))
		return true;
	return memory->exe >= 0 && find_in_symtab(memory->exe, wanted, bias, &address) && read_header(memory, address, ret);
}

static bool find_header(uint32_t pid, const struct memory *mapped, struct cprof_runtime_header *ret)
{
	struct memory memory = *mapped;
	char path[32], *line = NULL;
	size_t line_bytes = 0;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	while (maps && !found && getline(&line, &line_bytes, maps) > 0) {
		uint64_t start, offset;
		char access[5];

		if (sscanf(line, "%" SCNx64 "-%*x %4s %" SCNx64, &start, access, &offset) != 3 || offset || access[0] != 'r' ||
		    !strchr(line, '/'))
			continue;
		memory.base = start;
		found = find_in_object(&memory, ret);
		memory.exe = -1; /* the program is mapped first */
	}
	free(line);
	if (maps)
		fclose(maps);
	return found;
}

/* Name, parent, and the id that it has for itself: the innermost namespace comes last. */
static void read_status(uint32_t pid, struct cprof_kernel_process *process)
{
	char path[32], line[512];

	snprintf(path, sizeof path, "/proc/%u/status", pid);
	FILE *file = fopen(path, "re");

	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = '\0';
		const char *value = line + strcspn(line, "\t");

		if (!*value++)
			continue;
		if (strncmp(line, "Name:", 5) == 0)
			snprintf(process->name, sizeof process->name, "%.15s", value);
		else if (strncmp(line, "PPid:", 5) == 0)
			process->parent_tgid = (uint32_t)strtoul(value, NULL, 10);
		else if (strncmp(line, "NSpid:", 6) == 0)
			process->pid = (uint32_t)strtoul(strrchr(line, '\t') + 1, NULL, 10);
	}
	if (file)
		fclose(file);
}

struct cprof_error *record_attach_find(uint32_t pid, struct process_record *process, uint8_t *session)
{
	struct cprof_runtime_header header;
	struct memory memory;
	char path[32];

	snprintf(path, sizeof path, "/proc/%u/mem", pid);
	memory = (struct memory) { open(path, O_RDONLY | O_CLOEXEC), 0, -1 };
	if (memory.fd < 0)
		return errno == ENOENT ? cprof_error_create(CPROF_ERROR_NOT_FOUND, "no process %u", pid)
				       : cprof_error_os(errno, path, "look into the process");
	process->said.tgid = pid;
	process->said.generation = RECORD_NO_GENERATION;
	read_status(pid, &process->said);
	snprintf(path, sizeof path, "/proc/%u/exe", pid);
	memory.exe = open(path, O_RDONLY | O_CLOEXEC);
	int exe = memory.exe;

	if (find_header(pid, &memory, &header)) {
		process->said.generation = header.generation & (RECORD_NO_GENERATION - 1);
		process->said.flags |= CPROF_KERNEL_PROCESS_RUNTIME;
		process->tls_offset = header.tls_offset;
		memcpy(session, header.session, sizeof header.session);
	}
	if (exe >= 0)
		close(exe);
	close(memory.fd);
	return NULL;
}
