/* SPDX-License-Identifier: BSD-2-Clause */
/* One table by name, so that it holds on every architecture; what an architecture or its headers do not have is left out. */
#include "syscall_classes.h"

#include <sys/syscall.h>

#include "slots.h"

static const struct {
	uint16_t number;
	uint8_t class;
} rows[] = {
#define ROW(name, word) { SYS_##name, CPROF_BLOCKED_##word },
	ROW(futex, FUTEX)
#ifdef SYS_futex_waitv
	ROW(futex_waitv, FUTEX)
#endif
	{ 455, CPROF_BLOCKED_FUTEX }, /* futex_wait: one number everywhere, newer than the headers */
	{ 456, CPROF_BLOCKED_FUTEX }, /* futex_requeue */
	ROW(read, FILE) ROW(write, FILE) ROW(pread64, FILE) ROW(pwrite64, FILE) ROW(readv, FILE) ROW(writev, FILE)
	ROW(preadv, FILE) ROW(pwritev, FILE) ROW(preadv2, FILE) ROW(pwritev2, FILE) ROW(sendfile, FILE) ROW(splice, FILE) ROW(tee, FILE)
	ROW(vmsplice, FILE) ROW(copy_file_range, FILE) ROW(fsync, FILE) ROW(fdatasync, FILE) ROW(sync, FILE) ROW(syncfs, FILE)
	ROW(sync_file_range, FILE) ROW(msync, FILE) ROW(fallocate, FILE) ROW(ftruncate, FILE) ROW(truncate, FILE) ROW(openat, FILE)
	ROW(openat2, FILE) ROW(close, FILE) ROW(getdents64, FILE) ROW(renameat2, FILE) ROW(unlinkat, FILE) ROW(flock, FILE) ROW(io_uring_enter, FILE)
	ROW(recvfrom, FILE) ROW(recvmsg, FILE) ROW(recvmmsg, FILE) ROW(sendto, FILE) ROW(sendmsg, FILE) ROW(sendmmsg, FILE) ROW(accept, FILE)
	ROW(accept4, FILE) ROW(connect, FILE) ROW(mq_timedreceive, FILE) ROW(mq_timedsend, FILE)
	ROW(ppoll, POLL) ROW(pselect6, POLL) ROW(epoll_pwait, POLL)
#ifdef SYS_epoll_pwait2
	ROW(epoll_pwait2, POLL)
#endif
	ROW(io_getevents, POLL)
	ROW(nanosleep, SLEEP) ROW(clock_nanosleep, SLEEP)
#ifdef __x86_64__ /* the old ones that newer architectures never had */
	ROW(poll, POLL) ROW(select, POLL) ROW(epoll_wait, POLL) ROW(open, FILE) ROW(creat, FILE) ROW(rename, FILE) ROW(unlink, FILE)
#endif
#undef ROW
};

void syscall_classes_fill(uint8_t *classes, size_t numbers)
{
	for (size_t i = 0; i < numbers; i++)
		classes[i] = CPROF_BLOCKED_OTHER;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number < numbers)
			classes[rows[i].number] = rows[i].class;
}
