/* SPDX-License-Identifier: BSD-2-Clause */
#include "debug_file.h"

#include <elfutils/libdwelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const char system_root[] = "/usr/lib/debug";

/* The i-th folder below which debug files are kept, NULL behind the last. */
static const char *debug_root(const char *const *search_paths, size_t i)
{
	return i == 0 ? system_root : search_paths ? search_paths[i - 1] : NULL;
}

/* Only a missing piece of memory is an error: a candidate that cannot be read is no candidate. Takes path. */
static struct cprof_error *candidate_open(char *path, struct elf_file **ret)
{
	if (!path)
		return &cprof_enomem;
	struct cprof_error *error = elf_file_open(path, ret);
	free(path);
	if (error == &cprof_enomem)
		return error;
	if (error)
		*ret = NULL;
	cprof_error_free(error);
	return NULL;
}

static char *CPROF_PRINTF(1, 2) path_format(const char *format, ...)
{
	va_list arguments;
	char *path;

	va_start(arguments, format);
	int length = vasprintf(&path, format, arguments);
	va_end(arguments);
	return length < 0 ? NULL : path;
}

struct cprof_error *debug_file_find_build_id(const uint8_t *build_id, size_t build_id_bytes, const char *const *search_paths,
					     struct elf_file **ret)
{
	char text[2 * 64 + 1];
	const char *root;

	if (build_id_bytes < 2 || build_id_bytes > 64) {
		*ret = NULL;
		return NULL;
	}
	for (size_t i = 0; i < build_id_bytes; i++)
		sprintf(text + 2 * i, "%02x", build_id[i]);
	for (size_t i = 0; (root = debug_root(search_paths, i)); i++) {
		struct elf_file *file = NULL;
		struct cprof_error *error = candidate_open(path_format("%s/.build-id/%.2s/%s.debug", root, text, text + 2), &file);

		if (error)
			return error;
		if (file && elf_file_build_id_equal(file, build_id, build_id_bytes)) {
			*ret = file;
			return NULL;
		}
		elf_file_close(file);
	}
	*ret = NULL;
	return NULL;
}

static bool file_crc_is(const struct elf_file *file, uint32_t wanted)
{
	static unsigned char buffer[64 * 1024];
	uLong crc = crc32(0, NULL, 0);
	off_t offset = 0;
	ssize_t got;

	while ((got = pread(file->fd, buffer, sizeof buffer, offset)) > 0) {
		crc = crc32(crc, buffer, (uInt)got);
		offset += got;
	}
	return got == 0 && crc == wanted;
}

static bool debug_file_belongs(const struct elf_file *program, const struct elf_file *file, uint32_t crc)
{
	if (file->identity.st_dev == program->identity.st_dev && file->identity.st_ino == program->identity.st_ino)
		return false; /* a program may name itself */
	if (program->build_id && file->build_id)
		return elf_file_build_id_equal(file, program->build_id, program->build_id_bytes);
	return file_crc_is(file, crc);
}

static struct cprof_error *debug_link_find(const struct elf_file *program, const char *name, uint32_t crc, const char *const *search_paths,
					   struct elf_file **ret)
{
	const char *slash = strrchr(program->path, '/');
	int folder_length = slash ? (int)(slash - program->path) : 1;
	const char *folder = slash ? program->path : ".", *root;

	*ret = NULL;
	for (size_t i = 0;; i++) {
		struct elf_file *file = NULL;
		char *path;

		if (i == 0)
			path = path_format("%.*s/%s", folder_length, folder, name);
		else if (i == 1)
			path = path_format("%.*s/.debug/%s", folder_length, folder, name);
		else if ((root = debug_root(search_paths, (i - 2) / 2)))
			path = i % 2 ? path_format("%s/%s", root, name) : path_format("%s/%.*s/%s", root, folder_length, folder, name);
		else
			return NULL;
		struct cprof_error *error = candidate_open(path, &file);
		if (error)
			return error;
		if (file && debug_file_belongs(program, file, crc)) {
			*ret = file;
			return NULL;
		}
		elf_file_close(file);
	}
}

struct cprof_error *debug_file_find(const struct elf_file *program, const char *const *search_paths, struct elf_file **ret)
{
	GElf_Word crc;
	struct elf_file *file = NULL;

	if (program->build_id) {
		struct cprof_error *error = debug_file_find_build_id(program->build_id, program->build_id_bytes, search_paths, &file);

		if (error)
			return error;
		if (file && (file->identity.st_dev != program->identity.st_dev || file->identity.st_ino != program->identity.st_ino)) {
			*ret = file;
			return NULL;
		}
		elf_file_close(file);
	}
	const char *name = dwelf_elf_gnu_debuglink(program->elf, &crc);
	if (!name || !*name || strchr(name, '/')) { /* a link leads to no other folder */
		*ret = NULL;
		return NULL;
	}
	return debug_link_find(program, name, crc, search_paths, ret);
}
