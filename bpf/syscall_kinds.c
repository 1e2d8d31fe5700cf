/* SPDX-License-Identifier: BSD-2-Clause */
/* One table by name, as in syscall_classes.c. */
#include "syscall_kinds.h"

#include <string.h>
#include <sys/syscall.h>

#include "record_shared.h"

#define MOVES  (SYSCALL_FILE_ARGUMENT | SYSCALL_TRANSFERS)
#define WRITES (MOVES | SYSCALL_WRITES)
#define NAMED  SYSCALL_FILE_ARGUMENT
#define NEW    SYSCALL_FILE_RESULT
#define OPEN   (SYSCALL_FILE_RESULT | SYSCALL_PATH_FIRST)
#define OPENAT (SYSCALL_FILE_RESULT | SYSCALL_PATH_SECOND)
#define PATH   (SYSCALL_FILE_NONE | SYSCALL_PATH_FIRST)
#define PATHAT (SYSCALL_FILE_NONE | SYSCALL_PATH_SECOND)
#define NONE   SYSCALL_FILE_NONE

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
	ROW(openat, OPENAT) ROW(openat2, OPENAT) ROW(accept, NEW) ROW(accept4, NEW)
	ROW(truncate, PATH) ROW(unlinkat, PATHAT) ROW(renameat2, PATHAT) ROW(linkat, PATHAT) ROW(mkdirat, PATHAT) ROW(sync, NONE) ROW(msync, NONE)
	{ SYS_futex, SYSCALL_FUTEX }, { 449, SYSCALL_FUTEX } /* futex_waitv */, { 455, SYSCALL_FUTEX } /* futex_wait: newer than the headers */,
#ifdef __x86_64__ /* the old ones that newer architectures never had */
	ROW(open, OPEN) ROW(creat, OPEN) ROW(unlink, PATH) ROW(rename, PATH) ROW(link, PATH) ROW(mkdir, PATH) ROW(rmdir, PATH) ROW(renameat, PATHAT)
#endif
#undef ROW
};

void syscall_kinds_fill(uint8_t *kinds, size_t numbers)
{
	memset(kinds, 0, numbers);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number < numbers)
			kinds[rows[i].number] = rows[i].kind;
}
