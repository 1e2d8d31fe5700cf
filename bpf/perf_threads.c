/* SPDX-License-Identifier: BSD-2-Clause */
/* See perf_threads.h. */
#include "perf_threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "record_shared.h"
#include "vec.h"

#define NO_SYSCALL UINT32_MAX

void perf_threads_deinit(struct perf_threads *threads)
{
	for (size_t i = 0; i < threads->nr_threads; i++)
		free(threads->threads[i]);
	free(threads->threads);
	free(threads->processes);
	free(threads->stacks);
	*threads = (struct perf_threads){ .writer = NULL };
}

static struct perf_process *find_process(const struct perf_threads *threads, uint32_t tgid)
{
	for (size_t i = 0; i < threads->nr_processes; i++)
		if (threads->processes[i].said.tgid == tgid)
			return &threads->processes[i];
	return NULL;
}

/* The first whose tid is not below. */
static size_t thread_place(const struct perf_threads *threads, uint32_t tid)
{
	size_t low = 0, high = threads->nr_threads;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (threads->threads[middle]->said.tid < tid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct perf_thread *find_thread(const struct perf_threads *threads, uint32_t tid)
{
	size_t at = thread_place(threads, tid);

	return at < threads->nr_threads && threads->threads[at]->said.tid == tid ? threads->threads[at] : NULL;
}

static void process_say(struct perf_threads *threads, const struct perf_process *process)
{
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_PROCESSES, &process->said, sizeof process->said);
	process_modules_note(threads->modules, &process->said);
}

static struct perf_process *process_add(struct perf_threads *threads, uint32_t tgid, uint32_t parent, uint64_t now_ns)
{
	struct perf_process process = {
		.said = { .tgid = tgid, .pid = tgid, .parent_tgid = parent, .generation = RECORD_NO_GENERATION, .start_ns = now_ns,
			  .flags = CPROF_KERNEL_PROCESS_TIMED }
	};

	if (!vec_reserve(&threads->processes, &threads->processes_capacity, threads->nr_processes + 1, sizeof process)) {
		threads->no_memory = true;
		return NULL;
	}
	threads->processes[threads->nr_processes] = process;
	return &threads->processes[threads->nr_processes++];
}

static void look_forget(struct perf_thread *thread)
{
	thread->blocked_class = CPROF_BLOCKED_OTHER;
	thread->syscall = NO_SYSCALL;
	thread->object = thread->device = 0;
	thread->look_ns = 0;
}

static struct perf_thread *thread_add(struct perf_threads *threads, struct perf_process *process, uint32_t tid, uint64_t now_ns)
{
	size_t at = thread_place(threads, tid);
	struct perf_thread *thread = calloc(1, sizeof *thread);

	if (!thread || !vec_reserve(&threads->threads, &threads->threads_capacity, threads->nr_threads + 1, sizeof(struct perf_thread *))) {
		threads->no_memory = true;
		free(thread);
		return NULL;
	}
	thread->said = (struct cprof_kernel_thread){ .tgid = process->said.tgid, .tid = tid, .ns_tid = tid, .start_ns = now_ns,
						     .generation = process->said.generation };
	look_forget(thread);
	process->threads++;
	memmove(threads->threads + at + 1, threads->threads + at, (threads->nr_threads - at) * sizeof(struct perf_thread *));
	threads->threads[at] = thread;
	threads->nr_threads++;
	return thread;
}

void perf_threads_expect(struct perf_threads *threads, uint32_t pid, uint32_t parent)
{
	struct perf_process *process = process_add(threads, pid, parent, 0);

	if (!process)
		return;
	process->said.flags |= CPROF_KERNEL_PROCESS_TARGET;
	thread_add(threads, process, pid, 0);
}

/* "1234 (name) S ...": the name may hold anything. */
static char read_state(uint32_t pid, uint32_t tid, char *name, size_t name_bytes)
{
	char path[64], text[512];
	ssize_t got;

	snprintf(path, sizeof path, "/proc/%u/task/%u/stat", pid, tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return '\0';
	got = read(fd, text, sizeof text - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	const char *first = strchr(text, '('), *last = strrchr(text, ')');

	if (!first || !last || last < first || last[1] != ' ')
		return '\0';
	snprintf(name, name_bytes, "%.*s", (int)(last - first - 1), first + 1);
	return last[2];
}

void perf_threads_adopt(struct perf_threads *threads, uint32_t pid, uint64_t now_ns)
{
	struct perf_process *process = process_add(threads, pid, 0, now_ns);
	char path[32];
	struct dirent *entry;

	threads->from_ns = now_ns;

	if (!process)
		return;
	process->said.flags |= CPROF_KERNEL_PROCESS_TARGET;
	snprintf(path, sizeof path, "/proc/%u/task", pid);
	DIR *folder = opendir(path);

	while (folder && (entry = readdir(folder))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
		struct perf_thread *thread = tid ? thread_add(threads, process, tid, now_ns) : NULL;

		if (!thread)
			continue;
		thread->adopted = true;
		*(read_state(pid, tid, thread->said.name, sizeof thread->said.name) == 'R' ? &thread->on_since_ns : &thread->off_since_ns) = now_ns;
		look_forget(thread);
		if (tid == pid)
			memcpy(process->said.name, thread->said.name, sizeof process->said.name);
	}
	if (folder)
		closedir(folder);
	process_say(threads, process);
}

static struct cprof_who who_of(const struct perf_thread *thread)
{
	return (struct cprof_who){ .tgid = thread->said.tgid,
				   .tid = thread->said.tid,
				   .generation = (uint16_t)thread->said.generation,
				   .quality = CPROF_QUALITY_TIMED };
}

/* --- stacks --- */

static bool stack_is_new(struct perf_threads *threads, uint64_t key)
{
	if (threads->nr_stacks * 2 >= threads->stacks_capacity) {
		size_t capacity = threads->stacks_capacity ? threads->stacks_capacity * 2 : 1024;
		uint64_t *grown = calloc(capacity, sizeof *grown);

		if (!grown) { /* written twice is no harm */
			threads->no_memory = true;
			return true;
		}
		for (size_t i = 0; i < threads->stacks_capacity; i++) {
			size_t at = threads->stacks[i] & (capacity - 1);

			if (!threads->stacks[i])
				continue;
			while (grown[at])
				at = (at + 1) & (capacity - 1);
			grown[at] = threads->stacks[i];
		}
		free(threads->stacks);
		threads->stacks = grown;
		threads->stacks_capacity = capacity;
	}
	size_t at = key & (threads->stacks_capacity - 1);

	for (; threads->stacks[at]; at = (at + 1) & (threads->stacks_capacity - 1))
		if (threads->stacks[at] == key)
			return false;
	threads->stacks[at] = key;
	threads->nr_stacks++;
	return true;
}

/* The key of a stack, which is in the file then; 0: it has no frames. */
static uint64_t stack_say(struct perf_threads *threads, const uint64_t *frames, uint32_t nr, bool kernel)
{
	struct {
		struct cprof_kernel_stack head;
		uint64_t frames[CPROF_STACK_DEPTH_MAX];
	} stack = { .head = { .count = nr, .flags = kernel } };

	if (!nr || nr > CPROF_STACK_DEPTH_MAX)
		return 0;
	stack.head.key = XXH3_64bits_withSeed(frames, nr * sizeof *frames, kernel) | 1;
	if (stack_is_new(threads, stack.head.key)) {
		memcpy(stack.frames, frames, nr * sizeof *frames);
		kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_STACKS, &stack, sizeof stack.head + nr * sizeof *frames);
	}
	return stack.head.key;
}

/* --- on and off the CPU --- */

enum interval_end { INTERVAL_ENDED, INTERVAL_OPEN, INTERVAL_SO_FAR };

static void interval_say(struct perf_threads *threads, const struct perf_thread *thread, uint64_t end_ns, enum interval_end open)
{
	uint64_t ns = end_ns - thread->off_since_ns;
	struct cprof_kernel_off_cpu off = { .time_ns = thread->off_since_ns,
					    .who = who_of(thread),
					    .blocked_ns = thread->preempted ? 0 : ns,
					    .runq_ns = thread->preempted ? ns : 0,
					    .object = thread->object,
					    .device = thread->device,
					    .syscall = thread->syscall,
					    .blocked_class = thread->blocked_class,
					    .state = thread->preempted ? 0 : 1,
					    .open = (uint8_t)open };

	if (!threads->off_cpu)
		return;
	threads->intervals += open != INTERVAL_SO_FAR;
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_OFF_CPU, &off, sizeof off);
}

static void thread_leaves(struct perf_threads *threads, struct perf_thread *thread, uint64_t now_ns, bool preempted)
{
	if (thread->adopted && thread->off_since_ns) { /* it was just coming to a CPU */
		thread->on_since_ns = thread->off_since_ns;
		thread->off_since_ns = 0;
	}
	thread->adopted = false;
	threads->switches_unseen += thread->off_since_ns != 0; /* its return was lost: what it did since the last time is not known */
	if (thread->on_since_ns)
		thread->said.on_cpu_ns += now_ns - thread->on_since_ns;
	thread->on_since_ns = 0;
	thread->off_since_ns = now_ns;
	thread->preempted = preempted;
	thread->looked_at = false;
	look_forget(thread);
}

static void off_cpu_end(struct perf_threads *threads, struct perf_thread *thread, uint64_t now_ns, enum interval_end open)
{
	uint64_t ns = now_ns - thread->off_since_ns;

	if (thread->look_ns > now_ns) /* it saw the wait after this one */
		look_forget(thread);
	if (thread->preempted)
		thread->said.runq_ns += ns;
	else
		thread->said.blocked_ns[thread->blocked_class] += ns;
	interval_say(threads, thread, now_ns, open);
}

static void thread_returns(struct perf_threads *threads, struct perf_thread *thread, uint64_t now_ns)
{
	if (thread->adopted && thread->on_since_ns) { /* it could run, but had no CPU */
		thread->off_since_ns = thread->on_since_ns;
		thread->on_since_ns = 0;
		thread->preempted = true;
	}
	thread->adopted = false;
	if (thread->off_since_ns) {
		thread->said.switches++;
		off_cpu_end(threads, thread, now_ns, INTERVAL_ENDED);
	} else if (thread->on_since_ns) { /* the record of its leaving was lost */
		threads->switches_unseen++;
	}
	thread->off_since_ns = 0;
	thread->on_since_ns = now_ns;
	if (!thread->said.start_ns)
		thread->said.start_ns = now_ns;
}

/* --- life --- */

static void thread_say(struct perf_threads *threads, struct perf_thread *thread, uint64_t now_ns)
{
	if (thread->on_since_ns)
		thread->said.on_cpu_ns += now_ns - thread->on_since_ns;
	else if (thread->off_since_ns)
		off_cpu_end(threads, thread, now_ns, INTERVAL_OPEN);
	thread->said.end_ns = now_ns;
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_THREADS, &thread->said, sizeof thread->said);
}

