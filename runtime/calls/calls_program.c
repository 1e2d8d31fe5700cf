/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls_program CASE: calls of libc's functions, counted by itself, for calls_test.sh. It works in the folder it is started in, and uses no
 * stdio while it counts.
 *
 * Prints, for each system call and function that it was made in, "expect FUNCTION NUMBER count=N bytes=N", for a child "expect-child ...",
 * and "wrong ..." where a function of libc does not do what it does without us.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))
#define NO_HOOKS __attribute__((noinline, no_instrument_function))
#define CHECK(condition) \
	do { \
		if (!(condition)) \
			wrong(#condition, __LINE__); \
	} while (0)

NO_HOOKS static void wrong(const char *what, int line)
{
	printf("wrong: line %d: %s (errno %d)\n", line, what, errno);
	fflush(stdout);
}

/* What was done, by number; the functions that count are called by one thread each. */
struct tally {
	const char *function;
	struct {
		uint64_t count, bytes;
	} of[512];
};

NO_HOOKS static long did(struct tally *tally, int number, long result, bool moves)
{
	tally->of[number].count++;
	if (moves && result > 0)
		tally->of[number].bytes += (uint64_t)result;
	return result;
}
#define MOVED(number, call) did(tally, number, call, true)
#define DID(number, call)   did(tally, number, call, false)

NO_HOOKS static void say(const char *what, const struct tally *tally)
{
	for (int i = 0; i < 512; i++)
		if (tally->of[i].count)
			printf("%s %s %d count=%llu bytes=%llu\n", what, tally->function, i, (unsigned long long)tally->of[i].count,
			       (unsigned long long)tally->of[i].bytes);
	fflush(stdout);
}

NO_HOOKS static void mark(int number) /* for strace */
{
	syscall(SYS_getpgid, number);
}

/* --- every function ------------------------------------------------------------------------------------------------------------- */

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

static struct tally tallies[8];

static struct tally *tally_of(int i, const char *function)
{
	tallies[i].function = function;
	return &tallies[i];
}

static void every(void)
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

/* --- threads, signals, processes ------------------------------------------------------------------------------------------------- */

enum { READS = 5000, THREADS = 4 };
static int shared_fd;
static pthread_barrier_t readers;

NOINLINE static void reads(struct tally *tally, int times)
{
	char byte;

	for (int i = 0; i < times; i++)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
}

static void *reader(void *argument)
{
	pthread_barrier_wait(&readers);
	reads(argument, 20 * READS); /* all add to one sum, for long enough to get into each other's way */
	return NULL;
}

static void open_shared(void)
{
	shared_fd = open("data", O_RDWR | O_CREAT, 0600);
	CHECK(write(shared_fd, "shared", 6) == 6);
}

static void threads(void)
{
	pthread_t ids[THREADS];
	static struct tally each[THREADS];

	open_shared();
	pthread_barrier_init(&readers, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&ids[i], NULL, reader, &each[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	for (int i = 1; i < THREADS; i++) {
		each[0].of[SYS_pread64].count += each[i].of[SYS_pread64].count;
		each[0].of[SYS_pread64].bytes += each[i].of[SYS_pread64].bytes;
	}
	each[0].function = "reads";
	say("expect", &each[0]);
}

/* A handler's calls: of its own context, and, without hooks, of the very sum that what it struck adds to. */
static struct tally in_handler = { .function = "handler" }, in_reads;
static int handler_fd;
static volatile sig_atomic_t is_reading;

NOINLINE static void handler(int number)
{
	struct tally *tally = &in_handler;

	(void)number;
	CHECK(MOVED(SYS_write, write(handler_fd, "xy", 2)) == 2);
}

NO_HOOKS static void handler_entry(int number)
{
	struct tally *tally = &in_reads;
	int saved = errno;
	char byte;

	if (is_reading)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
	handler(number);
	errno = saved;
}

NOINLINE static void interrupted_reads(struct tally *tally, int times)
{
	char byte;

	is_reading = 1;
	for (int i = 0; i < times; i++)
		CHECK(MOVED(SYS_pread64, pread(shared_fd, &byte, 1, 0)) == 1);
	is_reading = 0;
}

static void signals(void)
{
	struct tally *tally = tally_of(0, "interrupted_reads");
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec often = { { 0, 20000 }, { 0, 20000 } };
	timer_t timer;

	open_shared();
	handler_fd = open("/dev/null", O_WRONLY);
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handler_entry, .sa_flags = SA_RESTART }, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	interrupted_reads(tally, 80 * READS);
	timer_delete(timer);
	tally->of[SYS_pread64].count += in_reads.of[SYS_pread64].count;
	tally->of[SYS_pread64].bytes += in_reads.of[SYS_pread64].bytes;
	say("expect", tally);
	say("expect", &in_handler);
	CHECK(in_handler.of[SYS_write].count > 100 && in_reads.of[SYS_pread64].count > 100);
}

/* A child of each kind reads, in its first call and in one below it. */
NOINLINE static void child_reads(const char *what)
{
	struct tally *tally = tally_of(1, "reads");
	char byte;

	CHECK(pread(shared_fd, &byte, 1, 0) == 1);
	reads(tally, 17);
	printf("expect-child %s %d count=17 bytes=17\n", what, (int)getpid());
	fflush(stdout);
}

static void forks(void)
{
	int status;

	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	for (int kind = 0; kind < 3; kind++) {
		pid_t child = kind == 0 ? fork() : kind == 1 ? _Fork() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!child) {
			child_reads(kind == 0 ? "fork" : kind == 1 ? "_Fork" : "clone");
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
}

static void early(void)
{
	int status;
	char byte;

	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	pid_t child = fork();
	if (!child) {
		for (int i = 0; i < 3; i++)
			CHECK(pread(shared_fd, &byte, 1, 0) == 1);
		_exit(0);
	}
	printf("expect-child early %d count=3 bytes=3\n", (int)child);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void vforks(void)
{
	int status;
	struct tally *tally = tally_of(0, "vforks");
	int fd = (int)DID(SYS_openat, open("data", O_RDWR | O_CREAT, 0600));
	volatile int child_fd = fd; /* of its own, but of its parent's process here */
	pid_t child = vfork();

	if (!child) {
		_exit(write(child_fd, "from the child", 14) == 14 && close(child_fd) == 0 ? 0 : 1);
	}
	MOVED(SYS_write, 14);
	DID(SYS_close, 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(!DID(SYS_close, close(fd)));
	say("expect", tally);
}

static void execs(char **argv)
{
	open_shared();
	reads(tally_of(0, "reads"), 10);
	say("expect", &tallies[0]);
	execl(argv[0], argv[0], "exec2", NULL);
	wrong("exec", __LINE__);
}

static void killed(void)
{
	open_shared();
	reads(tally_of(0, "reads"), 1000);
	say("expect", &tallies[0]);
	raise(SIGKILL);
}

/* Closes what it inherited and uses the number again; it and its children go on. */
static void closes(char **argv)
{
	int number = atoi(getenv("CPROF_CALLS_FD")), status;
	struct tally *tally = tally_of(0, "reads");
	char text[32] = "";

	open_shared();
	reads(tally, 10);
	close(number);
	int own = open("own", O_RDWR | O_CREAT, 0600);
	CHECK(write(own, "mine", 4) == 4 && dup2(own, number) == number);
	reads(tally, 10);
	say("expect", tally);
	pid_t child = fork();
	if (!child) {
		execl(argv[0], argv[0], "exec2", NULL);
		_exit(1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(pread(number, text, sizeof text, 0) == 4 && !strcmp(text, "mine"));
}

static void rows(void) /* many files: no table is large enough */
{
	open_shared();
	for (int i = 0; i < 200; i++) {
		char path[32];

		sprintf(path, "file%d", i);
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		CHECK(write(fd, path, 4) == 4);
		close(fd);
	}
	printf("calls 602\n");
	fflush(stdout); /* and one more */
}

/* --- what libc promises ---------------------------------------------------------------------------------------------------------- */

static int cancel_pipe[2];
static sem_t cancel_semaphore;
static pthread_mutex_t cancel_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cancel_condition = PTHREAD_COND_INITIALIZER;
static int cleaned;

static void unlock(void *mutex)
{
	cleaned += !pthread_mutex_unlock(mutex);
}

static void *in_read(void *argument)
{
	char byte;

	return read(cancel_pipe[0], &byte, 1) ? argument : NULL;
}

static void *in_semaphore(void *argument)
{
	return sem_wait(&cancel_semaphore) ? argument : NULL;
}

static void *
in_free_semaphore(void *argument) /* asked to end before it comes to one that is free: that is a cancellation point all the same */
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	while (!*(volatile int *)argument)
		sched_yield();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	sem_wait(&cancel_semaphore);
	return argument;
}

static void *in_condition(void *argument)
{
	pthread_mutex_lock(&cancel_mutex);
	pthread_cleanup_push(unlock, &cancel_mutex);
	for (;;)
		pthread_cond_wait(&cancel_condition, &cancel_mutex);
	pthread_cleanup_pop(1);
	return argument;
}

static void *in_join(void *argument)
{
	pthread_join(*(pthread_t *)argument, NULL);
	return argument;
}

static void ends_by_cancellation(void *(*function)(void *), void *argument)
{
	pthread_t id;
	void *result;

	pthread_create(&id, NULL, function, argument);
	usleep(20000);
	CHECK(!pthread_cancel(id));
	CHECK(!pthread_join(id, &result) && result == PTHREAD_CANCELED);
}

static void *asleep(void *argument)
{
	usleep(300000);
	return argument;
}

static void cancels(void)
{
	pthread_t other, id;
	volatile int go = 0;
	void *result;

	CHECK(!pipe(cancel_pipe) && !sem_init(&cancel_semaphore, 0, 0));
	ends_by_cancellation(in_read, &other);
	ends_by_cancellation(in_semaphore, &other);
	ends_by_cancellation(in_condition, &other);
	CHECK(cleaned == 1 && !pthread_mutex_trylock(&cancel_mutex));
	pthread_create(&other, NULL, asleep, NULL);
	ends_by_cancellation(in_join, &other);
	CHECK(!pthread_join(other, NULL));
	sem_post(&cancel_semaphore);
	pthread_create(&id, NULL, in_free_semaphore, (void *)&go);
	pthread_cancel(id);
	go = 1;
	CHECK(!pthread_join(id, &result) && result == PTHREAD_CANCELED);
	int left;
	CHECK(!sem_getvalue(&cancel_semaphore, &left) && left == 1);
}

static void interrupt(int number)
{
	(void)number;
}

static void *interrupter(void *argument)
{
	for (int i = 0; i < 3; i++) {
		usleep(50000);
		pthread_kill(*(pthread_t *)argument, SIGUSR1);
	}
	return NULL;
}

static pthread_mutex_t *taken_mutex;
static void *dies_with_mutex(void *argument)
{
	pthread_mutex_lock(taken_mutex);
	return argument;
}

static void *posts_later(void *semaphore)
{
	usleep(50000);
	sem_post(semaphore);
	return NULL;
}

/* What the functions return in all the ways that are not success. */
static void odd(void)
{
	pthread_t self = pthread_self(), id;
	struct timespec past = { 1, 0 }, never = { 1, 2000000000 };
	pthread_mutexattr_t kind;
	pthread_mutex_t mutex, normal = PTHREAD_MUTEX_INITIALIZER;
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
	pthread_barrier_t barrier;
	sem_t semaphore;
	char byte;

	CHECK(!pipe(cancel_pipe) && !sem_init(&semaphore, 0, 0));
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = interrupt }, NULL);
	pthread_create(&id, NULL, interrupter, &self);
	errno = 0;
	CHECK(read(cancel_pipe[0], &byte, 1) == -1 && errno == EINTR);
	errno = 0;
	CHECK(sem_wait(&semaphore) == -1 && errno == EINTR);
	CHECK(pthread_join(id, NULL) == 0);
	errno = 0;
	CHECK(sem_timedwait(&semaphore, &past) == -1 && errno == ETIMEDOUT);
	CHECK(sem_timedwait(&semaphore, &never) == -1 && errno == EINVAL);
	sem_post(&semaphore);
	CHECK(sem_timedwait(&semaphore, &never) == -1 && errno == EINVAL); /* free, but libc looks at the time first */
	errno = 66;
	CHECK(!sem_wait(&semaphore) && errno == 66);
	CHECK(sem_clockwait(&semaphore, 77, &past) == -1 && errno == EINVAL);
	pthread_create(&id, NULL, posts_later, &semaphore);
	errno = 65;
	CHECK(!sem_wait(&semaphore) && errno == 65); /* it has waited, and looked before */
	CHECK(pthread_join(id, NULL) == 0);

	pthread_mutexattr_init(&kind);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && pthread_mutex_lock(&mutex) == EDEADLK && !pthread_mutex_unlock(&mutex));
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && !pthread_mutex_lock(&mutex) && !pthread_mutex_unlock(&mutex) && !pthread_mutex_unlock(&mutex));
	CHECK(pthread_mutex_unlock(&mutex) == EPERM);
	pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_NORMAL);
	pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &kind);
	CHECK(!pthread_mutex_lock(&mutex) && pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_timedlock(&mutex, &past) == ETIMEDOUT);
	CHECK(!pthread_mutex_unlock(&mutex));
	pthread_mutexattr_setprotocol(&kind, PTHREAD_PRIO_NONE);
	pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &kind);
	taken_mutex = &mutex;
	pthread_create(&id, NULL, dies_with_mutex, NULL);
	CHECK(!pthread_join(id, NULL) && pthread_mutex_lock(&mutex) == EOWNERDEAD);
	pthread_mutex_unlock(&mutex);
	CHECK(pthread_mutex_lock(&mutex) == ENOTRECOVERABLE);

	CHECK(!pthread_mutex_lock(&normal) && pthread_mutex_timedlock(&normal, &past) == ETIMEDOUT);
	CHECK(pthread_mutex_timedlock(&normal, &never) == EINVAL && pthread_mutex_clocklock(&normal, 77, &past) == EINVAL);
	CHECK(!pthread_mutex_unlock(&normal) && pthread_mutex_clocklock(&normal, 77, &past) == EINVAL);
	CHECK(pthread_mutex_timedlock(&normal, &never) == 0 && !pthread_mutex_unlock(&normal)); /* free: libc does not look */
	CHECK(!pthread_rwlock_wrlock(&lock) && pthread_rwlock_rdlock(&lock) == EDEADLK && pthread_rwlock_wrlock(&lock) == EDEADLK);
	CHECK(pthread_rwlock_timedrdlock(&lock, &never) == EINVAL && !pthread_rwlock_unlock(&lock));
	CHECK(pthread_rwlock_timedrdlock(&lock, &never) == EINVAL && pthread_rwlock_clockwrlock(&lock, 77, &past) == EINVAL);
	CHECK(!pthread_rwlock_rdlock(&lock) && pthread_rwlock_timedwrlock(&lock, &past) == ETIMEDOUT && !pthread_rwlock_unlock(&lock));
	CHECK(pthread_join(self, NULL) == EDEADLK);
	pthread_create(&id, NULL, asleep, NULL);
	CHECK(pthread_timedjoin_np(id, NULL, &past) == ETIMEDOUT && pthread_clockjoin_np(id, NULL, 77, &past) == EINVAL);
	CHECK(pthread_timedjoin_np(id, NULL, NULL) == 0);
	CHECK(!pthread_barrier_init(&barrier, NULL, 1) && pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD);
}

