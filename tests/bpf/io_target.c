/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io FOLDER: known file I/O, each in a function of its own. Built with cprof-cc and run under cprof-record --io by io_test.sh. It prints what only it can
 * know: "file NAME DEVICE INODE", as fstat says, for each file it made.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { DIRECT_BYTES = 65536, DIRECT_TIMES = 20, LATER_BYTES = 1 << 20, LEVELS = 20 };

static char *buffer; /* aligned for direct I/O */

static void die(const char *what)
{
	fprintf(stderr, "io: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void expect(const char *what, ssize_t got, ssize_t wanted)
{
	if (got != wanted)
		die(what);
}

static int make_file(const char *name, int flags)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die(name);
	printf("file %s %u %llu\n", name, major(st.st_dev) << 20 | minor(st.st_dev), (unsigned long long)st.st_ino);
	return fd;
}

static void write_first(int fd)
{
	expect("pwrite", pwrite(fd, buffer, 1000, 0), 1000);
	expect("pwrite", pwrite(fd, buffer, 2000, 1000), 2000);
	expect("pwrite", pwrite(fd, buffer, 3000, 3000), 3000);
}

static void write_second(int fd)
{
	struct iovec parts[] = { { buffer, 5 }, { buffer, 70 } };

	expect("pwrite", pwrite(fd, buffer, 4096, 0), 4096);
	expect("writev", writev(fd, parts, 2), 75);
}

static void read_first(int fd)
{
	expect("pread", pread(fd, buffer, 4000, 0), 4000);
	expect("pread", pread(fd, buffer, 4000, 4000), 2000);
	expect("pread at the end", pread(fd, buffer, 4000, 6000), 0);
	expect("pread of nothing", pread(-1, buffer, 4000, 0), -1);
}

static void sync_first(int fd)
{
	expect("fsync", fsync(fd), 0);
	expect("fdatasync", fdatasync(fd), 0);
}

static void direct_write(int fd)
{
	for (int i = 0; i < DIRECT_TIMES; i++)
		expect("direct pwrite", pwrite(fd, buffer, DIRECT_BYTES, (off_t)i * DIRECT_BYTES), DIRECT_BYTES);
}

static void direct_sync(int fd)
{
	expect("fsync", fsync(fd), 0);
}

static void direct_read(int fd)
{
	for (int i = 0; i < DIRECT_TIMES; i++)
		expect("direct pread", pread(fd, buffer, DIRECT_BYTES, (off_t)i * DIRECT_BYTES), DIRECT_BYTES);
}

static void write_later(int fd)
{
	for (int i = 0; i < LATER_BYTES / DIRECT_BYTES; i++)
		expect("write", write(fd, buffer, DIRECT_BYTES), DIRECT_BYTES);
}

/* The kernel's own threads write what is dirty. */
static void flush_all(int fd)
{
	expect("syncfs", syncfs(fd), 0);
}

/* Files that are named by path alone. */
static void name_paths(void)
{
	if (open("no/such/file", O_RDONLY) >= 0 || mkdir("folder", 0700) || rename("folder", "renamed folder") || rmdir("renamed folder") || unlink("first"))
		die("paths");
}

/* A path of more names than are kept. */
static void write_deep(void)
{
	int fd;

	for (int i = 0; i < LEVELS; i++) {
		char name[16];

		snprintf(name, sizeof name, "level%d", i);
		if ((mkdir(name, 0700) && errno != EEXIST) || chdir(name))
			die(name);
	}
	fd = make_file("deep", 0);
	expect("write", write(fd, buffer, 17), 17);
	close(fd);
}

static void write_renamed(void)
{
	int fd = make_file("before", 0);

	expect("write", write(fd, buffer, 18), 18);
	close(fd);
	if (rename("before", "after"))
		die("rename");
	fd = open("after", O_WRONLY | O_CLOEXEC);
	expect("write", write(fd, buffer, 19), 19);
	close(fd);
}

/* Ten files one after the other: their file system gives the number of each to the next. */
static void write_in_turn(void)
{
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "turn%d", i);
		int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		expect("write", write(fd, buffer, (size_t)i + 1), i + 1);
		close(fd);
		if (unlink(name))
			die("unlink");
	}
}

static void use_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		die("pipe");
	expect("write", write(ends[1], buffer, 21), 21);
	expect("read", read(ends[0], buffer, 100), 21);
	close(ends[0]);
	close(ends[1]);
}

static void use_socket(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		die("socketpair");
	expect("write", write(ends[1], buffer, 22), 22);
	expect("send", send(ends[1], buffer, 23, 0), 23);
	expect("recv", recv(ends[0], buffer, 100, 0), 45);
	close(ends[0]);
	close(ends[1]);
}

/* Until that process sleeps in read(). */
static void await_read(pid_t reader)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/%d/syscall", (int)reader);
	for (;; nanosleep(&(struct timespec){ 0, 1000000 }, NULL)) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

		if (fd < 0 || got < 0)
			_exit(2);
		close(fd);
		text[got] = '\0';
		if (strncmp(text, "0 ", 2) == 0)
			return;
	}
}

/* A read that has to wait: its child writes 20 ms after it sees the reader asleep. */
static void read_slowly(void)
{
	int ends[2];
	pid_t reader = getpid(), child;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY); /* or it may not look at us */
	if (pipe(ends) || (child = fork()) < 0)
		die("fork");
	if (!child) {
		close(ends[0]);
		await_read(reader);
		nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
		_exit(write(ends[1], "x", 1) != 1);
	}
	expect("read", read(ends[0], buffer, 1), 1);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	int first, second, direct, later;

	if (argc != 2 || chdir(argv[1]))
		die("FOLDER");
	if (posix_memalign((void **)&buffer, 4096, DIRECT_BYTES))
		die("memory");
	memset(buffer, 'x', DIRECT_BYTES);
	first = make_file("first", 0);
	second = make_file("second", 0);
	direct = make_file("direct", O_DIRECT);
	later = make_file("later", 0);
	write_first(first);
	write_second(second);
	read_first(first);
	sync_first(first);
	expect("fsync", fsync(second), 0); /* so that nothing but the later is dirty later */
	direct_write(direct);
	direct_sync(direct);
	direct_read(direct);
	write_later(later);
	flush_all(later);
	use_pipe();
	use_socket();
	read_slowly();
	write_renamed();
	write_in_turn();
	name_paths();
	write_deep();
	return 0;
}
