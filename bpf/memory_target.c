/* SPDX-License-Identifier: BSD-2-Clause */
/* See memory_target.h. */
#include "memory_target.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest_library.h"
#include "record_shared.h"
#include "uprobe_point.h"

enum { OBJECTS_MAX = 256, CODE_BYTES = 64 };

static const struct {
	const char *name;
	enum memory_function function;
} functions[] = {
	{ "malloc", MEMORY_MALLOC },
	{ "calloc", MEMORY_CALLOC },
	{ "realloc", MEMORY_REALLOC },
	{ "memalign", MEMORY_MEMALIGN },
	{ "aligned_alloc", MEMORY_MEMALIGN },
	{ "posix_memalign", MEMORY_POSIX_MEMALIGN },
	{ "valloc", MEMORY_MALLOC },
	{ "pvalloc", MEMORY_MALLOC },
	{ "free", MEMORY_FREE },
	/* those of an allocator that brings its own; libstdc++'s come to malloc */
	{ "_Znwm", MEMORY_MALLOC },
	{ "_Znam", MEMORY_MALLOC },
	{ "_ZnwmRKSt9nothrow_t", MEMORY_MALLOC },
	{ "_ZnamRKSt9nothrow_t", MEMORY_MALLOC },
	{ "_ZnwmSt11align_val_t", MEMORY_MALLOC },
	{ "_ZnamSt11align_val_t", MEMORY_MALLOC },
	{ "_ZnwmSt11align_val_tRKSt9nothrow_t", MEMORY_MALLOC },
	{ "_ZnamSt11align_val_tRKSt9nothrow_t", MEMORY_MALLOC },
	{ "_ZdlPv", MEMORY_FREE },
	{ "_ZdaPv", MEMORY_FREE },
	{ "_ZdlPvm", MEMORY_FREE },
	{ "_ZdaPvm", MEMORY_FREE },
	{ "_ZdlPvRKSt9nothrow_t", MEMORY_FREE },
	{ "_ZdaPvRKSt9nothrow_t", MEMORY_FREE },
	{ "_ZdlPvSt11align_val_t", MEMORY_FREE },
	{ "_ZdaPvSt11align_val_t", MEMORY_FREE },
	{ "_ZdlPvmSt11align_val_t", MEMORY_FREE },
	{ "_ZdaPvmSt11align_val_t", MEMORY_FREE },
	{ "_ZdlPvSt11align_val_tRKSt9nothrow_t", MEMORY_FREE },
	{ "_ZdaPvSt11align_val_tRKSt9nothrow_t", MEMORY_FREE },
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* What we want to know of an object. */
struct object {
	int fd;
	Elf *elf;
	uint64_t address[FUNCTIONS]; /* virtual; 0: not defined there */
	bool has_interposer;         /* linked into it */
	bool has_loader;             /* names a dynamic loader: not a static program */
	char *needed[64];            /* names of other objects; borrowed from elf */
	size_t nr_needed;
	char *run_path; /* borrowed */
};

static void object_close(struct object *object)
{
	if (object->elf)
		elf_end(object->elf);
	if (object->fd >= 0)
		close(object->fd);
}

static void read_symbols(struct object *object, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;

	for (size_t i = 0; i < nr && i <= INT32_MAX; i++) {
		GElf_Sym symbol;
		const char *name = gelf_getsym(data, (int)i, &symbol) ? elf_strptr(object->elf, header->sh_link, symbol.st_name) : NULL;

		if (!name || symbol.st_shndx == SHN_UNDEF || !symbol.st_value)
			continue;
		if (strcmp(name, "cprof_alloc_interface") == 0)
			object->has_interposer = true;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || GELF_ST_BIND(symbol.st_info) == STB_LOCAL)
			continue;
		for (size_t f = 0; f < FUNCTIONS; f++)
			if (strcmp(name, functions[f].name) == 0)
				object->address[f] = symbol.st_value;
	}
}

static void read_dynamic(struct object *object, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = data && header->sh_entsize ? data->d_size / header->sh_entsize : 0;

	for (size_t i = 0; i < nr && i <= INT32_MAX; i++) {
		GElf_Dyn entry;

		if (!gelf_getdyn(data, (int)i, &entry) ||
		    (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RUNPATH && entry.d_tag != DT_RPATH))
			continue;
		char *text = elf_strptr(object->elf, header->sh_link, entry.d_un.d_val);

		if (text && entry.d_tag != DT_NEEDED)
			object->run_path = text;
		else if (text && object->nr_needed < sizeof object->needed / sizeof *object->needed)
			object->needed[object->nr_needed++] = text;
	}
}

