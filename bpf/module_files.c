/* SPDX-License-Identifier: BSD-2-Clause */
/* See module_files.h. */
#include "module_files.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record_clock.h"
#include "vec.h"

enum { NOTES_MAX = 4096, HEADERS_MAX = 64, SEGMENTS_MAX = 8 };

struct segment {
	uint64_t file_offset, file_bytes, address;
	bool executable;
};

struct module_file {
	struct stat stat;            /* a file that has been changed since has another */
	uint8_t build_id[sizeof ((struct cprof_module *)NULL)->build_id];
	uint32_t build_id_bytes;
	struct segment segments[SEGMENTS_MAX];
	unsigned nr_segments;
};

void module_files_deinit(struct module_files *files)
{
	free(files->files);
	*files = (struct module_files){ .files = NULL };
}

static void find_build_id(const uint8_t *notes, size_t bytes, struct module_file *file)
{
	for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes;) {
		Elf64_Nhdr note;
		size_t name, content;

		memcpy(&note, notes + at, sizeof note);
		name = at + sizeof note;
		content = name + ((note.n_namesz + 3) & ~(size_t)3);
		if (note.n_namesz > bytes || note.n_descsz > bytes || content + note.n_descsz > bytes)
			return;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && !memcmp(notes + name, "GNU", 4) &&
		    note.n_descsz <= sizeof file->build_id) {
			memcpy(file->build_id, notes + content, note.n_descsz);
			file->build_id_bytes = note.n_descsz;
			return;
		}
		at = content + ((note.n_descsz + 3) & ~(size_t)3);
	}
}

static void read_elf(int fd, struct module_file *file)
{
	uint8_t notes[NOTES_MAX];
	Elf64_Phdr headers[HEADERS_MAX];
	Elf64_Ehdr elf;

	if (pread(fd, &elf, sizeof elf, 0) != sizeof elf || memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.e_phentsize != sizeof *headers || !elf.e_phnum || elf.e_phnum > HEADERS_MAX)
		return;
	size_t bytes = elf.e_phnum * sizeof *headers;

	if (pread(fd, headers, bytes, (off_t)elf.e_phoff) != (ssize_t)bytes)
		return;
	for (unsigned i = 0; i < elf.e_phnum; i++) {
		const Elf64_Phdr *header = &headers[i];

		if (header->p_type == PT_LOAD && file->nr_segments < SEGMENTS_MAX)
			file->segments[file->nr_segments++] =
				(struct segment){ header->p_offset, header->p_filesz, header->p_vaddr, header->p_flags & PF_X };
		else if (header->p_type == PT_NOTE && !file->build_id_bytes && header->p_filesz <= sizeof notes &&
			 pread(fd, notes, header->p_filesz, (off_t)header->p_offset) == (ssize_t)header->p_filesz)
			find_build_id(notes, header->p_filesz, file);
	}
}

static uint64_t change_ns(const struct stat *st)
{
	return (uint64_t)st->st_ctim.tv_sec * 1000000000u + (uint64_t)st->st_ctim.tv_nsec;
}

/* A time that is still to come is that of another clock: an old file all the same. */
static bool changed_since(const struct stat *st, uint64_t time_ns)
{
	uint64_t now_ns = record_clock_ns(CLOCK_REALTIME), ago_ns = record_clock_ns(CLOCK_MONOTONIC) - time_ns;

	return change_ns(st) > now_ns - ago_ns && change_ns(st) <= now_ns;
}

static int open_file(const char *path, uint64_t time_ns, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && !changed_since(st, time_ns)))
		return fd;
	close(fd);
	return -1;
}

/* By the process's own view of the file system (containers), if it is still there. By ours it has to be the same file: not each has the number that stat says,
 * overlays have their own, but those that have not are not mistaken for another. */
static int open_mapped(uint32_t tgid, uint64_t time_ns, const struct perf_mapping *mapping, struct stat *st)
{
	char name[32 + 4096];

	snprintf(name, sizeof name, "/proc/%u/root%s", tgid, mapping->path);
	int fd = open_file(name, time_ns, st);

	if (fd >= 0)
		return fd;
	fd = open_file(mapping->path, time_ns, st);
	if (fd < 0 || st->st_ino == mapping->inode)
		return fd;
	close(fd);
	return -1;
}

static bool is_file(const struct module_file *file, const struct stat *st)
{
	return file->stat.st_ino == st->st_ino && file->stat.st_dev == st->st_dev && change_ns(&file->stat) == change_ns(st);
}

static const struct module_file *read_file(struct module_files *files, int fd, const struct stat *st)
{
	struct module_file *file;

	for (size_t i = 0; i < files->nr; i++)
		if (is_file(&files->files[i], st))
			return &files->files[i];
	if (!vec_reserve(&files->files, &files->capacity, files->nr + 1, sizeof *files->files))
		return NULL;
	file = &files->files[files->nr++];
	*file = (struct module_file){ .stat = *st };
	read_elf(fd, file);
	return file;
}

/* The last that begins in or before the page of file_offset and is not over there: one may end in the page in which the next begins. Code before data. */
static bool set_bias(const struct module_file *file, uint64_t file_offset, struct cprof_module *module)
{
	const struct segment *found = NULL;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (unsigned i = 0; i < file->nr_segments; i++) {
		const struct segment *segment = &file->segments[i];

		if (segment->file_offset - segment->file_offset % page <= file_offset && file_offset < segment->file_offset + segment->file_bytes &&
		    (!found || segment->executable >= found->executable))
			found = segment;
	}
	if (found)
		module->bias = module->start - file_offset - (found->address - found->file_offset);
	return found;
}

static void set_path(const char *path, bool deleted, struct cprof_module *module)
{
	char text[sizeof module->path + 1];
	int length = snprintf(text, sizeof text, "%s%s", path, deleted ? " (deleted)" : "");

	module->path_bytes = (uint32_t)length;
	if (length > (int)sizeof module->path) {
		module->flags |= CPROF_MODULE_PATH_CUT;
		module->path_bytes = sizeof module->path;
	}
	memcpy(module->path, text, module->path_bytes);
}

bool module_files_describe(struct module_files *files, uint32_t tgid, uint64_t time_ns, const struct perf_mapping *mapping, struct cprof_module *module)
{
	static const char deleted[] = " (deleted)";
	size_t length = strlen(mapping->path);
	bool was_deleted = length >= strlen(deleted) && strcmp(mapping->path + length - strlen(deleted), deleted) == 0;
	const struct module_file *file = NULL;
	struct stat st;
	int fd = was_deleted ? -1 : open_mapped(tgid, time_ns, mapping, &st);

	*module = (struct cprof_module){ .start = mapping->start, .end = mapping->end, .bias = mapping->start - mapping->file_offset };
	set_path(mapping->path, fd < 0 && !was_deleted, module);
	if (fd < 0)
		return true;
	file = read_file(files, fd, &st);
	close(fd);
	if (!file || !file->nr_segments)
		return true;
	memcpy(module->build_id, file->build_id, file->build_id_bytes);
	module->build_id_bytes = file->build_id_bytes;
	return set_bias(file, mapping->file_offset, module);
}
