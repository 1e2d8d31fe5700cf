/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A daemon: two forks, every descriptor closed, the folder left; the numbers are used again for files of its own, in which nothing of ours may turn
 * up. Its calls, enough for many blocks, are in a trace where the program was started.
 *
 * calls: main=1 become_daemon=1 serve=1 request=200003
 * tree: [nodes | select(.name == "request") | .calls] | add == 200003
 * info: .clean_exit
 * traces: 2
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sink;

static struct {
	volatile pid_t daemon;
	volatile int wrong;
} *shared;

__attribute__((noinline)) static void request(void)
{
	sink++;
}

__attribute__((noinline)) static int serve(void)
{
	struct stat status;
	int own[8];

	/* Closed in the middle of the recording. */
	for (int i = 0; i < 50000; i++)
		request();
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	if (chdir("/"))
		return 1;
	for (int i = 0; i < 8; i++) {
		char name[] = "/tmp/cprof-daemon-XXXXXX";

		own[i] = mkstemp(name);
		unlink(name);
	}
	for (int i = 0; i < 150003; i++)
		request();
	for (int i = 0; i < 8; i++)
		if (fstat(own[i], &status) || status.st_size)
			shared->wrong = 1;
	return 0;
}

__attribute__((noinline)) static int become_daemon(void)
{
	pid_t child = fork();

	if (child) {
		waitpid(child, NULL, 0);
		return 0;
	}
	setsid();
	if (fork())
		_exit(0);
	shared->daemon = getpid();
	exit(serve());
}

int main(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	become_daemon();
	while (!shared->daemon || !kill(shared->daemon, 0) || errno != ESRCH)
		usleep(1000);
	return shared->wrong;
}
