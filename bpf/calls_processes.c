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

enum { IMAGES_MAX = 4096, COUNTS_OPEN_MAX = 256 };

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

static struct calls_process *process_find(const struct calls_processes *processes, uint32_t pid)
{
	for (size_t i = 0; i < processes->nr_processes; i++)
		if (processes->processes[i].pid == pid)
			return &processes->processes[i];
	return NULL;
}

static void process_add(struct calls_processes *processes, uint32_t pid)
{
	struct calls_process process = { .pid = pid, .counts = -1 };
	char path[32];

	if (!vec_reserve(&processes->processes, &processes->processes_capacity, processes->nr_processes + 1, sizeof *processes->processes))
		return;
	snprintf(path, sizeof path, "/proc/%u/io", pid);
	if (processes->nr_processes < COUNTS_OPEN_MAX)
		process.counts = open(path, O_RDONLY | O_CLOEXEC);
	processes->processes[processes->nr_processes++] = process;
}

/* Those that came since the last time; the memory has room for so many, so that a stranger cannot make us grow. */
static void processes_look(struct calls_processes *processes)
{
	for (uint32_t i = 0; i < processes->memory->layout.nr_processes; i++) {
		const struct cprof_calls_process *place = calls_memfd_process(processes->memory, i);
		uint32_t pid = __atomic_load_n(&place->ready, __ATOMIC_ACQUIRE) ? __atomic_load_n(&place->pid, __ATOMIC_RELAXED) : 0;

		if (pid && !process_find(processes, pid) && processes->nr_processes <= processes->memory->layout.nr_processes)
			process_add(processes, pid);
	}
}

void calls_processes_count(struct calls_processes *processes, const struct cprof_kernel_sum_key *key, uint64_t calls)
{
	struct calls_process *process = key->kind == CPROF_SUM_SYSCALL ? process_find(processes, key->who.tgid) : NULL;

	if (!process)
		return;
	switch (key->sub) { /* those that the kernel counts as such: what goes through its read and write of a file */
	case SYS_read:
	case SYS_pread64:
	case SYS_readv:
	case SYS_preadv:
	case SYS_preadv2:
		process->seen.reads += calls;
		break;
	case SYS_write:
	case SYS_pwrite64:
	case SYS_writev:
	case SYS_pwritev:
	case SYS_pwritev2:
		process->seen.writes += calls;
		break;
	case SYS_sendfile:
	case SYS_copy_file_range:
		process->seen.reads += calls;
		process->seen.writes += calls;
		break;
	}
}

static bool read_counts(int fd, struct calls_counts *ret)
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

static void process_read(struct calls_process *process)
{
	if (process->counts < 0)
		return;
	if (read_counts(process->counts, &process->kernel)) {
		process->counted = process->is_new = true;
		return;
	}
	close(process->counts);
	process->counts = -1;
}

void calls_processes_read(struct calls_processes *processes)
{
	processes_look(processes);
	for (size_t i = 0; i < processes->nr_processes; i++)
		process_read(&processes->processes[i]);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void calls_processes_compare(struct calls_processes *processes)
{
	for (size_t i = 0; i < processes->nr_processes; i++) {
		struct calls_process *process = &processes->processes[i];

		if (!process->is_new)
			continue;
		process->is_new = false; /* some were made between the two: those count as not seen yet */
		process->seen_then.reads = smaller(process->seen.reads, process->kernel.reads);
		process->seen_then.writes = smaller(process->seen.writes, process->kernel.writes);
	}
}

void calls_processes_target_ends(struct calls_processes *processes)
{
	struct calls_process *process = process_find(processes, processes->target);

	if (process)
		process_read(process);
}

void calls_processes_init(const struct calls_memfd *memory, struct kernel_writer *writer, uint32_t target, bool alone, struct calls_processes *ret)
{
	*ret = (struct calls_processes){ .memory = memory, .writer = writer, .alone = alone, .target = target };
	process_add(ret, target);
}

void calls_processes_deinit(struct calls_processes *processes)
{
	for (size_t i = 0; i < processes->nr_processes; i++)
		if (processes->processes[i].counts >= 0)
			close(processes->processes[i].counts);
	free(processes->processes);
	free(processes->images);
	*processes = (struct calls_processes){ .memory = NULL };
}

struct calls_tally calls_processes_tally(const struct calls_processes *processes)
{
	struct calls_tally tally = { .uncounted = 0 };

	for (size_t i = 0; i < processes->nr_processes; i++) {
		const struct calls_process *process = &processes->processes[i];

		tally.counted += process->counted;
		tally.uncounted += !process->counted;
		tally.kernel.reads += process->kernel.reads;
		tally.kernel.writes += process->kernel.writes;
		tally.seen.reads += process->seen_then.reads;
		tally.seen.writes += process->seen_then.writes;
	}
	return tally;
}
