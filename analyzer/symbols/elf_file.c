/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf_file.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What a compressed debug section may unpack to. Real ones reach about 10 times their size; zlib allows 1,032, which would let a file of a
 * megabyte ask for a gigabyte.
 */
enum { UNPACK_FACTOR = 64, UNPACK_SLACK_BYTES = 1 << 20 };

static void code_segments_read(struct elf_file *file)
{
	size_t nr_segments;
	GElf_Phdr segment;

	if (elf_getphdrnum(file->elf, &nr_segments) != 0)
		return;
	for (size_t i = 0; i < nr_segments && file->nr_code < ELF_FILE_CODE_SEGMENTS; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &segment))
			return;
		if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X) || segment.p_memsz > UINT64_MAX - segment.p_vaddr)
			continue;
		file->code[file->nr_code].low = segment.p_vaddr;
		file->code[file->nr_code++].high = segment.p_vaddr + segment.p_memsz;
	}
}

static struct cprof_error *elf_file_init(struct elf_file *file)
{
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0)
		return cprof_error_os(errno, file->path, "open");
	if (fstat(file->fd, &file->identity) != 0)
		return cprof_error_os(errno, file->path, "stat");
	if (!S_ISREG(file->identity.st_mode))
		return cprof_error_at(CPROF_ERROR_FORMAT, file->path, CPROF_NO_OFFSET, "not a regular file");

	elf_version(EV_CURRENT);
	file->elf = elf_begin(file->fd, ELF_C_READ_MMAP, NULL);
	GElf_Ehdr header;
	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header))
		return cprof_error_at(CPROF_ERROR_FORMAT, file->path, CPROF_NO_OFFSET, "not an ELF file");
	if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
		return cprof_error_at(CPROF_ERROR_UNSUPPORTED, file->path, CPROF_NO_OFFSET, "neither a program nor a shared object");

	code_segments_read(file);
	const void *build_id;
	ssize_t build_id_bytes = dwelf_elf_gnu_build_id(file->elf, &build_id);
	if (build_id_bytes > 0) {
		file->build_id = build_id;
		file->build_id_bytes = (size_t)build_id_bytes;
	}
	return NULL;
}

struct cprof_error *elf_file_open(const char *path, struct elf_file **ret)
{
	struct elf_file *file = calloc(1, sizeof *file);

	if (!file)
		return &cprof_enomem;
	file->fd = -1;
	file->path = strdup(path);
	struct cprof_error *error = file->path ? elf_file_init(file) : &cprof_enomem;
	if (error) {
		elf_file_close(file);
		return error;
	}
	*ret = file;
	return NULL;
}

void elf_file_close(struct elf_file *file)
{
	if (!file)
		return;
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
}

bool elf_file_build_id_equal(const struct elf_file *file, const uint8_t *build_id, size_t build_id_bytes)
{
	return file->build_id_bytes == build_id_bytes && build_id_bytes && memcmp(file->build_id, build_id, build_id_bytes) == 0;
}

bool elf_file_is_code(const struct elf_file *file, uint64_t address)
{
	for (size_t i = 0; i < file->nr_code; i++)
		if (address >= file->code[i].low && address < file->code[i].high)
			return true;
	return false;
}

/* NULL: nameless. The name is known to end inside the string table. */
static const char *section_name(Elf *elf, const GElf_Shdr *section)
{
	size_t names;

	return elf_getshdrstrndx(elf, &names) == 0 ? elf_strptr(elf, names, section->sh_name) : NULL;
}

static bool section_is(const char *name, const char *wanted)
{
	if (!name)
		return false;
	if (strncmp(name, ".zdebug_", 8) == 0 && strncmp(wanted, ".debug_", 7) == 0)
		return strcmp(name + 8, wanted + 7) == 0;
	return strcmp(name, wanted) == 0;
}

uint64_t elf_file_section_bytes(const struct elf_file *file, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr section;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, &section) && section.sh_type != SHT_NOBITS && section_is(section_name(file->elf, &section), name))
			return section.sh_size;
	return 0;
}

bool elf_file_has_debug_info(const struct elf_file *file)
{
	return elf_file_section_bytes(file, ".debug_info") != 0;
}

/* What the section says it unpacks to; its own size when it is not compressed. */
static bool section_unpacked_bytes(Elf_Scn *scn, const GElf_Shdr *section, const char *name, uint64_t *ret)
{
	GElf_Chdr compression;

	*ret = section->sh_size;
	if (section->sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(scn, &compression))
			return false;
		*ret = compression.ch_size;
	} else if (strncmp(name, ".zdebug_", 8) == 0) { /* "ZLIB" and the size as a big-endian 64-bit number */
		Elf_Data *raw = elf_rawdata(scn, NULL);

		if (!raw || !raw->d_buf || raw->d_size < 12)
			return false;
		*ret = 0;
		for (int i = 4; i < 12; i++)
			*ret = *ret << 8 | ((const uint8_t *)raw->d_buf)[i];
	}
	return true;
}

struct cprof_error *elf_file_check_debug(const struct elf_file *file)
{
	uint64_t file_bytes = (uint64_t)file->identity.st_size;
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn))) {
		GElf_Shdr section;
		uint64_t unpacked_bytes;

		if (!gelf_getshdr(scn, &section))
			return cprof_error_at(CPROF_ERROR_FORMAT, file->path, CPROF_NO_OFFSET, "damaged section table");
		const char *name = section_name(file->elf, &section);
		if (!name || section.sh_type == SHT_NOBITS || (strncmp(name, ".debug_", 7) && strncmp(name, ".zdebug_", 8)))
			continue;
		if (section.sh_offset > file_bytes || section.sh_size > file_bytes - section.sh_offset)
			return cprof_error_at(CPROF_ERROR_FORMAT, file->path, section.sh_offset, "section %s leaves the file", name);
		if (!section_unpacked_bytes(scn, &section, name, &unpacked_bytes) ||
		    unpacked_bytes > section.sh_size * UNPACK_FACTOR + UNPACK_SLACK_BYTES)
			return cprof_error_at(CPROF_ERROR_FORMAT, file->path, section.sh_offset,
					      "section %s of %" PRIu64 " bytes cannot unpack to what it says", name, section.sh_size);
	}
	return NULL;
}
