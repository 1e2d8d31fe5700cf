/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_locate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	TEXT_BYTES_MAX = 64 * 1024 * 1024,
};

/* From the folder of the wrapper: as configured, as usual, and as in the build tree. */
static const char *const library_folders[] = {
	CPROF_LIBDIR_FROM_BINDIR, ("../lib/" CPROF_MULTIARCH), "../lib64", "../lib", "../runtime",
};

void cc_place_deinit(struct cc_place *place)
{
	free(place->self);
	free(place->shared_folder);
	free(place->static_folder);
	free(place->searched);
	*place = (struct cc_place){ 0 };
}

/* Appends folder to the list for messages. */
static bool note_searched(char **searched, const char *folder)
{
	char *longer;

	if (asprintf(&longer, "%s%s%s", *searched ? *searched : "", *searched ? ", " : "", folder) < 0)
		return false;
	free(*searched);
	*searched = longer;
	return true;
}

static bool folder_has(const char *folder, const char *file)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, file) < 0)
		return false;
	bool is_there = !access(path, R_OK);
	free(path);
	return is_there;
}

static struct cprof_error *place_look_into(struct cc_place *place, const char *folder)
{
	if (!note_searched(&place->searched, folder))
		return &cprof_enomem;
	if (!place->shared_folder && folder_has(folder, "libcprof.so") && !(place->shared_folder = strdup(folder)))
		return &cprof_enomem;
	if (!place->static_folder && folder_has(folder, "libcprof.a") && !(place->static_folder = strdup(folder)))
		return &cprof_enomem;
	return NULL;
}

static struct cprof_error *place_search(struct cc_place *place, const char *bindir)
{
	enum { NR_FOLDERS = sizeof(library_folders) / sizeof(*library_folders) };
	char folder[NR_FOLDERS][PATH_MAX];
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < NR_FOLDERS && !error; i++) {
		char unresolved[PATH_MAX + 64];
		snprintf(unresolved, sizeof(unresolved), "%s/%s", bindir, library_folders[i]);
		if (!realpath(unresolved, folder[i]))
			folder[i][0] = 0;
		bool is_new = folder[i][0];
		for (size_t other = 0; other < i; other++)
			is_new &= strcmp(folder[i], folder[other]) != 0;
		if (is_new)
			error = place_look_into(place, folder[i]);
	}
	if (!error && !place->searched && asprintf(&place->searched, "%s/../lib", bindir) < 0) {
		place->searched = NULL;
		error = &cprof_enomem;
	}
	return error;
}

struct cprof_error *cc_place_init(struct cc_place *place)
{
	struct cc_place found = { 0 };
	char bindir[PATH_MAX];
	ssize_t nr_bytes = readlink("/proc/self/exe", bindir, sizeof(bindir) - 1);

	if (nr_bytes < 0)
		return cprof_error_os(errno, "/proc/self/exe", "read");
	bindir[nr_bytes] = 0;
	found.self = strdup(bindir);
	if (!found.self)
		return &cprof_enomem;
	*strrchr(bindir, '/') = 0;
	struct cprof_error *error = place_search(&found, bindir);
	if (error)
		cc_place_deinit(&found);
	else
		*place = found;
	return error;
}

bool cc_place_is_system(const char *folder)
{
	static const char *const system_folders[] = {
		"/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib/" CPROF_MULTIARCH, "/usr/lib/" CPROF_MULTIARCH,
	};

	for (size_t i = 0; i < sizeof(system_folders) / sizeof(*system_folders); i++)
		if (!strcmp(system_folders[i], folder))
			return true;
	return false;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static bool is_self(const struct cc_place *place, const char *path)
{
	struct stat own, other;

	return !stat(place->self, &own) && !stat(path, &other) && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

/* First program of that name along PATH (or the wrapper's, if it is not to be skipped); false if there is none. */
static bool search_path(const struct cc_place *place, const char *name, bool skip_self, char *ret, size_t ret_bytes)
{
	const char *path = getenv("PATH");

	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		int nr_bytes = (int)strcspn(path, ":");
		int length = snprintf(ret, ret_bytes, "%.*s%s%s", nr_bytes, path, nr_bytes ? "/" : "./", name);
		if (length > 0 && (size_t)length < ret_bytes && is_program(ret) && !(skip_self && is_self(place, ret)))
			return true;
		if (!path[nr_bytes])
			return false;
		path += nr_bytes + 1;
	}
}

struct cprof_error *cc_locate_program(const struct cc_place *place, const char *word, char **ret_path)
{
	char path[PATH_MAX];

	if (strchr(word, '/')) {
		if (is_self(place, word))
			return cprof_error_create(CPROF_ERROR_USAGE, "%s is cprof-cc itself; let CPROF_CC and CPROF_CXX name the real compiler",
						  word);
		if (strlen(word) >= sizeof(path))
			return cprof_error_os(ENAMETOOLONG, word, "run");
		strcpy(path, word);
	} else if (!search_path(place, word, true, path, sizeof(path))) {
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "no compiler %s in PATH; let CPROF_CC and CPROF_CXX name yours", word);
	}
	char *copy = strdup(path);
	if (!copy)
		return &cprof_enomem;
	*ret_path = copy;
	return NULL;
}

bool cc_locate_is_self(const struct cc_place *place, const char *word)
{
	char path[PATH_MAX];

	if (strchr(word, '/'))
		return is_self(place, word);
	return search_path(place, word, false, path, sizeof(path)) && is_self(place, path);
}

static struct cprof_error *read_all(int file, const char *path, size_t nr_bytes, char **ret_text)
{
	char *text = malloc(nr_bytes + 1);
	size_t nr_read = 0;

	if (!text)
		return &cprof_enomem;
	while (nr_read < nr_bytes) {
		ssize_t nr = read(file, text + nr_read, nr_bytes - nr_read);
		if (nr < 0 && errno == EINTR)
			continue;
		if (nr < 0) {
			free(text);
			return cprof_error_os(errno, path, "read");
		}
		if (!nr)
			break;
		nr_read += (size_t)nr;
	}
	text[nr_read] = 0;
	*ret_text = text;
	return NULL;
}

struct cprof_error *cc_locate_read_text(const char *path, char **ret_text)
{
	struct cprof_error *error;
	struct stat st;

	if (stat(path, &st))
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "%s: no such response file", path);
	/* not even opened: whoever writes into a pipe would take us for its reader */
	if (!S_ISREG(st.st_mode))
		return cprof_error_at(CPROF_ERROR_UNSUPPORTED, path, CPROF_NO_OFFSET, "not a regular file");
	if (st.st_size > TEXT_BYTES_MAX)
		return cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET, "a response file of more than %d MiB", TEXT_BYTES_MAX >> 20);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return cprof_error_os(errno, path, "open");
	error = read_all(file, path, (size_t)st.st_size, ret_text);
	close(file);
	return error;
}