static void thread_remove(struct perf_threads *threads, size_t at, uint64_t now_ns)
{
	struct perf_thread *thread = threads->threads[at];

	thread_say(threads, thread, now_ns);
	memmove(threads->threads + at, threads->threads + at + 1, (--threads->nr_threads - at) * sizeof(struct perf_thread *));
	free(thread);
}

static void thread_ends(struct perf_threads *threads, const struct perf_thread *thread, uint64_t now_ns)
{
	struct perf_process *process = find_process(threads, thread->said.tgid);

	thread_remove(threads, thread_place(threads, thread->said.tid), now_ns);
	if (!process || --process->threads)
		return;
	process->said.end_ns = now_ns;
	process->said.flags |= CPROF_KERNEL_PROCESS_EXITED;
	process_say(threads, process);
	*process = threads->processes[--threads->nr_processes];
}

/* All other threads have ended; whichever of them executed the new image is the process's first one from here on. */
static void image_begins(struct perf_threads *threads, const struct perf_news *news)
{
	struct perf_process *process = find_process(threads, news->tgid);
	struct perf_thread *thread;

	if (!process)
		return;
	for (size_t i = threads->nr_threads; i-- > 0;) {
		if (threads->threads[i]->said.tgid != news->tgid || threads->threads[i]->said.tid == news->tid)
			continue;
		thread_remove(threads, i, news->time_ns);
		process->threads--;
	}
	thread = find_thread(threads, news->tid);
	if (!thread)
		thread = thread_add(threads, process, news->tid, news->time_ns);
	if (!thread)
		return;
	if (thread->said.start_ns) { /* not the target's first */
		thread_say(threads, thread, news->time_ns);
		process->said.end_ns = news->time_ns;
		process_say(threads, process);
		process->image++;
	}
	process->said.generation = (RECORD_NO_GENERATION + process->image) & 0xFFFF;
	process->said.start_ns = news->time_ns;
	process->said.end_ns = 0;
	memcpy(process->said.name, news->name, sizeof process->said.name);
	process_say(threads, process);
	*thread = (struct perf_thread){ .said = { .tgid = news->tgid, .tid = news->tid, .ns_tid = news->tid, .start_ns = news->time_ns,
						  .generation = process->said.generation },
					.on_since_ns = news->time_ns,
					.syscall = NO_SYSCALL };
	memcpy(thread->said.name, news->name, sizeof thread->said.name);
}

