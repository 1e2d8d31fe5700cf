/* SPDX-License-Identifier: BSD-2-Clause */
#include "output_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cprof_error *open_temporary(struct output_file *file)
{
	struct cprof_error *error;

	if (asprintf(&file->temporary, "%s.XXXXXX", file->path) < 0) {
		file->temporary = NULL;
		return &cprof_enomem;
	}
	int fd = mkstemp(file->temporary);
	if (fd < 0) {
		error = cprof_error_os(errno, file->path, "create");
		free(file->temporary);
		file->temporary = NULL;
		return error;
	}
	mode_t mask = umask(0);
	umask(mask);
	if (fchmod(fd, 0666 & ~mask) < 0 || !(file->out = fdopen(fd, "w"))) {
		error = cprof_error_os(errno, file->path, "create");
		close(fd);
		return error;
	}
	return NULL;
}

struct cprof_error *output_file_open(const char *path, struct output_file *ret)
{
	struct output_file file = { stdout, NULL, NULL };
	struct cprof_error *error = NULL;
	struct stat status;

	if (path && strcmp(path, "-") != 0) {
		file.out = NULL;
		file.path = strdup(path);
		if (!file.path)
			return &cprof_enomem;
		if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
			file.out = fopen(path, "w");
			if (!file.out)
				error = cprof_error_os(errno, path, "open");
		} else {
			error = open_temporary(&file);
		}
	}
	if (error) {
		output_file_abandon(&file);
		return error;
	}
	*ret = file;
	return NULL;
}

struct cprof_error *output_file_close(struct output_file *file)
{
	struct cprof_error *error = NULL;
	bool failed = ferror(file->out);

	errno = 0;
	if (fflush(file->out) != 0 || failed)
		error = cprof_error_os(errno ? errno : EIO, file->path, file->path ? "write" : "write to standard output");
	if (file->path && fclose(file->out) != 0 && !error)
		error = cprof_error_os(errno, file->path, "write");
	file->out = NULL;
	if (!error && file->temporary && rename(file->temporary, file->path) < 0)
		error = cprof_error_os(errno, file->path, "create");
	if (!error) {
		free(file->temporary);
		file->temporary = NULL;
	}
	output_file_abandon(file);
	return error;
}

void output_file_abandon(struct output_file *file)
{
	if (file->out && file->out != stdout)
		fclose(file->out);
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	*file = (struct output_file){ NULL, NULL, NULL };
}

struct cprof_error *output_file_end(struct output_file *file, struct cprof_error *error)
{
	if (!error)
		return output_file_close(file);
	output_file_abandon(file);
	return error;
}
