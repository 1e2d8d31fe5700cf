/* SPDX-License-Identifier: BSD-2-Clause */
/* See record_launch.h. */
#include "record_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_library.h"

/* What these did before we ignored them: so they are for the program. */
static struct {
	struct sigaction pipe, file_size;
} launch_signals;

void record_launch_ignore_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, &launch_signals.pipe);
	sigaction(SIGXFSZ, &ignore, &launch_signals.file_size);
}

void record_launch_name_session(const uint8_t *session)
{
	char text[2 * 16 + 1];

	for (size_t i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", session[i]);
	setenv("CPROF_SESSION", text, 1);
}

/* As high as the limit allows: shells and daemons use and close the low numbers. */
static int high_descriptor(int descriptor)
{
	struct rlimit limit = { .rlim_cur = 256 };

	getrlimit(RLIMIT_NOFILE, &limit);
	for (rlim_t wanted = limit.rlim_cur > 1024 ? 1024 : limit.rlim_cur; wanted > 16; wanted--) {
		int fd = fcntl(descriptor, F_DUPFD, (int)wanted - 1);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* Inherited under a number of its own, which the variable says; -1: it is not. */
static bool give_descriptor(const char *variable, int descriptor)
{
	char number[16];
	int fd = descriptor >= 0 ? high_descriptor(descriptor) : -1;

	unsetenv(variable);
	if (fd < 0)
		return false;
	snprintf(number, sizeof number, "%d", fd);
	setenv(variable, number, 1);
	return true;
}

/* Where programs find it whose parents close what they inherited: with us. */
static void give_path(const char *variable, int descriptor)
{
	char path[48];

	snprintf(path, sizeof path, "/proc/%d/fd/%d", getppid(), descriptor);
	setenv(variable, path, 1);
}

static void child_environment(const struct record_launch_given *given, enum record_launch_kind kind)
{
	setenv("CPROF_OUTPUT", given->trace_path, 0);
	give_descriptor("CPROF_SLOTS_FD", kind == RECORD_LAUNCH_WITH_SLOTS ? given->slots : -1);
	unsetenv("CPROF_CALLS_PATH");
	if (!give_descriptor("CPROF_CALLS_FD", kind == RECORD_LAUNCH_WITH_CALLS ? given->calls : -1))
		return;
	give_path("CPROF_CALLS_PATH", given->calls);
	guest_library_preload(given->calls_library);
}

static void child_run(char **argv, const struct record_launch_given *given, int gate, int result)
{
	const int *redirections = given->redirections;
	char go;
	int error;

	if (read(gate, &go, 1) != 1)
		_exit(127); /* the recorder is gone or has given up */
	child_environment(given, (enum record_launch_kind)go);
	for (int fd = 0; redirections && fd <= STDERR_FILENO; fd++)
		if (redirections[fd] >= 0 && dup2(redirections[fd], fd) < 0)
			_exit(127);
	sigaction(SIGPIPE, &launch_signals.pipe, NULL);
	sigaction(SIGXFSZ, &launch_signals.file_size, NULL);
	sigprocmask(SIG_SETMASK, given->mask, NULL);
	execvp(argv[0], argv);
	error = errno;
	if (write(result, &error, sizeof error) != sizeof error)
		_exit(127);
	_exit(error == ENOENT ? 127 : 126);
}

struct cprof_error *record_launch_start(char **argv, const struct record_launch_given *given, struct record_launch *ret)
{
	int gate[2], result[2];

	if (pipe2(gate, O_CLOEXEC))
		return cprof_error_os(errno, NULL, "make a pipe");
	if (pipe2(result, O_CLOEXEC)) {
		struct cprof_error *error = cprof_error_os(errno, NULL, "make a pipe");

		close(gate[0]);
		close(gate[1]);
		return error;
	}
	fflush(NULL);
	pid_t pid = fork();

	if (!pid) {
		close(gate[1]);
		close(result[0]);
		child_run(argv, given, gate[0], result[1]);
	}
	int error = errno;

	close(gate[0]);
	close(result[1]);
	*ret = (struct record_launch){ pid, argv[0], gate[1], result[0] };
	if (pid > 0)
		return NULL;
	ret->pid = 0;
	record_launch_abandon(ret);
	return cprof_error_os(error, NULL, "fork");
}

struct cprof_error *record_launch_go(struct record_launch *launch, enum record_launch_kind kind)
{
	const char go = (char)kind;
	int error = 0;
	ssize_t got;

	if (write(launch->gate, &go, 1) != 1)
		error = errno;
	do {
		got = read(launch->result, &error, sizeof error);
	} while (got < 0 && errno == EINTR);
	close(launch->gate);
	close(launch->result);
	launch->gate = launch->result = -1;
	if (got != sizeof error)
		return NULL;
	waitpid(launch->pid, NULL, 0);
	launch->pid = 0;
	return cprof_error_os(error, launch->program, "execute the program");
}

void record_launch_abandon(struct record_launch *launch)
{
	if (launch->gate >= 0)
		close(launch->gate);
	if (launch->result >= 0)
		close(launch->result);
	launch->gate = launch->result = -1;
	if (launch->pid)
		waitpid(launch->pid, NULL, 0);
	launch->pid = 0;
}
