/* SPDX-License-Identifier: BSD-2-Clause */
#include "needed_library.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Elf_Scn *section_of_type(Elf *elf, uint32_t type, GElf_Shdr *section)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, section) && section->sh_type == type)
			return scn;
	return NULL;
}

/* The entries of the dynamic section with what they name: start with *at 0. False after the last. */
static bool dynamic_next(const struct elf_file *file, size_t *at, GElf_Dyn *entry, const char **text)
{
	GElf_Shdr section;
	Elf_Scn *scn = section_of_type(file->elf, SHT_DYNAMIC, &section);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	size_t entry_bytes = gelf_fsize(file->elf, ELF_T_DYN, 1, EV_CURRENT);

	while (data && entry_bytes && *at < data->d_size / entry_bytes && gelf_getdyn(data, (int)*at, entry) && entry->d_tag != DT_NULL) {
		++*at;
		if (entry->d_tag != DT_NEEDED && entry->d_tag != DT_RPATH && entry->d_tag != DT_RUNPATH)
			continue;
		*text = elf_strptr(file->elf, section.sh_link, entry->d_un.d_val);
		if (*text)
			return true;
	}
	return false;
}

const char *needed_library_name(const struct elf_file *file, size_t index)
{
	const char *text;
	GElf_Dyn entry;

	for (size_t at = 0; dynamic_next(file, &at, &entry, &text);)
		if (entry.d_tag == DT_NEEDED && !index--)
			return text;
	return NULL;
}

static void dynamic_entry(const GElf_Dyn *entry, const char *text, struct needed_libraries *ret)
{
	if (entry->d_tag == DT_NEEDED && strncmp(text, "libcprof.so", 11) == 0)
		ret->runtime = ret->runtime ? ret->runtime : text;
	else if (entry->d_tag == DT_NEEDED && strncmp(text, "libc.so", 7) == 0)
		ret->runtime_before_libc = ret->runtime != NULL;
	else if (entry->d_tag == DT_RPATH)
		ret->rpath = text;
	else if (entry->d_tag == DT_RUNPATH)
		ret->runpath = text;
}

static void dynamic_read(const struct elf_file *file, struct needed_libraries *ret)
{
	bool saw_libc = false;
	const char *text;
	GElf_Dyn entry;

	for (size_t at = 0; dynamic_next(file, &at, &entry, &text);) {
		dynamic_entry(&entry, text, ret);
		if (entry.d_tag == DT_NEEDED) {
			ret->is_dynamic = true;
			saw_libc |= strncmp(text, "libc.so", 7) == 0;
		}
	}
	if (!saw_libc)
		ret->runtime_before_libc = ret->runtime != NULL;
}

/* Of the version index that a symbol has; "" when it has none. */
static const char *version_name(Elf *elf, uint16_t wanted)
{
	GElf_Shdr section;
	Elf_Scn *scn = section_of_type(elf, SHT_GNU_verneed, &section);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;
	GElf_Verneed need;
	GElf_Vernaux version;
	uint32_t steps = 0;

	for (uint64_t at = 0; data && at < data->d_size && gelf_getverneed(data, (int)at, &need); at += need.vn_next) {
		uint64_t place = at + need.vn_aux;

		/* Offsets only grow; a step of 0 ends a list. */
		for (uint16_t i = 0; i < need.vn_cnt && place < data->d_size && gelf_getvernaux(data, (int)place, &version) && steps < UINT16_MAX; i++, steps++) {
			const char *name = version.vna_other == wanted ? elf_strptr(elf, section.sh_link, version.vna_name) : NULL;

			if (name)
				return name;
			if (!version.vna_next)
				break;
			place += version.vna_next;
		}
		if (!need.vn_next || steps++ >= UINT16_MAX)
			break;
	}
	return "";
}

static void hook_read(const struct elf_file *file, const char *hook, struct needed_libraries *ret)
{
	GElf_Shdr section, versions_section;
	Elf_Scn *scn = section_of_type(file->elf, SHT_DYNSYM, &section);
	Elf_Scn *versions_scn = section_of_type(file->elf, SHT_GNU_versym, &versions_section);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL, *versions = versions_scn ? elf_getdata(versions_scn, NULL) : NULL;
	size_t entry_bytes = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);
	GElf_Sym symbol;

	ret->hook_version = "";
	for (size_t i = 0; data && entry_bytes && i < data->d_size / entry_bytes && i < INT32_MAX; i++) {
		const char *name = gelf_getsym(data, (int)i, &symbol) ? elf_strptr(file->elf, section.sh_link, symbol.st_name) : NULL;
		GElf_Versym version;

		if (!name || symbol.st_shndx != SHN_UNDEF || strcmp(name, hook) != 0)
			continue;
		ret->hook_wanted = true;
		if (versions && gelf_getversym(versions, (int)i, &version) && (version & 0x7FFF) > VER_NDX_GLOBAL)
			ret->hook_version = version_name(file->elf, version & 0x7FFF);
		return;
	}
}

