/* SPDX-License-Identifier: BSD-2-Clause */
/* See perf_waits.h. */
#include "perf_waits.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "record_clock.h"
#include "record_shared.h"
#include "syscall_classes.h"
#include "syscall_kinds.h"

enum { LONG_NS = 5000000 };

/* "202 0x7f.. 0x80 .. sp pc"; "running" and "-1 ..": in none. */
static bool read_syscall(const struct perf_thread *thread, uint32_t *number, uint64_t *first_argument)
{
	char path[64], text[256];
	unsigned long long argument;
	long nr;

	snprintf(path, sizeof path, "/proc/%u/task/%u/syscall", thread->said.tgid, thread->said.tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, text, sizeof text - 1);

	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	if (sscanf(text, "%ld 0x%llx", &nr, &argument) != 2 || nr < 0 || nr >= (long)SYSCALL_NUMBERS)
		return false;
	*number = (uint32_t)nr;
	*first_argument = argument;
	return true;
}

/* The kernel's own number of a device: what the records of BPF programs have. */
static uint32_t kernel_device(dev_t device)
{
	return (uint32_t)(major(device) << 20 | minor(device));
}

static void file_say(struct perf_threads *threads, struct perf_thread *thread, uint64_t descriptor)
{
	struct {
		struct cprof_kernel_file head;
		char name[PATH_MAX + 8];
	} file = { .name = "" };
	char path[64];
	struct stat st;

	if (descriptor > INT_MAX)
		return;
	snprintf(path, sizeof path, "/proc/%u/fd/%u", thread->said.tgid, (unsigned)descriptor);
	ssize_t length = readlink(path, file.name, PATH_MAX);

	if (length <= 0 || stat(path, &st))
		return;
	thread->device = kernel_device(st.st_dev);
	thread->object = st.st_ino;
	file.head = (struct cprof_kernel_file){ .id = { st.st_ino, thread->device, 0 }, .path_bytes = (uint32_t)length };
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_FILES, &file, sizeof file.head + (((size_t)length + 7) & ~(size_t)7));
}

static void look(struct perf_threads *threads, struct perf_thread *thread)
{
	static uint8_t classes[SYSCALL_NUMBERS], kinds[SYSCALL_NUMBERS]; /* made once */
	uint32_t number;
	uint64_t argument;

	if (!kinds[0]) {
		syscall_classes_fill(classes, SYSCALL_NUMBERS);
		syscall_kinds_fill(kinds, SYSCALL_NUMBERS);
	}
	thread->looked_at = true;
	if (!read_syscall(thread, &number, &argument))
		return;
	thread->syscall = number;
	thread->blocked_class = classes[number];
	if ((kinds[number] & SYSCALL_FILE_MASK) == SYSCALL_FUTEX)
		thread->object = argument;
	else if ((kinds[number] & SYSCALL_FILE_MASK) == SYSCALL_FILE_ARGUMENT)
		file_say(threads, thread, argument);
	thread->look_ns = record_clock_ns(CLOCK_MONOTONIC);
}

void perf_waits_look(struct perf_threads *threads, uint64_t now_ns)
{
	for (size_t i = 0; threads->off_cpu && i < threads->nr_threads; i++) {
		struct perf_thread *thread = threads->threads[i];

		if (thread->off_since_ns && !thread->preempted && !thread->looked_at && now_ns - thread->off_since_ns >= LONG_NS)
			look(threads, thread);
	}
}
