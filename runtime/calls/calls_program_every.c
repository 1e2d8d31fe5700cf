/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of calls_program: each function once and more, in all its spellings: for the cases every and strace.
 */
#include "calls_program.h"

#include <dirent.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

NO_HOOKS static void mark(int number) /* for strace */
{
	syscall(SYS_getpgid, number);
}

extern ssize_t __read(int, void *, size_t), __write(int, const void *, size_t), __pread64(int, void *, size_t, off_t);
extern ssize_t __pwrite64(int, const void *, size_t, off_t), __send(int, const void *, size_t, int);
extern ssize_t __read_chk(int, void *, size_t, size_t), __pread_chk(int, void *, size_t, off_t, size_t),
	__pread64_chk(int, void *, size_t, off_t, size_t);
extern ssize_t __recv_chk(int, void *, size_t, size_t, int), __recvfrom_chk(int, void *, size_t, size_t, int, void *, socklen_t *);
extern int __open(const char *, int, ...), __open64(const char *, int, ...), __open_2(const char *, int), __open64_2(const char *, int);
extern int __openat_2(int, const char *, int), __openat64_2(int, const char *, int), __close(int), __connect(int, const void *, socklen_t);

#ifdef SYS_unlink
#define OLD(old, new) SYS_##old
#else
#define OLD(old, new) SYS_##new
#endif

NOINLINE static void opens(struct tally *tally)
{
	int fd;
#define OPENED(number, call) \
	do { \
		fd = (int)DID(number, call); \
		CHECK(fd >= 0); \
		CHECK(!DID(SYS_close, close(fd))); \
	} while (0)
	OPENED(SYS_openat, open("data", O_RDWR | O_CREAT, 0600));
	OPENED(SYS_openat, open64("data", O_RDONLY));
	OPENED(SYS_openat, __open("data", O_RDONLY));
	OPENED(SYS_openat, __open64("data", O_RDONLY));
	OPENED(SYS_openat, openat(AT_FDCWD, "data2", O_RDWR | O_CREAT | O_EXCL, 0640));
	OPENED(SYS_openat, openat64(AT_FDCWD, "data", O_RDONLY));
	OPENED(SYS_openat, __open_2("data", O_RDONLY));
	OPENED(SYS_openat, __open64_2("data", O_RDONLY));
	OPENED(SYS_openat, __openat_2(AT_FDCWD, "data", O_RDONLY));
	OPENED(SYS_openat, __openat64_2(AT_FDCWD, "data", O_RDONLY));
	OPENED(OLD(creat, openat), creat("made", 0604));
	OPENED(OLD(creat, openat), creat64("made", 0600));
	OPENED(SYS_openat, open(".", O_RDWR | O_TMPFILE, 0600));
	fd = (int)DID(SYS_openat, open("data", O_RDONLY));
	CHECK(!DID(SYS_close, __close(fd)));

	struct stat facts;
	CHECK(!stat("data2", &facts) && (facts.st_mode & 0777) == 0640);
	CHECK(!stat("made", &facts) && (facts.st_mode & 0777) == 0604);
}