/* false: not a file of ours to look into. */
static bool object_open(const char *path, struct object *ret)
{
	struct object object = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct stat facts;
	GElf_Ehdr header;
	Elf_Scn *section = NULL;

	elf_version(EV_CURRENT);
	if (object.fd >= 0 && !fstat(object.fd, &facts) && S_ISREG(facts.st_mode))
		object.elf = elf_begin(object.fd, ELF_C_READ, NULL);
	if (!object.elf || !gelf_getehdr(object.elf, &header) || header.e_machine != EM_X86_64) {
		object_close(&object);
		return false;
	}
	for (int i = 0; i < header.e_phnum; i++) {
		GElf_Phdr phdr;

		object.has_loader |= gelf_getphdr(object.elf, i, &phdr) && phdr.p_type == PT_INTERP;
	}
	while ((section = elf_nextscn(object.elf, section))) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(section, &shdr))
			continue;
		if (shdr.sh_type == SHT_DYNSYM || shdr.sh_type == SHT_SYMTAB)
			read_symbols(&object, section, &shdr);
		else if (shdr.sh_type == SHT_DYNAMIC)
			read_dynamic(&object, section, &shdr);
	}
	*ret = object;
	return true;
}

static bool file_offset(Elf *elf, uint64_t address, uint64_t *ret)
{
	size_t nr;

	if (elf_getphdrnum(elf, &nr))
		return false;
	for (size_t i = 0; i < nr && i <= INT32_MAX; i++) {
		GElf_Phdr header;

		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD && address >= header.p_vaddr &&
		    address - header.p_vaddr < header.p_filesz) {
			*ret = address - header.p_vaddr + header.p_offset;
			return true;
		}
	}
	return false;
}

static bool is_probed(const struct memory_target *target, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < target->nr; i++)
		if (target->offset[i] >= from && target->offset[i] <= to)
			return true;
	return false;
}

static unsigned arguments_of(enum memory_function function)
{
	switch (function) {
	case MEMORY_MALLOC:
	case MEMORY_FREE:
		return 1;
	case MEMORY_POSIX_MEMALIGN:
		return 3;
	default:
		return 2;
	}
}

/* One function may have several names: one probe for each address. */
static void add_probes(const struct object *object, struct memory_target *target)
{
	for (size_t f = 0; f < FUNCTIONS && target->nr < MEMORY_PROBES_MAX; f++) {
		uint8_t code[CODE_BYTES];
		uint64_t offset;
		bool emulated;

		if (!object->address[f] || !file_offset(object->elf, object->address[f], &offset))
			continue;
		ssize_t got = pread(object->fd, code, sizeof code, (off_t)offset);

		if (got <= 0)
			continue;
		size_t at = uprobe_point_find(code, (size_t)got, arguments_of(functions[f].function), &emulated);

		if (is_probed(target, offset, offset + at))
			continue;
		target->slow += !emulated;
		target->offset[target->nr] = offset + at;
		target->function[target->nr++] = functions[f].function;
	}
}

/* --- the objects of a program, in the order in which the loader looks ------------------------------------------------------------------ */

struct objects {
	char path[OBJECTS_MAX][PATH_MAX];
	size_t nr;
};

static void objects_add(struct objects *objects, const char *path)
{
	for (size_t i = 0; i < objects->nr; i++)
		if (strcmp(objects->path[i], path) == 0)
			return;
	if (objects->nr < OBJECTS_MAX)
		snprintf(objects->path[objects->nr++], PATH_MAX, "%s", path);
}

static const char *own_libc(void)
{
	Dl_info info;

	return dladdr((void *)(uintptr_t)gnu_get_libc_version, &info) && info.dli_fname ? info.dli_fname
											: "/lib/x86_64-linux-gnu/libc.so.6";
}

/* Is it in one of the folders of list ("a:b")? $ORIGIN is the folder of the object that says so. */
static bool find_in(const char *list, const char *origin, const char *name, char *ret)
{
	while (list && *list) {
		size_t length = strcspn(list, ":");
		const char *rest = list;
		size_t rest_length = length;
		int written;

		if (length >= 7 && !strncmp(list, "$ORIGIN", 7)) {
			const char *slash = strrchr(origin, '/');

			rest += 7;
			rest_length -= 7;
			written = snprintf(ret, PATH_MAX, "%.*s%.*s/%s", (int)(slash ? slash - origin : 1), slash ? origin : ".",
					   (int)rest_length, rest, name);
		} else {
			written = snprintf(ret, PATH_MAX, "%.*s/%s", (int)rest_length, rest, name);
		}
		if (written > 0 && written < PATH_MAX && access(ret, R_OK) == 0)
			return true;
		list += length + (list[length] == ':');
	}
	return false;
}

static bool find_library(const char *name, const char *run_path, const char *origin, char *ret)
{
	char beside_libc[PATH_MAX];
	char *slash;

	if (strchr(name, '/'))
		return snprintf(ret, PATH_MAX, "%s", name) < PATH_MAX && access(ret, R_OK) == 0;
	snprintf(beside_libc, sizeof beside_libc, "%s", own_libc());
	slash = strrchr(beside_libc, '/');
	if (slash)
		*slash = '\0';
	return find_in(run_path, origin, name, ret) || find_in(getenv("LD_LIBRARY_PATH"), origin, name, ret) ||
	       find_in(beside_libc, origin, name, ret) ||
	       find_in("/usr/local/lib:/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu:/usr/lib64:/lib64:/usr/lib:/lib", origin, name, ret);
}

