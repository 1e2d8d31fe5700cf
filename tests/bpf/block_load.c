/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_load FOLDER TIMES: writes and reads around the page cache, one after the other, of 4 KiB to 1 MiB; the larger ones are several requests. Says how
 * many bytes it moved each way. block_test.sh asks cprof-record and bpftrace about the same run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEAST = 4096, SIZES = 9, AT_ONCE = LEAST << (SIZES - 1), FILE_BYTES = 32 << 20 };

static char *buffer;

static void die(const char *what)
{
	fprintf(stderr, "block_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t bytes_of(int i)
{
	return (size_t)LEAST << i % SIZES;
}

static size_t move(int fd, int times, bool out)
{
	off_t at = 0;
	size_t all = 0;

	for (int i = 0; i < times; i++, at = at + 2 * AT_ONCE > FILE_BYTES ? 0 : at + AT_ONCE) {
		if ((out ? pwrite(fd, buffer, bytes_of(i), at) : pread(fd, buffer, bytes_of(i), at)) != (ssize_t)bytes_of(i))
			die(out ? "pwrite" : "pread");
		all += bytes_of(i);
	}
	return all;
}

int main(int argc, char **argv)
{
	int fd, times;

	if (argc != 3 || chdir(argv[1]))
		die("FOLDER TIMES");
	times = atoi(argv[2]);
	fd = open("direct", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0 || posix_memalign((void **)&buffer, LEAST, AT_ONCE))
		die("direct");
	memset(buffer, 'x', AT_ONCE);
	for (off_t at = 0; at < FILE_BYTES; at += AT_ONCE) /* no hole is read, and no block is new later */
		if (pwrite(fd, buffer, AT_ONCE, at) != AT_ONCE)
			die("pwrite");
	printf("write %zu\n", FILE_BYTES + move(fd, times, true));
	printf("read %zu\n", move(fd, times, false));
	return 0;
}