NOINLINE static void moves(struct tally *tally)
{
	char text[64] = "0123456789";
	struct iovec parts[2] = { { text, 3 }, { text + 3, 4 } };
	int fd = (int)DID(SYS_openat, open("data", O_RDWR)), other = (int)DID(SYS_openat, open("data2", O_RDWR));
	off_t at = 0;

	CHECK(MOVED(SYS_write, write(fd, text, 10)) == 10 && MOVED(SYS_write, __write(fd, text, 9)) == 9);
	CHECK(MOVED(SYS_pwrite64, pwrite(fd, text, 8, 0)) == 8 && MOVED(SYS_pwrite64, pwrite64(fd, text, 7, 1)) == 7);
	CHECK(MOVED(SYS_pwrite64, __pwrite64(fd, text, 6, 1)) == 6 && MOVED(SYS_writev, writev(fd, parts, 2)) == 7);
	CHECK(MOVED(SYS_pwritev, pwritev(fd, parts, 2, 0)) == 7 && MOVED(SYS_pwritev, pwritev64(fd, parts, 2, 0)) == 7);
	CHECK(MOVED(SYS_pwritev2, pwritev2(fd, parts, 1, 0, RWF_DSYNC)) == 3 &&
	      MOVED(SYS_pwritev2, pwritev64v2(fd, parts, 1, 0, RWF_DSYNC)) == 3);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(MOVED(SYS_read, read(fd, text, 4)) == 4 && !memcmp(text, "0123", 4));
	CHECK(MOVED(SYS_read, __read(fd, text, 3)) == 3 && MOVED(SYS_read, __read_chk(fd, text, 2, 64)) == 2);
	CHECK(MOVED(SYS_read, read(fd, text, 64)) == 17); /* short */
	CHECK(MOVED(SYS_read, read(fd, text, 64)) == 0);
	CHECK(MOVED(SYS_pread64, pread(fd, text, 5, 0)) == 5 && MOVED(SYS_pread64, pread64(fd, text, 6, 0)) == 6);
	CHECK(MOVED(SYS_pread64, __pread64(fd, text, 7, 0)) == 7 && MOVED(SYS_pread64, __pread_chk(fd, text, 8, 0, 64)) == 8);
	CHECK(MOVED(SYS_pread64, __pread64_chk(fd, text, 9, 0, 64)) == 9);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(MOVED(SYS_readv, readv(fd, parts, 2)) == 7 && MOVED(SYS_preadv, preadv(fd, parts, 2, 1)) == 7);
	CHECK(MOVED(SYS_preadv, preadv64(fd, parts, 1, 1)) == 3 && MOVED(SYS_preadv2, preadv2(fd, parts, 1, 0, RWF_HIPRI)) == 3);
	CHECK(MOVED(SYS_preadv2, preadv64v2(fd, parts, 2, 0, RWF_HIPRI)) == 7);
	CHECK(MOVED(SYS_sendfile, sendfile(other, fd, &at, 10)) == 10 && MOVED(SYS_sendfile, sendfile64(other, fd, &at, 5)) == 5 &&
	      at == 15);
	CHECK(MOVED(SYS_copy_file_range, copy_file_range(fd, &at, other, NULL, 4, 0)) == 4);
	CHECK(DID(SYS_fsync, fsync(fd)) == 0 && DID(SYS_fdatasync, fdatasync(fd)) == 0 && DID(SYS_syncfs, syncfs(fd)) == 0);
	CHECK(DID(SYS_sync_file_range, sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)) == 0);
	CHECK(DID(SYS_fallocate, fallocate(fd, 0, 0, 100)) == 0 && DID(SYS_fallocate, fallocate64(fd, 0, 0, 100)) == 0);
	CHECK(DID(SYS_fallocate, posix_fallocate(fd, 0, 200)) == 0 && DID(SYS_fallocate, posix_fallocate64(fd, 0, 200)) == 0);
	CHECK(DID(SYS_ftruncate, ftruncate(fd, 50)) == 0 && DID(SYS_ftruncate, ftruncate64(fd, 40)) == 0);
	CHECK(DID(SYS_flock, flock(fd, LOCK_EX)) == 0 && DID(SYS_flock, flock(fd, LOCK_UN)) == 0);
	void *mapped = mmap(NULL, 40, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(mapped != MAP_FAILED && DID(SYS_msync, msync(mapped, 40, MS_SYNC)) == 0);
	munmap(mapped, 40);
	DID(SYS_sync, (sync(), 0));
	DID(SYS_close, close(fd));
	DID(SYS_close, close(other));
	int folder = (int)DID(SYS_openat, open(".", O_RDONLY | O_DIRECTORY));
	char entries[1024];
	CHECK(MOVED(SYS_getdents64, getdents64(folder, entries, sizeof entries)) > 0);
	DID(SYS_close, close(folder));
}

NOINLINE static void talks(struct tally *tally)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof address;
	char text[32] = "abcdefgh";
	struct iovec part = { text, 5 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct mmsghdr messages = { .msg_hdr = message };
	int listener = socket(AF_INET, SOCK_STREAM, 0), ends[2], pipes[2];

	CHECK(!bind(listener, (void *)&address, length) && !listen(listener, 4) && !getsockname(listener, (void *)&address, &length));
	for (int i = 0; i < 2; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		CHECK(!DID(SYS_connect, i ? __connect(client, (void *)&address, length) : connect(client, (void *)&address, length)));
		int server = (int)(i ? DID(SYS_accept4, accept4(listener, NULL, NULL, SOCK_CLOEXEC))
				     : DID(SYS_accept, accept(listener, NULL, NULL)));
		CHECK(server >= 0 && MOVED(SYS_sendto, send(client, text, 8, 0)) == 8 &&
		      MOVED(SYS_recvfrom, recv(server, text, 8, 0)) == 8);
		DID(SYS_close, close(client));
		DID(SYS_close, close(server));
	}
	DID(SYS_close, close(listener));
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	CHECK(MOVED(SYS_sendto, __send(ends[0], text, 7, 0)) == 7 && MOVED(SYS_recvfrom, __recv_chk(ends[1], text, 7, 32, 0)) == 7);
	CHECK(MOVED(SYS_sendto, sendto(ends[0], text, 6, 0, NULL, 0)) == 6 &&
	      MOVED(SYS_recvfrom, recvfrom(ends[1], text, 6, 0, NULL, NULL)) == 6);
	CHECK(MOVED(SYS_sendto, send(ends[0], text, 6, 0)) == 6 &&
	      MOVED(SYS_recvfrom, __recvfrom_chk(ends[1], text, 6, 32, 0, NULL, NULL)) == 6);
	CHECK(MOVED(SYS_sendmsg, sendmsg(ends[0], &message, 0)) == 5 && MOVED(SYS_recvmsg, recvmsg(ends[1], &message, 0)) == 5);
	CHECK(DID(SYS_sendmmsg, sendmmsg(ends[0], &messages, 1, 0)) == 1 &&
	      DID(SYS_recvmmsg, recvmmsg(ends[1], &messages, 1, 0, NULL)) == 1);
	DID(SYS_close, close(ends[0]));
	CHECK(MOVED(SYS_read, read(ends[1], text, 8)) == 0);
	DID(SYS_close, close(ends[1]));
	CHECK(!pipe(pipes) && MOVED(SYS_write, write(pipes[1], text, 20)) == 20);
	int fd = (int)DID(SYS_openat, open("data2", O_RDWR));
	CHECK(MOVED(SYS_splice, splice(pipes[0], NULL, fd, NULL, 12, 0)) == 12 && MOVED(SYS_read, read(pipes[0], text, 32)) == 8);
	DID(SYS_close, close(fd));
	DID(SYS_close, close(pipes[0]));
	DID(SYS_close, close(pipes[1]));
}