/* --- locks ------------------------------------------------------------------------------------------------------------------------ */

static pthread_mutex_t lock_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock_rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t lock_condition = PTHREAD_COND_INITIALIZER;
static sem_t lock_semaphore;
static pthread_barrier_t lock_barrier, lock_taken;

enum { ROUNDS = 12 };

NO_HOOKS static void waits_for_it(void)
{
	usleep(20000);
}

NOINLINE static void holds(int round)
{
	if (round < 3)
		pthread_mutex_lock(&lock_mutex);
	else if (round < 9)
		pthread_rwlock_wrlock(&lock_rwlock);
	pthread_barrier_wait(&lock_taken);
	waits_for_it();
	if (round < 3)
		pthread_mutex_unlock(&lock_mutex);
	else if (round < 9)
		pthread_rwlock_unlock(&lock_rwlock);
	else
		sem_post(&lock_semaphore);
}

static void *holder(void *argument)
{
	for (int round = 0; round < ROUNDS; round++) {
		holds(round);
		pthread_barrier_wait(&lock_taken);
	}
	return argument;
}

NOINLINE static void waits(int round)
{
	struct timespec later = { time(NULL) + 100, 0 }, much_later;

	clock_gettime(CLOCK_MONOTONIC, &much_later);
	much_later.tv_sec += 100;
	switch (round) {
	case 0: CHECK(!pthread_mutex_lock(&lock_mutex)); break;
	case 1: CHECK(!pthread_mutex_timedlock(&lock_mutex, &later)); break;
	case 2: CHECK(!pthread_mutex_clocklock(&lock_mutex, CLOCK_MONOTONIC, &much_later)); break;
	case 3: CHECK(!pthread_rwlock_rdlock(&lock_rwlock)); break;
	case 4: CHECK(!pthread_rwlock_timedrdlock(&lock_rwlock, &later)); break;
	case 5: CHECK(!pthread_rwlock_clockrdlock(&lock_rwlock, CLOCK_MONOTONIC, &much_later)); break;
	case 6: CHECK(!pthread_rwlock_wrlock(&lock_rwlock)); break;
	case 7: CHECK(!pthread_rwlock_timedwrlock(&lock_rwlock, &later)); break;
	case 8: CHECK(!pthread_rwlock_clockwrlock(&lock_rwlock, CLOCK_MONOTONIC, &much_later)); break;
	case 9: CHECK(!sem_wait(&lock_semaphore)); break;
	case 10: CHECK(!sem_timedwait(&lock_semaphore, &later)); break;
	case 11: CHECK(!sem_clockwait(&lock_semaphore, CLOCK_MONOTONIC, &much_later)); break;
	}
}

