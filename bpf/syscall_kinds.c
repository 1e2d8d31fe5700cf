/* SPDX-License-Identifier: BSD-2-Clause */
/* One table by name, as in syscall_classes.c. */
#include "syscall_kinds.h"

#include <string.h>
#include <sys/syscall.h>

#include "record_shared.h"

#define MOVES  (SYSCALL_FILE_ARGUMENT | SYSCALL_TRANSFERS)
#define WRITES (MOVES | SYSCALL_WRITES)
#define NAMED  SYSCALL_FILE_ARGUMENT
#define OPENS  SYSCALL_FILE_RESULT
#define PATHS  SYSCALL_FILE_NONE

static const struct {
	uint16_t number;
	uint8_t kind;
} rows[] = {
#define ROW(name, kind) { SYS_##name, kind },
	ROW(read, MOVES) ROW(pread64, MOVES) ROW(readv, MOVES) ROW(preadv, MOVES) ROW(preadv2, MOVES) ROW(recvfrom, MOVES) ROW(recvmsg, MOVES)
	ROW(write, WRITES) ROW(pwrite64, WRITES) ROW(writev, WRITES) ROW(pwritev, WRITES) ROW(pwritev2, WRITES) ROW(sendfile, WRITES)
	ROW(sendto, MOVES) ROW(sendmsg, MOVES) ROW(copy_file_range, MOVES) ROW(splice, MOVES) ROW(getdents64, MOVES)
	ROW(fsync, NAMED) ROW(fdatasync, NAMED) ROW(sync_file_range, NAMED) ROW(syncfs, NAMED) ROW(fallocate, NAMED) ROW(ftruncate, NAMED)
	ROW(close, NAMED) ROW(connect, NAMED) ROW(recvmmsg, NAMED) ROW(sendmmsg, NAMED) ROW(io_uring_enter, NAMED) ROW(flock, NAMED)
	ROW(openat, OPENS) ROW(openat2, OPENS) ROW(accept, OPENS) ROW(accept4, OPENS)
	ROW(sync, PATHS) ROW(msync, PATHS) ROW(truncate, PATHS) ROW(unlinkat, PATHS) ROW(renameat2, PATHS) ROW(linkat, PATHS) ROW(mkdirat, PATHS)
#ifdef __x86_64__ /* the old ones that newer architectures never had */
	ROW(open, OPENS) ROW(creat, OPENS) ROW(unlink, PATHS) ROW(rename, PATHS) ROW(renameat, PATHS) ROW(link, PATHS) ROW(mkdir, PATHS)
	ROW(rmdir, PATHS)
#endif
#undef ROW
};

static const uint16_t futexes[] = { SYS_futex, 449 /* futex_waitv */, 455 /* futex_wait: newer than the headers */ };

void syscall_kinds_fill(uint8_t *kinds, size_t numbers, bool io, bool locks)
{
	memset(kinds, 0, numbers);
	for (size_t i = 0; io && i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number < numbers)
			kinds[rows[i].number] = rows[i].kind;
	for (size_t i = 0; locks && i < sizeof futexes / sizeof *futexes; i++)
		if (futexes[i] < numbers)
			kinds[futexes[i]] = SYSCALL_FUTEX;
}
