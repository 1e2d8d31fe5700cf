/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An opened ELF program, shared object or separate debug file.
 *
 * Opens regular files only (a path comes from a trace, so it may name a FIFO or a device) and refuses what libelf and libdw should not be
 * let near: sections that leave the file, or that claim to unpack to far more than they are.
 */
#ifndef CPROF_ELF_FILE_H
#define CPROF_ELF_FILE_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "error.h"

#define ELF_FILE_CODE_SEGMENTS 16 /* linkers make one or two */

struct elf_file {
	char *path;
	int fd;
	Elf *elf;
	const uint8_t *build_id; /* NULL when it has none */
	size_t build_id_bytes;
	struct stat identity; /* as opened */
	struct {
		uint64_t low, high;
	} code[ELF_FILE_CODE_SEGMENTS]; /* executable segments */
	size_t nr_code;
};

struct cprof_error *elf_file_open(const char *path, struct elf_file **ret) CPROF_MUST_CHECK;
void elf_file_close(struct elf_file *file);

bool elf_file_build_id_equal(const struct elf_file *file, const uint8_t *build_id, size_t build_id_bytes);
bool elf_file_is_code(const struct elf_file *file, uint64_t address); /* in an executable segment */
bool elf_file_has_debug_info(const struct elf_file *file);
/* The bytes of a section as they are in the file (0: no such section). ".debug_x" is also found as ".zdebug_x". */
uint64_t elf_file_section_bytes(const struct elf_file *file, const char *name);
/* An error when a debug section is not what libdw may be given. */
struct cprof_error *elf_file_check_debug(const struct elf_file *file) CPROF_MUST_CHECK;

#endif