NOINLINE static void waits_for_conditions(void)
{
	struct timespec past = { 1, 0 };

	pthread_mutex_lock(&lock_mutex);
	CHECK(pthread_cond_timedwait(&lock_condition, &lock_mutex, &past) == ETIMEDOUT);
	CHECK(pthread_cond_clockwait(&lock_condition, &lock_mutex, CLOCK_MONOTONIC, &past) == ETIMEDOUT);
	pthread_mutex_unlock(&lock_mutex);
}

NOINLINE static void joins(void)
{
	pthread_t id;

	pthread_create(&id, NULL, asleep, NULL);
	usleep(100000); /* it has begun */
	CHECK(!pthread_join(id, NULL));
}

NOINLINE static void meets(void)
{
	pthread_barrier_wait(&lock_barrier);
}

static void *meets_later(void *argument)
{
	waits_for_it();
	meets();
	return argument;
}

NOINLINE static void does_not_wait(void)
{
	pthread_t id;

	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock_mutex);
		pthread_mutex_unlock(&lock_mutex);
		pthread_rwlock_rdlock(&lock_rwlock);
		pthread_rwlock_unlock(&lock_rwlock);
		sem_post(&lock_semaphore);
		sem_wait(&lock_semaphore);
	}
	pthread_create(&id, NULL, meets_later, NULL);
	pthread_barrier_wait(&lock_barrier);
	usleep(100000);
	pthread_join(id, NULL);
}

