/* SPDX-License-Identifier: BSD-2-Clause */
#include "program_libraries.h"

#include <string.h>

#include "hook_calls.h"
#include "needed_library.h"
#include "vec.h"

static const char enter_hook[] = "__cyg_profile_func_enter";

enum { LIBRARIES_MAX = 4096 };

static bool is_known(const struct program_libraries *libraries, const char *name)
{
	for (size_t i = 0; i < libraries->nr; i++)
		if (strcmp(libraries->items[i].name, name) == 0)
			return true;
	return false;
}

static bool is_in_system(const char *path)
{
	static const char *const folders[] = { "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/" };

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (strncmp(path, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static struct cprof_error *library_add(struct program_libraries *libraries, const struct elf_file *from, const struct needed_libraries *needed, const char *name)
{
	struct library_facts library = { .is_runtime = strncmp(name, "libcprof.so", 11) == 0 };
	struct cprof_error *error;

	if (is_known(libraries, name) || libraries->nr >= LIBRARIES_MAX)
		return NULL;
	if (!vec_reserve(&libraries->items, &libraries->capacity, libraries->nr + 1, sizeof *libraries->items))
		return &cprof_enomem;
	error = needed_library_find(from, needed, name, &library.path);
	if (error)
		return error;
	library.name = strdup(name);
	if (!library.name) {
		free(library.path);
		return &cprof_enomem;
	}
	library.is_system = library.path && is_in_system(library.path);
	libraries->items[libraries->nr++] = library;
	return NULL;
}

/* What a file needs comes to the end of the list. */
static struct cprof_error *file_take(struct program_libraries *libraries, const struct elf_file *file, const struct needed_libraries *needed)
{
	struct cprof_error *error = NULL;
	const char *name;

	for (size_t i = 0; !error && (name = needed_library_name(file, i)); i++)
		error = library_add(libraries, file, needed, name);
	return error;
}

static struct cprof_error *library_look(struct program_libraries *libraries, size_t index)
{
	struct library_facts *library = &libraries->items[index];
	struct needed_libraries needed;
	struct elf_file *file;
	uint64_t address, size_bytes;
	struct cprof_error *error = elf_file_open(library->path, &file);

	if (error == &cprof_enomem)
		return error;
	if (error) { /* the loader will say so */
		cprof_error_free(error);
		return NULL;
	}
	needed_libraries_read(file, enter_hook, &needed);
	library->instrumented = needed.hook_wanted;
	library->empty_hooks = needed.hook_wanted && strncmp(needed.hook_version, "GLIBC_", 6) == 0;
	library->carries_runtime = !library->is_runtime && elf_symbol_defined(file, enter_hook, &address, &size_bytes) && elf_has_runtime_text(file);
	error = library->is_runtime ? NULL : file_take(libraries, file, &needed);
	elf_file_close(file);
	return error;
}

struct cprof_error *program_libraries_find(const struct elf_file *program, struct program_libraries *ret)
{
	struct program_libraries libraries = { NULL, 0, 0 };
	struct needed_libraries needed;
	struct cprof_error *error;

	needed_libraries_read(program, enter_hook, &needed);
	error = file_take(&libraries, program, &needed);
	for (size_t i = 0; !error && i < libraries.nr; i++)
		if (libraries.items[i].path)
			error = library_look(&libraries, i);
	if (error)
		program_libraries_deinit(&libraries);
	else
		*ret = libraries;
	return error;
}

void program_libraries_deinit(struct program_libraries *libraries)
{
	for (size_t i = 0; i < libraries->nr; i++) {
		free(libraries->items[i].name);
		free(libraries->items[i].path);
	}
	free(libraries->items);
	*libraries = (struct program_libraries){ NULL, 0, 0 };
}
