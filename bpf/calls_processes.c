/* SPDX-License-Identifier: BSD-2-Clause */
/* See calls_processes.h. */
#include "calls_processes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_format.h"
#include "record_shared.h"
#include "vec.h"

enum { IMAGES_MAX = 16384 };

/* --- images --- */

/* Where the library says what it knows of an image: that of its number, else the newest of the process. false: nowhere. */
static bool place_find(const struct calls_processes *processes, uint32_t pid, uint32_t generation, struct cprof_calls_process *ret)
{
	bool found = false;

	for (uint32_t i = 0; i < processes->memory->layout.nr_processes; i++) {
		const struct cprof_calls_process *at = calls_memfd_process(processes->memory, i);
		struct cprof_calls_process place;

		if (!__atomic_load_n(&at->ready, __ATOMIC_ACQUIRE))
			continue;
		memcpy(&place, at, sizeof place);
		if (place.pid != pid || (found && place.start_ns < ret->start_ns))
			continue;
		*ret = place;
		found = true;
		if (generation == CPROF_GENERATION_CALLS + i)
			break;
	}
	return found;
}

static struct cprof_kernel_process *image_find(const struct calls_processes *processes, const struct cprof_who *who)
{
	for (size_t i = 0; i < processes->nr_images; i++)
		if (processes->images[i].said.tgid == who->tgid && processes->images[i].said.generation == who->generation)
			return &processes->images[i].said;
	return NULL;
}

static void image_say(const struct calls_processes *processes, const struct cprof_kernel_process *image)
{
	kernel_writer_add(processes->writer, CPROF_CHUNK_KERNEL_PROCESSES, image, sizeof *image);
}

void calls_processes_note(struct calls_processes *processes, const struct cprof_who *who)
{
	struct cprof_kernel_process image = { .tgid = who->tgid, .pid = who->tgid, .generation = who->generation, .flags = CPROF_KERNEL_PROCESS_CALLS };
	struct cprof_calls_process place;
	bool has_trace = !(who->generation & RECORD_NO_GENERATION);

	/* Perf events say the process of a trace themselves, and it is found by that. */
	if (image_find(processes, who) || (has_trace && !processes->alone))
		return;
	if (processes->nr_images >= IMAGES_MAX ||
	    !vec_reserve(&processes->images, &processes->images_capacity, processes->nr_images + 1, sizeof *processes->images)) {
		processes->unsaid++;
		return;
	}
	if (place_find(processes, who->tgid, who->generation, &place)) {
		image.parent_tgid = place.parent;
		image.start_ns = place.start_ns;
		memcpy(image.name, place.name, sizeof image.name - 1);
	}
	image.flags |= has_trace ? CPROF_KERNEL_PROCESS_RUNTIME : 0;
	image.flags |= who->tgid == processes->target ? CPROF_KERNEL_PROCESS_TARGET : 0;
	processes->images[processes->nr_images++].said = image;
	image_say(processes, &image);
}

/* --- what the kernel counts --- */

void calls_processes_count(struct calls_processes *processes, const struct cprof_kernel_sum_key *key, uint64_t calls)
{
	if (key->kind != CPROF_SUM_SYSCALL)
		return;
	switch (key->sub) { /* those that the kernel counts as such: what goes through its read and write of a file */
	case SYS_read:
	case SYS_pread64:
	case SYS_readv:
	case SYS_preadv:
	case SYS_preadv2:
		processes->seen.reads += calls;
		break;
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_pwritev2:
		processes->seen.writes += calls;
		break;
	case SYS_sendfile:
	case SYS_copy_file_range:
		processes->seen.reads += calls;
		processes->seen.writes += calls;
		break;
	}
}

static int counts_open(uint32_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%u/io", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool counts_read(int fd, struct calls_counts *ret)
{
	char text[512];
	const char *reads, *writes;
	ssize_t got = pread(fd, text, sizeof text - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	reads = strstr(text, "syscr: ");
	writes = strstr(text, "syscw: ");
	if (!reads || !writes)
		return false;
	*ret = (struct calls_counts){ strtoull(reads + 7, NULL, 10), strtoull(writes + 7, NULL, 10) };
	return true;
}

void calls_processes_ask(struct calls_processes *processes)
{
	if (counts_read(processes->target_counts, &processes->kernel))
		processes->asked = true;
}

/* Of one that is not the target: what it does it has not been waited for. One that has ended is in its parent's, or nobody's. */
static void add_running(uint32_t pid, struct calls_counts *sum)
{
	struct calls_counts own;
	int fd = counts_open(pid);

	if (fd < 0)
		return;
	if (counts_read(fd, &own)) {
		sum->reads += own.reads;
		sum->writes += own.writes;
	}
	close(fd);
}

static int compare_pids(const void *left, const void *right)
{
	const uint32_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* In order; several images of one process are there several times. */
static size_t list_pids(const struct calls_memfd *memory, uint32_t *pids)
{
	size_t nr = 0;

	for (uint32_t i = 0; i < memory->layout.nr_processes; i++)
		if (__atomic_load_n(&calls_memfd_process(memory, i)->ready, __ATOMIC_ACQUIRE))
			pids[nr++] = __atomic_load_n(&calls_memfd_process(memory, i)->pid, __ATOMIC_RELAXED);
	if (nr)
		qsort(pids, nr, sizeof *pids, compare_pids);
	return nr;
}

struct calls_tally calls_processes_tally(const struct calls_processes *processes)
{
	struct calls_tally tally = { .asked = processes->asked, .kernel = processes->kernel, .seen = processes->seen };
	uint32_t *pids = calloc(processes->memory->layout.nr_processes, sizeof *pids);
	size_t nr = pids ? list_pids(processes->memory, pids) : 0;

	for (size_t i = 0; i < nr; i++) {
		if (i && pids[i] == pids[i - 1])
			continue;
		tally.processes++;
		if (pids[i] != processes->target)
			add_running(pids[i], &tally.kernel);
	}
	free(pids);
	return tally;
}

/* --- life --- */

void calls_processes_init(const struct calls_memfd *memory, struct kernel_writer *writer, uint32_t target, bool alone, struct calls_processes *ret)
{
	*ret = (struct calls_processes){ .memory = memory, .writer = writer, .alone = alone, .target = target, .target_counts = counts_open(target) };
}

void calls_processes_deinit(struct calls_processes *processes)
{
	if (processes->target_counts >= 0)
		close(processes->target_counts);
	free(processes->images);
	*processes = (struct calls_processes){ .target_counts = -1 };
}