static void locks(void)
{
	pthread_t id;

	open_shared();
	sem_init(&lock_semaphore, 0, 0);
	pthread_barrier_init(&lock_taken, NULL, 2);
	pthread_barrier_init(&lock_barrier, NULL, 2);
	pthread_create(&id, NULL, holder, NULL);
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&lock_taken);
		waits(round);
		if (round < 3)
			pthread_mutex_unlock(&lock_mutex);
		else if (round < 9)
			pthread_rwlock_unlock(&lock_rwlock);
		pthread_barrier_wait(&lock_taken);
	}
	pthread_join(id, NULL);
	waits_for_conditions();
	joins();
	does_not_wait();
	printf("lock waits 1 3 holds\nlock waits 2 6 holds\nlock waits 4 3 -\nlock waits_for_conditions 3 2 -\nlock joins 5 1 asleep\n"
	       "lock does_not_wait 0 1 -\n");
	fflush(stdout);
}

/* --- the recorder ----------------------------------------------------------------------------------------------------------------- */

static void stops(void) /* the recorder says that it has ended when we ask it to */
{
	sigset_t answer;
	int number;

	open_shared();
	sigemptyset(&answer);
	sigaddset(&answer, SIGUSR2);
	sigprocmask(SIG_BLOCK, &answer, NULL);
	reads(tally_of(0, "reads"), 10);
	kill(getppid(), SIGUSR1);
	sigwait(&answer, &number);
	say("expect", &tallies[0]);
	reads(tally_of(1, "reads"), 10);
}

