/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel half is of x86-64 machines: so are the numbers, wherever they are read. See syscall_names.h. */
#include "syscall_names.h"

#include <inttypes.h>
#include <stdio.h>

const char *syscall_name(uint32_t number)
{
	static const struct {
		uint32_t number;
		const char *name;
	} names[] = {
		{ 0, "read" }, { 1, "write" }, { 2, "open" }, { 3, "close" }, { 7, "poll" }, { 16, "ioctl" }, { 17, "pread64" }, { 18, "pwrite64" },
		{ 19, "readv" }, { 20, "writev" }, { 23, "select" }, { 24, "sched_yield" }, { 26, "msync" }, { 34, "pause" }, { 35, "nanosleep" },
		{ 40, "sendfile" }, { 42, "connect" }, { 43, "accept" }, { 44, "sendto" }, { 45, "recvfrom" }, { 46, "sendmsg" }, { 47, "recvmsg" },
		{ 56, "clone" }, { 57, "fork" }, { 58, "vfork" }, { 59, "execve" }, { 61, "wait4" }, { 73, "flock" }, { 74, "fsync" }, { 75, "fdatasync" },
		{ 76, "truncate" }, { 77, "ftruncate" }, { 82, "rename" }, { 83, "mkdir" }, { 84, "rmdir" }, { 85, "creat" }, { 86, "link" },
		{ 87, "unlink" }, { 128, "rt_sigtimedwait" }, { 130, "rt_sigsuspend" }, { 162, "sync" }, { 202, "futex" }, { 208, "io_getevents" },
		{ 217, "getdents64" }, { 230, "clock_nanosleep" }, { 232, "epoll_wait" }, { 242, "mq_timedsend" }, { 243, "mq_timedreceive" },
		{ 247, "waitid" }, { 257, "openat" }, { 258, "mkdirat" }, { 263, "unlinkat" }, { 264, "renameat" }, { 265, "linkat" },
		{ 270, "pselect6" }, { 271, "ppoll" }, { 275, "splice" }, { 276, "tee" }, { 277, "sync_file_range" }, { 278, "vmsplice" },
		{ 281, "epoll_pwait" }, { 285, "fallocate" }, { 288, "accept4" }, { 295, "preadv" }, { 296, "pwritev" }, { 299, "recvmmsg" },
		{ 306, "syncfs" }, { 307, "sendmmsg" }, { 316, "renameat2" }, { 326, "copy_file_range" }, { 327, "preadv2" }, { 328, "pwritev2" },
		{ 426, "io_uring_enter" }, { 435, "clone3" }, { 437, "openat2" }, { 441, "epoll_pwait2" }, { 449, "futex_waitv" }, { 455, "futex_wait" },
		{ 456, "futex_requeue" },
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

void syscall_text(uint32_t number, char *text, size_t bytes)
{
	const char *name = syscall_name(number);

	if (name)
		snprintf(text, bytes, "%s", name);
	else
		snprintf(text, bytes, "syscall %" PRIu32, number);
}