static bool has_interpreter(Elf *elf)
{
	size_t nr_segments;
	GElf_Phdr segment;

	if (elf_getphdrnum(elf, &nr_segments) != 0)
		return false;
	for (size_t i = 0; i < nr_segments && gelf_getphdr(elf, (int)i, &segment); i++)
		if (segment.p_type == PT_INTERP)
			return true;
	return false;
}

void needed_libraries_read(const struct elf_file *file, const char *hook, struct needed_libraries *ret)
{
	GElf_Ehdr header;

	*ret = (struct needed_libraries){ .hook_version = "" };
	dynamic_read(file, ret);
	hook_read(file, hook, ret);
	/* A static-pie program has a dynamic section but needs nothing. */
	ret->is_library = gelf_getehdr(file->elf, &header) && header.e_type == ET_DYN && ret->is_dynamic && !has_interpreter(file->elf);
}

/* folder/name if it is there. $ORIGIN is the program's folder. */
static struct cprof_error *folder_try(const struct elf_file *file, const char *folder, size_t length, const char *name, char **ret)
{
	static const char *const origins[] = { "$ORIGIN", "${ORIGIN}" };
	const char *slash = strrchr(file->path, '/');
	int origin_length = slash ? (int)(slash - file->path) : 1, written = -1;
	const char *origin = slash ? file->path : ".";
	char *path = NULL;

	for (size_t i = 0; i < 2 && written < 0; i++) {
		size_t skip = strlen(origins[i]);

		if (length >= skip && strncmp(folder, origins[i], skip) == 0) {
			written = asprintf(&path, "%.*s%.*s/%s", origin_length, origin, (int)(length - skip), folder + skip, name);
			if (written < 0)
				return &cprof_enomem;
		}
	}
	if (written < 0 && asprintf(&path, "%.*s/%s", (int)length, folder, name) < 0)
		return &cprof_enomem;
	if (access(path, R_OK) == 0)
		*ret = path;
	else
		free(path);
	return NULL;
}

/* A list of folders with colons between them, or NULL. */
static struct cprof_error *list_try(const struct elf_file *file, const char *list, const char *name, char **ret)
{
	while (list && *list && !*ret) {
		size_t length = strcspn(list, ":");
		struct cprof_error *error = length && length < 4096 ? folder_try(file, list, length, name, ret) : NULL;

		if (error)
			return error;
		list += length + (list[length] == ':');
	}
	return NULL;
}

static struct cprof_error *configured_try(const struct elf_file *file, const char *name, char **ret)
{
	struct cprof_error *error = NULL;
	glob_t files;
	char line[4096];

	if (glob("/etc/ld.so.conf.d/*.conf", 0, NULL, &files) != 0)
		return NULL;
	for (size_t i = 0; i < files.gl_pathc && !*ret && !error; i++) {
		FILE *in = fopen(files.gl_pathv[i], "re");

		while (in && !*ret && !error && fgets(line, sizeof line, in))
			if (line[0] == '/')
				error = folder_try(file, line, strcspn(line, " \t\r\n"), name, ret);
		if (in)
			fclose(in);
	}
	globfree(&files);
	return error;
}

struct cprof_error *needed_library_find(const struct elf_file *file, const struct needed_libraries *needed, const char *name, char **ret)
{
	struct cprof_error *error = NULL;
	char *found = NULL;

	if (strlen(name) > 255) {
		*ret = NULL;
		return NULL;
	}
	if (!needed->runpath)
		error = list_try(file, needed->rpath, name, &found);
	if (!error && !found)
		error = list_try(file, getenv("LD_LIBRARY_PATH"), name, &found);
	if (!error && !found)
		error = list_try(file, needed->runpath, name, &found);
	if (!error && !found)
		error = configured_try(file, name, &found);
	if (!error && !found)
		error = list_try(file, "/lib:/usr/lib:/lib64:/usr/lib64", name, &found);
	if (!error)
		*ret = found;
	return error;
}
