/* SPDX-License-Identifier: BSD-2-Clause */
#include "fault_inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_USER_NOTIF_FLAG_CONTINUE
#define SECCOMP_USER_NOTIF_FLAG_CONTINUE 1u
#endif

/* Returns the listener's descriptor in the calling process. */
static int filter_install(int nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void child(char *const argv[], int nr, const char *stdout_path, const char *stderr_path, _Atomic int *listener)
{
	int out = open(stdout_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), err = open(stderr_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	int fd = filter_install(nr);
	if (fd >= 0) {
		*listener = fd + 2; /* 0: not yet, 1: cannot be had */
		while (*listener) /* taken */
			;
		execv(argv[0], argv);
	} else {
		*listener = 1;
	}
	_exit(127);
}

/* Is it in the library's mapping? */
static bool is_within(pid_t pid, uint64_t instruction, const char *library)
{
	char path[64], line[512];
	bool found = false;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof line, maps)) {
		unsigned long long start, end;

		found = sscanf(line, "%llx-%llx", &start, &end) == 2 && instruction >= start && instruction <= end && strstr(line, library);
	}
	if (maps)
		fclose(maps);
	return found;
}

/* In its place, through its own descriptor: half of the bytes. Returns how many, or 0. */
static long write_half(const struct seccomp_notif *notif)
{
	size_t bytes = (size_t)notif->data.args[2] / 2;
	int process = (int)syscall(SYS_pidfd_open, (pid_t)notif->pid, 0);
	int fd = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, (int)notif->data.args[0], 0);
	void *copy = malloc(bytes + 1);
	struct iovec here = { copy, bytes }, there = { (void *)(uintptr_t)notif->data.args[1], bytes };
	long written = 0;

	if (fd >= 0 && copy && process_vm_readv((pid_t)notif->pid, &here, 1, &there, 1, 0) == (ssize_t)bytes)
		written = write(fd, copy, bytes);
	free(copy);
	if (fd >= 0)
		close(fd);
	if (process >= 0)
		close(process);
	return written > 0 ? written : 0;
}

static void serve(int listener, const char *library, const struct fault *fault, unsigned *calls)
{
	struct seccomp_notif notif = { 0 };
	struct seccomp_notif_resp answer = { 0 };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notif))
		return; /* it was killed meanwhile */
	answer.id = notif.id;
	answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	if (is_within((pid_t)notif.pid, notif.data.instruction_pointer, library)) {
		++*calls;
		if (fault->nth && (*calls == fault->nth || (fault->from_there_on && *calls > fault->nth))) {
			if (fault->error == FAULT_KILL) {
				kill((pid_t)notif.pid, SIGKILL);
				return;
			}
			long half = fault->error == FAULT_SHORT ? write_half(&notif) : 0;

			if (fault->error != FAULT_SHORT)
				answer.error = -fault->error;
			answer.val = half;
			if (half || answer.error)
				answer.flags = 0;
		}
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

bool fault_inject_run(char *const argv[], const char *library, const struct fault *fault, const char *stdout_path, const char *stderr_path,
		      unsigned timeout_s, struct fault_result *ret)
{
	_Atomic int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	time_t end = time(NULL) + timeout_s;
	int listener, status = 0, theirs;
	pid_t pid = shared == MAP_FAILED ? -1 : fork();

	if (pid < 0)
		return false;
	if (!pid)
		child(argv, fault->nr, stdout_path, stderr_path, shared);
	while (!(theirs = *shared))
		usleep(50);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	listener = theirs == 1 || pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, theirs - 2, 0);
	if (pidfd >= 0)
		close(pidfd);
	if (listener < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		munmap((void *)shared, 4096);
		return false;
	}
	*shared = 0;
	*ret = (struct fault_result){ 0 };
	bool ended = false;
	while (!ended) {
		struct pollfd wait = { .fd = listener, .events = POLLIN };

		if (poll(&wait, 1, 20) > 0 && wait.revents & POLLIN)
			serve(listener, library, fault, &ret->calls);
		else if (waitpid(pid, &status, WNOHANG) == pid)
			ended = true;
		else if (time(NULL) > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			status = -1;
			ended = true;
		}
	}
	ret->status = status;
	close(listener);
	munmap((void *)shared, 4096);
	return true;
}
