/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>

#include "rt_file.h"
#include "rt_sys.h"

_Atomic uint32_t rt_phase;
static const char *log_path;
static _Atomic uint32_t said;
static _Atomic uint32_t holders;

/* Dekker: each side writes its word before it reads the other's. */
bool rt_status_hold(void)
{
	atomic_fetch_add(&holders, 1);
	if (atomic_load(&rt_phase) != RT_PHASE_OFF)
		return true;
	atomic_fetch_sub(&holders, 1);
	return false;
}

void rt_status_release(void)
{
	atomic_fetch_sub(&holders, 1);
}

bool rt_status_wait_for_holders(void)
{
	enum { PAUSE_NS = 100000, PAUSES = 50000 };

	for (int i = 0; atomic_load(&holders); i++) {
		struct timespec pause = { 0, PAUSE_NS };

		if (i == PAUSES)
			return false;
		rt_sys(SYS_nanosleep, &pause, NULL);
	}
	return true;
}

void rt_status_reset_holders(uint32_t count)
{
	atomic_store(&holders, count);
}

void rt_status_set_log(const char *path)
{
	log_path = path;
}

static const char *error_name(int error)
{
	switch (error) { /* strerror() may allocate and is not async-signal-safe */
	case ENOSPC:
		return "no space left on device";
	case EDQUOT:
		return "disk quota exceeded";
	case EFBIG:
		return "file size limit reached";
	case EACCES:
		return "permission denied";
	case EPERM:
		return "operation not permitted";
	case ENOENT:
		return "no such file or directory";
	case ENOTDIR:
		return "not a directory";
	case EISDIR:
		return "is a directory";
	case EROFS:
		return "read-only file system";
	case EMFILE:
		return "too many open files";
	case ENFILE:
		return "too many open files in the system";
	case ENOMEM:
		return "not enough memory";
	case ELOOP:
		return "is a symbolic link";
	case EIO:
		return "input/output error";
	case EBADF:
		return "its descriptor was closed by the program";
	case ENAMETOOLONG:
		return "name too long";
	default:
		return NULL;
	}
}

static uint64_t stderr_device, stderr_inode;

/* A program may close its standard error and get the number for a file of its own, which is no place for our line. */
__attribute__((constructor(101))) static void status_constructor(void)
{
	rt_file_identity(2, &stderr_device, &stderr_inode);
}

static bool is_still_stderr(void)
{
	return stderr_inode && rt_file_fd_is(2, stderr_device, stderr_inode);
}

/* Neither blocks (a pipe that nobody empties) nor kills (one that nobody reads). */
static void line_write(long fd, const char *line, size_t length)
{
	const uint64_t pipe_signal = 1ull << (SIGPIPE - 1);
	struct pollfd ready = { .fd = (int)fd, .events = POLLOUT };
	struct timespec now = { 0, 0 };
	uint64_t mask = rt_signals_block(), pending = 0;

	if (rt_sys(SYS_ppoll, &ready, 1, &now, NULL, 0) == 1 && ready.revents & POLLOUT) {
		rt_sys(SYS_rt_sigpending, &pending, sizeof pending);
		if (rt_sys(SYS_write, fd, line, length) == -EPIPE && !(pending & pipe_signal))
			rt_sys(SYS_rt_sigtimedwait, &pipe_signal, NULL, &now, sizeof pipe_signal);
	}
	rt_signals_restore(mask);
}

static void say(const char *what, const char *path, int error, const char *so)
{
	char line[1024];
	size_t length = rt_text_append(line, 0, sizeof line, "cprof: ");
	const char *name = error_name(error);
	long fd = 2;

	if (what) {
		length = rt_text_append(line, length, sizeof line, "cannot ");
		length = rt_text_append(line, length, sizeof line, what);
	}
	if (path) {
		length = rt_text_append(line, length, sizeof line, " ");
		length = rt_text_append(line, length, sizeof line, path);
	}
	if (error) {
		length = rt_text_append(line, length, sizeof line, ": ");
		length = name ? rt_text_append(line, length, sizeof line, name) : rt_text_append(line, length, sizeof line, "error ");
		if (!name)
			length = rt_text_append_number(line, length, sizeof line, (uint64_t)error);
	}
	if (so) {
		length = rt_text_append(line, length, sizeof line, what || path ? "; " : "");
		length = rt_text_append(line, length, sizeof line, so);
	}
	length = rt_text_append(line, length, sizeof line - 1, "\n");
	if (log_path)
		fd = rt_sys(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		fd = 2;
	if (fd != 2 || is_still_stderr())
		line_write(fd, line, length);
	if (fd != 2)
		rt_sys(SYS_close, fd);
}

static bool is_first(void)
{
	uint32_t no = 0;

	return atomic_compare_exchange_strong(&said, &no, 1);
}

void rt_fail(const char *what, const char *path, int error, const char *so)
{
	atomic_store(&rt_phase, RT_PHASE_OFF);
	if (is_first())
		say(what, path, error, so);
}

void rt_warn(const char *what, const char *path, int error, const char *so)
{
	if (is_first())
		say(what, path, error, so);
}
