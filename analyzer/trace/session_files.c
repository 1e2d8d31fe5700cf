/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "trace_identity.h"
#include "vec.h"

struct found_file {
	char *path;
	struct trace_identity identity;
};

struct found_files {
	struct found_file *items;
	size_t nr, capacity;
};

enum { NAMED_MAX = 8 }; /* files that an error names */

/* Takes path; NULL is no memory. */
static struct cprof_error *found_add(struct found_files *found, char *path, const struct trace_identity *identity)
{
	if (!path || !vec_reserve(&found->items, &found->capacity, found->nr + 1, sizeof *found->items)) {
		free(path);
		return &cprof_enomem;
	}
	found->items[found->nr++] = (struct found_file){ path, *identity };
	return NULL;
}

static void found_deinit(struct found_files *found)
{
	for (size_t i = 0; i < found->nr; i++)
		free(found->items[i].path);
	free(found->items);
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* By start, so that who began the run is first; of equals by name. */
static int found_compare(const void *left, const void *right)
{
	const struct found_file *a = left, *b = right;

	if (a->identity.meta.start_realtime_ns != b->identity.meta.start_realtime_ns)
		return a->identity.meta.start_realtime_ns < b->identity.meta.start_realtime_ns ? -1 : 1;
	return strcmp(a->path, b->path);
}

/* A name in a folder, if it is a trace's. */
static struct cprof_error *name_take(const char *folder, const char *name, struct found_files *found)
{
	struct trace_identity identity = { 0 };
	struct cprof_error *error;
	char *path;

	if (ends_with(name, ".live") || ends_with(name, ".bpf.lz4")) /* parts of the trace they are named after */
		return NULL;
	if (asprintf(&path, "%s%s%s", folder, ends_with(folder, "/") ? "" : "/", name) < 0)
		return &cprof_enomem;
	error = trace_identify(path, &identity);
	if (!error && identity.is_trace)
		return found_add(found, path, &identity);
	free(path);
	return error;
}

/* The traces that lie in a folder, in order of their start. */
static struct cprof_error *folder_read(const char *folder, struct found_files *found)
{
	size_t nr_before = found->nr;
	struct cprof_error *error = NULL;
	struct dirent *entry;
	DIR *names = opendir(folder);

	if (!names)
		return cprof_error_os(errno, folder, "open");
	while (!error && (entry = readdir(names)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			error = name_take(folder, entry->d_name, found);
	closedir(names);
	if (found->nr > nr_before)
		qsort(found->items + nr_before, found->nr - nr_before, sizeof *found->items, found_compare);
	return error;
}

static struct cprof_error *operand_take(const char *operand, struct found_files *found)
{
	struct trace_identity identity = { 0 };
	size_t nr_before = found->nr;
	struct cprof_error *error;
	struct stat status;

	if (stat(operand, &status) == 0 && S_ISDIR(status.st_mode)) {
		error = folder_read(operand, found);
		if (!error && found->nr == nr_before)
			error = cprof_error_at(CPROF_ERROR_NOT_FOUND, operand, CPROF_NO_OFFSET, "there is no trace in this folder");
		return error;
	}
	error = trace_identify(operand, &identity); /* what is no trace will say so when it is opened */
	return error ? error : found_add(found, strdup(operand), &identity);
}

static struct cprof_error *operands_take(const char *const *operands, size_t nr_operands, struct found_files *found)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < nr_operands; i++)
		error = operand_take(operands[i], found);
	return error;
}

static void started_print(FILE *out, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char text[64];
	struct tm parts;

	if (realtime_ns && gmtime_r(&seconds, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
		fprintf(out, " (%s)", text);
}

/* Whether the file is the first of its session among those found. */
static bool begins_session(const struct found_files *found, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (trace_identity_same_session(&found->items[i].identity, &found->items[index].identity))
			return false;
	return found->items[index].identity.known;
}

/* Names one file of each session. */
static struct cprof_error *sessions_differ(const struct found_files *found)
{
	size_t sessions = 0, bytes;
	char *text = NULL;
	struct cprof_error *error;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return &cprof_enomem;
	for (size_t i = 0; i < found->nr; i++) {
		if (!begins_session(found, i) || sessions++ >= NAMED_MAX)
			continue;
		fprintf(out, "%s%s", sessions > 1 ? ", " : "", found->items[i].path);
		started_print(out, found->items[i].identity.meta.start_realtime_ns);
	}
	if (sessions > NAMED_MAX)
		fprintf(out, " and %zu more", sessions - NAMED_MAX);
	if (fclose(out) != 0) {
		free(text);
		return &cprof_enomem;
	}
	error = cprof_error_create(CPROF_ERROR_USAGE, "these are traces of %zu runs, which cannot be summed; give one of them, with --session for all its processes: %s",
				   sessions, text);
	free(text);
	return error;
}

static struct cprof_error *found_check(const struct found_files *found)
{
	const struct found_file *first = NULL;

	for (size_t i = 0; i < found->nr; i++) {
		const struct found_file *file = &found->items[i];

		if (!file->identity.known)
			continue;
		if (first && !trace_identity_same_session(&first->identity, &file->identity))
			return sessions_differ(found);
		first = first ? first : file;
		for (size_t k = 0; k < i; k++)
			if (trace_identity_same_image(&found->items[k].identity, &file->identity))
				return cprof_error_create(CPROF_ERROR_USAGE, "%s and %s are records of the same process: one is a copy, and all would be counted twice",
							  found->items[k].path, file->path);
	}
	return NULL;
}

/* Of a file's path; "." has a name of its own so that paths found beside "trace.lz4" look like it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool is_taken(const struct found_files *found, const struct trace_identity *identity)
{
	for (size_t i = 0; i < found->nr; i++)
		if (trace_identity_same_image(&found->items[i].identity, identity))
			return true;
	return false;
}

/* The others of the session in the first known file's folder: all that a run writes lies in one. */
static struct cprof_error *others_find(const struct found_files *found, struct found_files *others)
{
	struct found_files beside = { NULL, 0, 0 };
	const struct found_file *known = NULL;
	struct cprof_error *error = NULL;
	char *folder;

	for (size_t i = 0; i < found->nr && !known; i++)
		if (found->items[i].identity.known)
			known = &found->items[i];
	if (!known)
		return NULL;
	folder = folder_of(known->path);
	error = folder ? folder_read(folder, &beside) : &cprof_enomem;
	if (error && error->code == CPROF_ERROR_OS) { /* a folder that may be passed through but not read */
		cprof_error_free(error);
		error = NULL;
	}
	for (size_t i = 0; !error && i < beside.nr; i++) {
		struct found_file *file = &beside.items[i];
		const char *path = strncmp(file->path, "./", 2) == 0 && !strchr(known->path, '/') ? file->path + 2 : file->path;

		if (trace_identity_same_session(&known->identity, &file->identity) && !is_taken(found, &file->identity) && !is_taken(others, &file->identity))
			error = found_add(others, strdup(path), &file->identity);
	}
	found_deinit(&beside);
	free(folder);
	return error;
}

/* The paths become the list's. */
static struct cprof_error *paths_take(struct found_files *found, char ***paths, size_t *nr_paths)
{
	char **taken = calloc(found->nr + 1, sizeof *taken);

	if (!taken)
		return &cprof_enomem;
	for (size_t i = 0; i < found->nr; i++) {
		taken[i] = found->items[i].path;
		found->items[i].path = NULL;
	}
	*paths = taken;
	*nr_paths = found->nr;
	return NULL;
}

/* In order of start, as in a folder. */
static struct cprof_error *others_join(struct found_files *found, struct found_files *others)
{
	if (!vec_reserve(&found->items, &found->capacity, found->nr + others->nr, sizeof *found->items))
		return &cprof_enomem;
	memcpy(found->items + found->nr, others->items, others->nr * sizeof *others->items);
	found->nr += others->nr;
	others->nr = 0;
	qsort(found->items, found->nr, sizeof *found->items, found_compare);
	return NULL;
}

struct cprof_error *session_files_find(const char *const *operands, size_t nr_operands, enum session_extent extent, struct session_files *ret)
{
	struct found_files found = { NULL, 0, 0 }, others = { NULL, 0, 0 };
	struct session_files files = { 0 };
	struct cprof_error *error = operands_take(operands, nr_operands, &found);

	if (!error)
		error = found_check(&found);
	if (!error && extent != SESSION_ONLY)
		error = others_find(&found, &others);
	if (!error && others.nr && extent == SESSION_ALL)
		error = others_join(&found, &others);
	if (!error)
		error = paths_take(&found, &files.paths, &files.nr_paths);
	if (!error)
		error = paths_take(&others, &files.others, &files.nr_others);
	found_deinit(&found);
	found_deinit(&others);
	if (error)
		session_files_deinit(&files);
	else
		*ret = files;
	return error;
}

struct cprof_error *session_files_list(const char *const *operands, size_t nr_operands, struct session_files *ret)
{
	struct found_files found = { NULL, 0, 0 };
	struct session_files files = { 0 };
	struct cprof_error *error = operands_take(operands, nr_operands, &found);

	if (!error)
		error = paths_take(&found, &files.paths, &files.nr_paths);
	found_deinit(&found);
	if (!error)
		*ret = files;
	return error;
}

void session_files_deinit(struct session_files *files)
{
	for (size_t i = 0; i < files->nr_paths; i++)
		free(files->paths[i]);
	for (size_t i = 0; i < files->nr_others; i++)
		free(files->others[i]);
	free(files->paths);
	free(files->others);
	*files = (struct session_files){ 0 };
}
