/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process this is, without a system call for each call: in memory that the kernel wipes in a forked child, whatever made it.
 *
 * A child that shares the parent's memory (vfork) is its parent here, as it is for libc.
 */
#ifndef CPROF_CALLS_PROCESS_H
#define CPROF_CALLS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "calls_memory.h"

#define CALLS_PROCESS_FOREIGN UINT32_MAX /* instead of a pid: of another pid namespace, counts nothing */

struct calls_process {
	uint32_t pid;        /* 0: a child that has not come here yet */
	uint32_t registered; /* or somebody is at it */
	uint32_t place;      /* its number in the memory + 1; 0: it has none, or not yet */
};
extern struct calls_process *calls_process;
extern uint32_t calls_process_first; /* pid of the one that began this image: others are its forked children */

/* Memory of zeros that is wiped in a forked child; NULL: none is to be had. */
void *calls_process_memory(uint64_t bytes);
/* false: there is no such memory. Registers the process. */
bool calls_process_begin(void);
uint32_t calls_process_enter(void);

static inline uint32_t calls_process_place(void)
{
	return __atomic_load_n(&calls_process->place, __ATOMIC_RELAXED);
}

/* 0: nothing is counted here. */
static inline uint32_t calls_process_pid(void)
{
	uint32_t pid = __atomic_load_n(&calls_process->pid, __ATOMIC_RELAXED);

	if (unlikely(!pid))
		pid = calls_process_enter();
	return likely(pid != CALLS_PROCESS_FOREIGN) ? pid : 0;
}

#endif
