/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_process.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "calls_next.h"
#include "rt_sys.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

struct calls_process *calls_process;
uint32_t calls_process_first;

/* Where that cannot be seen (no /proc) there is no other, we hope: they come with containers, which have a /proc of their own. */
static bool is_foreign(void)
{
	struct stat facts;

	return !rt_sys(SYS_newfstatat, AT_FDCWD, "/proc/self/ns/pid", &facts, 0) && facts.st_ino != calls_memory.pid_namespace;
}

static void process_register(uint32_t pid)
{
	for (uint32_t i = 0; i < calls_memory.nr_processes; i++) {
		uint32_t number = (pid + i) % calls_memory.nr_processes;
		struct cprof_calls_process *place = &calls_memory.processes[number];
		uint32_t none = 0;
		struct timespec now;

		if (!__atomic_compare_exchange_n(&place->pid, &none, pid, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		if (!calls_next.clock || calls_next.clock(CLOCK_MONOTONIC, &now))
			rt_sys(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
		place->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
		place->parent = (uint32_t)rt_sys(SYS_getppid);
		rt_sys(SYS_prctl, PR_GET_NAME, place->name);
		__atomic_store_n(&place->ready, 1, __ATOMIC_RELEASE);
		__atomic_store_n(&calls_process->place, number + 1, __ATOMIC_RELAXED);
		return;
	}
	calls_memory_count(&calls_memory.header->processes_full);
}

/* Several threads, or a handler that strikes in the middle, may come here at once: each learns who it is, one of them registers. */
uint32_t calls_process_enter(void)
{
	bool foreign = is_foreign();
	uint32_t pid = foreign ? CALLS_PROCESS_FOREIGN : (uint32_t)rt_sys(SYS_getpid);

	if (!__atomic_exchange_n(&calls_process->registered, 1, __ATOMIC_RELAXED)) {
		if (foreign) {
			calls_memory_count(&calls_memory.header->foreign);
			calls_memory_begin(0); /* here, and in its children */
		} else {
			process_register(pid);
		}
	}
	__atomic_store_n(&calls_process->pid, pid, __ATOMIC_RELEASE);
	return pid;
}

void *calls_process_memory(uint64_t bytes)
{
	void *memory = rt_memory_reserve(bytes);

	if (memory && rt_sys(SYS_madvise, memory, bytes, MADV_WIPEONFORK)) {
		rt_memory_release(memory, bytes);
		return NULL;
	}
	return memory;
}

/* Before a child of the child, by vfork, could say in its memory that it is another. */
static void after_fork_in_child(void)
{
	if (calls_memory_counts(CPROF_CALLS_IO | CPROF_CALLS_LOCKS))
		calls_process_pid();
}

bool calls_process_begin(void)
{
	calls_process = calls_process_memory(sizeof *calls_process);
	if (!calls_process)
		return false;
	calls_process_first = calls_process_enter();
	pthread_atfork(NULL, NULL, after_fork_in_child);
	return true;
}