static void thread_begins(struct perf_threads *threads, const struct perf_news *news)
{
	struct perf_process *process = find_process(threads, news->tgid), *parent = find_process(threads, news->parent_tgid);
	struct perf_thread *thread = find_thread(threads, news->tid);

	if (thread) /* adopted */
		return;
	if (!process) {
		process = process_add(threads, news->tgid, news->parent_tgid, news->time_ns);
		if (!process)
			return;
		parent = find_process(threads, news->parent_tgid);
		if (parent)
			memcpy(process->said.name, parent->said.name, sizeof process->said.name);
		process_say(threads, process);
	}
	thread = thread_add(threads, process, news->tid, news->time_ns);
	if (!thread)
		return;
	thread->off_since_ns = news->time_ns; /* until a CPU takes it */
	thread->preempted = true;
	memcpy(thread->said.name, process->said.name, sizeof thread->said.name);
}

static void sample_say(struct perf_threads *threads, struct perf_thread *thread, const struct perf_news *news, const uint64_t *frames)
{
	struct cprof_kernel_sample sample = { .time_ns = news->time_ns,
					      .who = who_of(thread),
					      .ip = news->ip,
					      .period_ns = threads->period_ns,
					      .cpu = news->cpu,
					      .flags = news->in_kernel ? CPROF_SAMPLE_KERNEL : 0 };

	thread->said.samples++;
	if (threads->max_samples && threads->samples >= threads->max_samples) {
		threads->samples_over_limit++;
		return;
	}
	threads->samples++;
	sample.kernel_stack = stack_say(threads, frames, news->nr_kernel, true);
	sample.user_stack = stack_say(threads, frames + news->nr_kernel, news->nr_user, false);
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);
}