/* The program is the one without cprof, its plug-in the one with it. */
static void late(char **argv)
{
	char path[4096];
	void (*plugin)(int);

	open_shared();
	snprintf(path, sizeof path, "%s.so", argv[0]);
	void *loaded = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	CHECK(loaded);
	*(void **)&plugin = dlsym(loaded, "plugin_reads");
	plugin(shared_fd);
	printf("expect plugin_reads %d count=5 bytes=5\n", SYS_pread64);
}

static void renames(void)
{
	open_shared();
	close(shared_fd);
	rename("data", "other");
	close(open("other", O_RDONLY));
	unlink("other");
	int fd = memfd_create("nameless", 0);
	CHECK(write(fd, "x", 1) == 1);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = { { "every", every },   { "threads", threads }, { "signals", signals }, { "forks", forks },     { "early", early },
		      { "vforks", vforks }, { "killed", killed },   { "rows", rows },       { "cancels", cancels }, { "odd", odd },
		      { "locks", locks },   { "stops", stops },     { "renames", renames } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (!strcmp(cases[i].name, name)) {
			cases[i].run();
			return 0;
		}
	}
	if (!strcmp(name, "execs")) {
		execs(argv);
	} else if (!strcmp(name, "late")) {
		late(argv);
	} else if (!strcmp(name, "closes")) {
		closes(argv);
	} else if (!strcmp(name, "exec2")) {
		open_shared();
		reads(tally_of(0, "reads"), 23);
		printf("expect-child exec %d count=23 bytes=23\n", (int)getpid());
		return 0;
	} else {
		return 2;
	}
	return 0;
}
