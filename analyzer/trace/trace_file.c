/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and positioned reading of trace files; see trace_file.h. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct cprof_error *check_kind(int fd, const char *path, uint64_t *ret_bytes)
{
	struct stat status;

	if (fstat(fd, &status))
		return cprof_error_os(errno, path, "read the size");
	if (S_ISDIR(status.st_mode))
		return cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET, "is a folder, not a trace file");
	if (!S_ISREG(status.st_mode))
		return cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET, "is not a regular file");
	*ret_bytes = (uint64_t)status.st_size;
	return NULL;
}

struct cprof_error *trace_file_open(const char *path, struct trace_file *ret)
{
	struct trace_file file = TRACE_FILE_CLOSED;

	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* must not wait for the other end of a pipe */
	if (file.fd < 0) {
		if (errno == ENOENT)
			return cprof_error_at(CPROF_ERROR_NOT_FOUND, path, CPROF_NO_OFFSET, "no such file");
		return cprof_error_os(errno, path, "open");
	}
	struct cprof_error *error = check_kind(file.fd, path, &file.bytes);

	if (!error) {
		file.path = strdup(path);
		error = file.path ? NULL : &cprof_enomem;
	}
	if (error)
		trace_file_close(&file);
	else
		*ret = file;
	return error;
}

void trace_file_close(struct trace_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	file->fd = -1;
	file->path = NULL;
}

struct cprof_error *trace_file_refresh(struct trace_file *file)
{
	return check_kind(file->fd, file->path, &file->bytes);
}

struct cprof_error *trace_file_read(const struct trace_file *file, uint64_t offset, void *ret, size_t nr_bytes)
{
	uint8_t *at = ret;

	if (offset > file->bytes || nr_bytes > file->bytes - offset)
		return cprof_error_at(CPROF_ERROR_FORMAT, file->path, offset, "%zu bytes expected, the file has %llu", nr_bytes,
				      (unsigned long long)file->bytes);
	while (nr_bytes) {
		ssize_t got = pread(file->fd, at, nr_bytes, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cprof_error_os(errno, file->path, "read");
		if (got == 0)
			return cprof_error_at(CPROF_ERROR_FORMAT, file->path, offset, "the file became shorter while it was read");
		at += got;
		offset += (uint64_t)got;
		nr_bytes -= (size_t)got;
	}
	return NULL;
}

bool trace_file_is_locked(const struct trace_file *file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(file->fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
