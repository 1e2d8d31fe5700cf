/* SPDX-License-Identifier: BSD-2-Clause */
/* See process_modules.h. Files may change under us: every read is checked against the file's size. */
#include "process_modules.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { NOTES_MAX = 4096, HEADERS_MAX = 64, MODULES_MAX = 8000 };

static void find_build_id(const uint8_t *notes, size_t bytes, struct cprof_module *module)
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
		    note.n_descsz <= sizeof module->build_id) {
			memcpy(module->build_id, notes + content, note.n_descsz);
			module->build_id_bytes = note.n_descsz;
			return;
		}
		at = content + ((note.n_descsz + 3) & ~(size_t)3);
	}
}

/* Build id, and the bias: from where in the file is what was mapped at `start`? */
static bool read_elf(int fd, uint64_t start, uint64_t file_offset, struct cprof_module *module)
{
	uint8_t notes[NOTES_MAX];
	Elf64_Phdr headers[HEADERS_MAX];
	bool biased = false;
	Elf64_Ehdr elf;

	if (pread(fd, &elf, sizeof elf, 0) != sizeof elf || memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.e_phentsize != sizeof *headers || !elf.e_phnum || elf.e_phnum > HEADERS_MAX)
		return false;
	size_t bytes = elf.e_phnum * sizeof *headers;

	if (pread(fd, headers, bytes, (off_t)elf.e_phoff) != (ssize_t)bytes)
		return false;
	for (unsigned i = 0; i < elf.e_phnum; i++) {
		const Elf64_Phdr *header = &headers[i];

		if (header->p_type == PT_LOAD && !biased && (header->p_offset & ~(uint64_t)4095) == file_offset) {
			module->bias = start - (header->p_vaddr & ~(uint64_t)4095);
			biased = true;
		} else if (header->p_type == PT_NOTE && !module->build_id_bytes && header->p_filesz <= sizeof notes &&
			   pread(fd, notes, header->p_filesz, (off_t)header->p_offset) == (ssize_t)header->p_filesz) {
			find_build_id(notes, header->p_filesz, module);
		}
	}
	return biased;
}

/* By the process's own view of the file system: containers. */
static int open_mapped(uint32_t tgid, const char *path)
{
	char name[64 + CPROF_MODULE_PATH_MAX + 256];
	struct stat st;

	snprintf(name, sizeof name, "/proc/%u/root%s", tgid, path);
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool add_module(uint32_t tgid, uint64_t start, uint64_t end, uint64_t file_offset, const char *path, struct bytes *modules)
{
	size_t length = strlen(path);
	struct cprof_module module = {
		.id = (uint32_t)(modules->used / sizeof module) + 1, .start = start, .end = end, .bias = start - file_offset
	};
	struct cprof_module *last = modules->used ? (struct cprof_module *)(void *)(modules->data + modules->used) - 1 : NULL;

	if (length > sizeof module.path) {
		module.flags |= CPROF_MODULE_PATH_CUT;
		length = sizeof module.path;
	}
	if (last && last->path_bytes == length && !memcmp(last->path, path, length)) { /* its next segment */
		last->end = end;
		return true;
	}
	int fd = open_mapped(tgid, path);

	memcpy(module.path, path, length);
	module.path_bytes = (uint32_t)length;
	if (modules->used / sizeof module >= MODULES_MAX)
		return false;
	if (fd >= 0) {
		if (!read_elf(fd, start, file_offset, &module)) {
			close(fd); /* data */
			return true;
		}
		close(fd);
	}
	if (module.id == 1)
		module.flags |= CPROF_MODULE_MAIN;
	return bytes_add(modules, &module, sizeof module);
}

struct modules_entry {
	uint32_t tgid, generation;
	uint64_t read_ns, checksum; /* of the last time; 0: never */
	bool wanted, touched;
};

enum { AGAIN_NS = 200000000 };

void process_modules_deinit(struct process_modules *modules)
{
	free(modules->entries);
	*modules = (struct process_modules) { .entries = NULL };
}

static struct modules_entry *find_entry(struct process_modules *modules, uint32_t tgid, uint32_t generation)
{
	for (size_t i = 0; i < modules->count; i++)
		if (modules->entries[i].tgid == tgid && modules->entries[i].generation == generation)
			return &modules->entries[i];
	return NULL;
}

static void forget(struct process_modules *modules, uint32_t tgid)
{
	for (size_t i = 0; i < modules->count;) {
		if (modules->entries[i].tgid != tgid) {
			i++;
			continue;
		}
		modules->unread += !modules->entries[i].read_ns;
		modules->entries[i] = modules->entries[--modules->count];
	}
}

/* What an image did before it registered has a generation of its own: both are read. */
void process_modules_note(struct process_modules *modules, const struct cprof_kernel_process *process)
{
	if (process->end_ns) {
		forget(modules, process->tgid);
		return;
	}
	if (find_entry(modules, process->tgid, process->generation))
		return;
	if (!vec_reserve(&modules->entries, &modules->capacity, modules->count + 1, sizeof *modules->entries)) {
		modules->unread++;
		return;
	}
	modules->entries[modules->count++] =
		(struct modules_entry) { .tgid = process->tgid, .generation = process->generation, .wanted = true };
}

void process_modules_touch(struct process_modules *modules, uint32_t tgid, uint32_t generation)
{
	struct modules_entry *entry = find_entry(modules, tgid, generation);

	if (entry)
		entry->touched = true;
}

struct bytes process_modules_of(uint32_t tgid)
{
	struct bytes modules = { NULL, 0, 0 };
	char name[32], *line = NULL;
	size_t line_bytes = 0;
	ssize_t length;
	FILE *maps;

	snprintf(name, sizeof name, "/proc/%u/maps", tgid);
	maps = fopen(name, "re");
	while (maps && (length = getline(&line, &line_bytes, maps)) > 0) {
		uint64_t start, end, offset;
		int path_at = 0;

		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*s %*u %n", &start, &end, &offset, &path_at) != 3 || !path_at ||
		    line[path_at] != '/')
			continue;
		if (!add_module(tgid, start, end, offset, line + path_at, &modules))
			break;
	}
	free(line);
	if (maps)
		fclose(maps);
	return modules;
}

static void read_entry(const struct record_observer *observer, struct modules_entry *entry, struct kernel_writer *writer, uint64_t now_ns)
{
	struct bytes modules = process_modules_of(entry->tgid);
	struct cprof_chunk_header header = { .kind = CPROF_CHUNK_MODULES,
					     .thread = entry->tgid,
					     .strand = entry->generation,
					     .first_tsc = now_ns,
					     .last_tsc = now_ns,
					     .items = (uint32_t)(modules.used / sizeof(struct cprof_module)) };
	uint64_t checksum = modules.used ? XXH64(modules.data, modules.used, 1) : 0;

	entry->wanted = entry->touched = false;
	if (checksum && checksum != entry->checksum) {
		kernel_writer_chunk(writer, &header, modules.data, modules.used);
		if (observer)
			observer->modules(observer->context, entry->tgid, entry->generation, (const void *)modules.data, header.items);
	}
	if (checksum) {
		entry->checksum = checksum;
		entry->read_ns = now_ns;
	}
	bytes_deinit(&modules);
}

void process_modules_read(struct process_modules *modules, struct kernel_writer *writer, uint64_t now_ns, bool all)
{
	for (size_t i = 0; i < modules->count; i++) {
		struct modules_entry *entry = &modules->entries[i];

		if (entry->wanted || (entry->touched && (all || now_ns - entry->read_ns >= AGAIN_NS)))
			read_entry(modules->observer, entry, writer, now_ns);
	}
}