NOINLINE static void names(struct tally *tally)
{
	CHECK(!DID(SYS_truncate, truncate("data", 10)) && !DID(SYS_truncate, truncate64("data", 5)));
	CHECK(!DID(OLD(link, linkat), link("data", "linked")) && !DID(SYS_linkat, linkat(AT_FDCWD, "data", AT_FDCWD, "linked2", 0)));
	CHECK(!DID(OLD(rename, renameat), rename("linked", "renamed")) &&
	      !DID(SYS_renameat, renameat(AT_FDCWD, "linked2", AT_FDCWD, "renamed2")));
	CHECK(!DID(SYS_renameat2, renameat2(AT_FDCWD, "renamed", AT_FDCWD, "renamed3", RENAME_NOREPLACE)));
	CHECK(!DID(OLD(unlink, unlinkat), unlink("renamed2")) && !DID(SYS_unlinkat, unlinkat(AT_FDCWD, "renamed3", 0)));
	CHECK(!DID(OLD(mkdir, mkdirat), mkdir("folder", 0700)) && !DID(SYS_mkdirat, mkdirat(AT_FDCWD, "folder/inner", 0700)));
	CHECK(!DID(OLD(rmdir, unlinkat), rmdir("folder/inner")) && !DID(SYS_unlinkat, unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR)));
	CHECK(!DID(OLD(unlink, unlinkat), unlink("made")) && !DID(OLD(unlink, unlinkat), unlink("data2")));
}

NOINLINE static void fails(struct tally *tally)
{
	char text[8];

#define FAILS(number, call, error) \
	do { \
		errno = 0; \
		CHECK(DID(number, call) == -1 && errno == (error)); \
	} while (0)
	FAILS(SYS_openat, open("absent", O_RDONLY), ENOENT);
	FAILS(SYS_openat, open((const char *)8, O_RDONLY), EFAULT);
	FAILS(OLD(unlink, unlinkat), unlink("absent"), ENOENT);
	FAILS(OLD(unlink, unlinkat), unlink((const char *)8), EFAULT);
	FAILS(OLD(unlink, unlinkat), unlink(""), ENOENT);
	FAILS(SYS_renameat2, renameat2(AT_FDCWD, (const char *)8, AT_FDCWD, NULL, 0xffff), EINVAL); /* nobody has looked at the path */
	FAILS(SYS_unlinkat, unlinkat(AT_FDCWD, (const char *)8, 0xffff), EINVAL);
	char *endless = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(endless + 4096, 4096);
	memset(endless, 'x', 4096);
	FAILS(SYS_openat, open(endless, O_RDONLY), ENAMETOOLONG);
	FAILS(OLD(unlink, unlinkat), unlink(endless + 1), EFAULT);
	munmap(endless, 4096);
	FAILS(SYS_read, read(-1, text, 8), EBADF);
	FAILS(SYS_read, read(999, text, 8), EBADF);
	FAILS(SYS_close, close(999), EBADF);
	FAILS(SYS_accept, accept(0, NULL, NULL), ENOTSOCK);
	CHECK(DID(SYS_fallocate, posix_fallocate(999, 0, 1)) == EBADF);
	errno = 77;
	CHECK(DID(SYS_close, close((int)DID(SYS_openat, open("data", O_RDONLY)))) == 0 && errno == 77);
}

void every(void)
{
	umask(0);
	mark(77);
	opens(tally_of(0, "opens"));
	moves(tally_of(1, "moves"));
	talks(tally_of(2, "talks"));
	names(tally_of(3, "names"));
	fails(tally_of(4, "fails"));
	mark(78);
	for (int i = 0; i < 5; i++)
		say("expect", &tallies[i]);
}