static void add_preloads(struct objects *objects)
{
	char list[PATH_MAX], found[PATH_MAX], *rest = list, *name;

	snprintf(list, sizeof list, "%s", getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "");
	while ((name = strsep(&rest, ": ")))
		if (*name && find_library(name, NULL, "", found))
			objects_add(objects, found);
}

/* Breadth first: the list grows while it is walked. */
static void add_needed(struct objects *objects)
{
	char found[PATH_MAX];

	for (size_t i = 0; i < objects->nr; i++) {
		struct object object;

		if (!object_open(objects->path[i], &object))
			continue;
		for (size_t n = 0; n < object.nr_needed; n++)
			if (find_library(object.needed[n], object.run_path, objects->path[i], found))
				objects_add(objects, found);
		object_close(&object);
	}
}

static void of_program(const char *program, struct objects *objects)
{
	char path[PATH_MAX];

	if (!guest_program_find(program, path))
		return;
	objects_add(objects, path);
	add_preloads(objects);
	add_needed(objects);
}

/* Mapped files come in no order of the loader's: the program, then what is no libc, then all. Seen in the process's own root. */
static void of_process(uint32_t pid, struct objects *objects)
{
	char path[PATH_MAX], line[PATH_MAX + 128];
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%u/exe", pid);
	objects_add(objects, path);
	for (int pass = 0; pass < 2; pass++) {
		snprintf(path, sizeof path, "/proc/%u/maps", pid);
		maps = fopen(path, "re");
		while (maps && fgets(line, sizeof line, maps)) {
			char *file = strchr(line, '/');

			line[strcspn(line, "\n")] = '\0';
			if (!file || !strstr(line, " r-xp ") ||
			    (!pass && (strstr(file, "/libc.so") || strstr(file, "/libc-") || strstr(file, "/ld-"))))
				continue;
			int written = snprintf(path, sizeof path, "/proc/%u/root%s", pid, file);

			if (written > 0 && (size_t)written < sizeof path)
				objects_add(objects, path);
		}
		if (maps)
			fclose(maps);
	}
}

/* --- the choice --------------------------------------------------------------------------------------------------------------------------- */

static bool is_named(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	return !strncmp(slash ? slash + 1 : path, name, strlen(name));
}

static bool choose_interposer(const struct objects *objects, bool launched, struct memory_target *target)
{
	bool has_runtime = false;

	for (size_t i = 0; i < objects->nr; i++) {
		struct object object;

		if (is_named(objects->path[i], "libcprof-alloc.so")) {
			target->interposed = true;
			return true;
		}
		has_runtime |= is_named(objects->path[i], "libcprof.so");
		if (i || !object_open(objects->path[i], &object))
			continue;
		target->interposed = object.has_interposer;
		object_close(&object);
		if (target->interposed)
			return true;
	}
	target->interposed = launched && has_runtime && guest_library_find("libcprof-alloc.so", target->preload);
	return target->interposed;
}

/* A script, or a name that execvp will not find either: then libc is what there will be. */
static bool is_static(const struct objects *objects)
{
	struct object object;
	bool ret;

	if (!objects->nr || !object_open(objects->path[0], &object))
		return false;
	ret = !object.has_loader;
	object_close(&object);
	return ret;
}

/* Dynamic programs may define malloc's family in part: what counts is who defines malloc itself. */
static bool choose_probes(const struct objects *objects, struct memory_target *target)
{
	for (size_t i = 0; i < objects->nr; i++) {
		struct object object;
		bool chosen;

		if (is_named(objects->path[i], "ld-linux") || !object_open(objects->path[i], &object))
			continue;
		chosen = object.address[0] != 0;
		if (chosen) {
			snprintf(target->path, sizeof target->path, "%s", objects->path[i]);
			add_probes(&object, target);
		}
		object_close(&object);
		if (chosen)
			return target->nr > 0;
	}
	return false;
}

struct cprof_error *memory_target_choose(const char *program, uint32_t pid, struct memory_target *ret)
{
	struct memory_target *target = calloc(1, sizeof *target);
	struct objects *objects = calloc(1, sizeof *objects);
	struct cprof_error *error = NULL;

	if (!target || !objects) {
		error = &cprof_enomem;
		goto out;
	}
	if (program)
		of_program(program, objects);
	else if (pid)
		of_process(pid, objects);
	if (!choose_interposer(objects, program != NULL, target)) {
		if (!is_static(objects))
			objects_add(objects, own_libc());
		if (!choose_probes(objects, target))
			error = cprof_error_create(CPROF_ERROR_UNSUPPORTED,
						   "no malloc found to probe: its program is static and has no symbols");
	}
	if (!error)
		*ret = *target;
out:
	free(target);
	free(objects);
	return error;
}
