/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_output.h. */
#include "live_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void live_output_init(struct live_output *output)
{
	*output = (struct live_output){ { -1, -1, -1 }, -1, -1, -1, 0 };
}

static int file_without_name(void)
{
	const char *folder = getenv("TMPDIR");
	char path[4096];
	int fd;

	folder = folder && *folder ? folder : "/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof path, "%s/cprof-record-XXXXXX", folder);
	fd = mkostemp(path, O_APPEND | O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

struct cprof_error *live_output_open(struct live_output *output)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (!isatty(fd))
			continue;
		if (output->file < 0)
			output->file = file_without_name();
		if (output->file < 0)
			return cprof_error_os(errno, NULL, "make a file for the program's output");
		output->terminal = fd;
		output->redirections[fd] = output->file;
	}
	if (isatty(STDIN_FILENO)) {
		output->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		output->redirections[STDIN_FILENO] = output->null;
	}
	return NULL;
}

void live_output_close(struct live_output *output)
{
	if (output->file >= 0)
		close(output->file);
	if (output->null >= 0)
		close(output->null);
	live_output_init(output);
}

void live_output_show(struct live_output *output)
{
	char bytes[8192];
	ssize_t got;

	while (output->file >= 0 && (got = pread(output->file, bytes, sizeof bytes, (off_t)output->shown_bytes)) > 0) {
		ssize_t written = write(output->terminal, bytes, (size_t)got);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		output->shown_bytes += (uint64_t)written;
	}
}