static void fault_say(struct perf_threads *threads, struct perf_thread *thread, uint64_t time_ns)
{
	const struct cprof_kernel_fault fault = { time_ns, thread->said.tgid, thread->said.tid };

	thread->said.faults++;
	threads->faults++;
	kernel_writer_add(threads->writer, CPROF_CHUNK_KERNEL_FAULTS, &fault, sizeof fault);
}

/* The events were there before the recording began. Of that time it only counts who is born, and who of those is gone. */
static void take_before(struct perf_threads *threads, const struct perf_news *news)
{
	struct perf_thread *thread = find_thread(threads, news->tid);
	struct perf_news now = *news;

	now.time_ns = threads->from_ns;
	if (news->kind == PERF_FORKED)
		thread_begins(threads, &now);
	else if (news->kind == PERF_ENDED && thread && !thread->adopted)
		thread_ends(threads, thread, threads->from_ns);
}

void perf_threads_take(void *context, const struct perf_news *news, const uint64_t *frames)
{
	struct perf_threads *threads = context;
	struct perf_thread *thread = find_thread(threads, news->tid);

	if (news->time_ns < threads->from_ns) {
		take_before(threads, news);
		return;
	}
	if (news->kind == PERF_FORKED) {
		thread_begins(threads, news);
		return;
	}
	if (news->kind == PERF_EXECUTED) {
		image_begins(threads, news);
		return;
	}
	if (!thread || news->time_ns < thread->said.start_ns)
		return; /* its birth was lost, which is counted; or it was adopted later */
	switch (news->kind) {
	case PERF_SAMPLED:
		sample_say(threads, thread, news, frames);
		break;
	case PERF_FAULTED:
		fault_say(threads, thread, news->time_ns);
		break;
	case PERF_LEFT:
		thread_leaves(threads, thread, news->time_ns, news->preempted);
		break;
	case PERF_RETURNED:
		thread_returns(threads, thread, news->time_ns);
		break;
	case PERF_NAMED:
		memcpy(thread->said.name, news->name, sizeof thread->said.name);
		break;
	case PERF_MAPPED: /* mapped_images.h */
		break;
	default:
		thread_ends(threads, thread, news->time_ns);
	}
}

void perf_threads_say_open(struct perf_threads *threads, uint64_t until_ns)
{
	for (size_t i = 0; i < threads->nr_threads; i++)
		if (threads->threads[i]->off_since_ns && threads->threads[i]->off_since_ns < until_ns)
			interval_say(threads, threads->threads[i], until_ns, INTERVAL_SO_FAR);
}

void perf_threads_finish(struct perf_threads *threads, uint64_t now_ns)
{
	for (size_t i = 0; i < threads->nr_threads; i++)
		if (threads->threads[i]->said.start_ns)
			thread_say(threads, threads->threads[i], now_ns);
	for (size_t i = 0; i < threads->nr_processes; i++)
		if (threads->processes[i].said.start_ns)
			process_say(threads, &threads->processes[i]);
}
