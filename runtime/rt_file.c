/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "rt_sys.h"

enum { HIGH_FD = 700 }; /* above what programs count on, below the usual soft limit of 1024 */

static long move_up(long fd)
{
	if (fd < 0 || fd >= HIGH_FD)
		return fd;
	long high = rt_sys(SYS_fcntl, fd, F_DUPFD_CLOEXEC, HIGH_FD);
	if (high < 0)
		return fd; /* RLIMIT_NOFILE is small: stay where we are */
	rt_sys(SYS_close, fd);
	return high;
}

long rt_file_open_new(const char *path, int flags)
{
	return move_up(rt_sys(SYS_openat, AT_FDCWD, path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
}

bool rt_file_identity(long fd, uint64_t *device, uint64_t *inode)
{
	struct stat st;

	*device = *inode = 0;
	if (rt_sys(SYS_fstat, fd, &st))
		return false;
	*device = st.st_dev;
	*inode = st.st_ino;
	return true;
}

bool rt_file_fd_is(long fd, uint64_t device, uint64_t inode)
{
	struct stat st;

	return fd >= 0 && !rt_sys(SYS_fstat, fd, &st) && st.st_dev == device && st.st_ino == inode;
}

long rt_file_reopen(const char *path, int flags, uint64_t device, uint64_t inode)
{
	long fd = move_up(rt_sys(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC | O_NOFOLLOW, 0));

	if (fd >= 0 && !rt_file_fd_is(fd, device, inode)) {
		rt_sys(SYS_close, fd);
		return -ENOENT;
	}
	return fd;
}

bool rt_file_is(const char *path, uint64_t device, uint64_t inode)
{
	struct stat st;

	return !rt_sys(SYS_newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) && st.st_dev == device && st.st_ino == inode;
}

void rt_file_close(long fd, uint64_t device, uint64_t inode)
{
	if (rt_file_fd_is(fd, device, inode))
		rt_sys(SYS_close, fd);
}

static bool xfsz_is_pending(void)
{
	uint64_t pending = 0;

	rt_sys(SYS_rt_sigpending, &pending, sizeof pending);
	return pending & 1ull << (SIGXFSZ - 1);
}

/* The kernel sends SIGXFSZ along with EFBIG; it is ours to take, unless the host had one pending already. */
static void take_xfsz(bool was_pending)
{
	uint64_t set = 1ull << (SIGXFSZ - 1);
	struct timespec now = { 0, 0 };

	if (!was_pending)
		rt_sys(SYS_rt_sigtimedwait, &set, NULL, &now, sizeof set);
}

long rt_file_allocate(long fd, uint64_t offset, uint64_t bytes)
{
	static const char zeros[4096];
	bool pending = xfsz_is_pending();
	long ret;

	do {
		ret = rt_sys(SYS_fallocate, fd, 0, offset, bytes);
	} while (ret == -EINTR);
	if (ret == -EOPNOTSUPP || ret == -ENOSYS) { /* a file system without it: write the zeros */
		for (ret = 0; bytes && !ret;) {
			long put = rt_sys(SYS_pwrite64, fd, zeros, bytes < sizeof zeros ? bytes : sizeof zeros, offset);

			if (put > 0) {
				offset += (uint64_t)put;
				bytes -= (uint64_t)put;
			} else if (put != -EINTR) {
				ret = put ? put : -ENOSPC;
			}
		}
	}
	if (ret == -EFBIG)
		take_xfsz(pending);
	return ret;
}

long rt_file_write(long fd, const void *data, size_t bytes, size_t *written)
{
	bool pending = xfsz_is_pending();

	*written = 0;
	while (*written < bytes) {
		long put = rt_sys(SYS_write, fd, (const char *)data + *written, bytes - *written);

		if (put > 0) {
			*written += (size_t)put;
		} else if (put != -EINTR) {
			if (put == -EFBIG)
				take_xfsz(pending);
			return put ? put : -ENOSPC;
		}
	}
	return 0;
}
