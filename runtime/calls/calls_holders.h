/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which context a thread of this process is in that holds what another waits for.
 *
 * A lock says its owner's id. Each thread that takes one through us has noted where its slot is. It may be gone by now, with its memory:
 * that is read by a system call that may fail, and counts only if it says that it is that thread's.
 */
#ifndef CPROF_CALLS_HOLDERS_H
#define CPROF_CALLS_HOLDERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "calls_process.h"
#include "kernel_format.h"

extern __thread uint32_t calls_holders_noted __attribute__((tls_model("initial-exec"))); /* in the process of this pid */

bool calls_holders_begin(void); /* false: no memory */
void calls_holders_note(void);

static inline void calls_holders_note_once(void)
{
	if (unlikely(calls_holders_noted != __atomic_load_n(&calls_process->pid, __ATOMIC_RELAXED)))
		calls_holders_note();
}

/* tgid 0 in `holder`: it is not known, none, or who asks. */
void calls_holders_of_tid(uint32_t pid, uint32_t tid, struct cprof_who *holder);
void calls_holders_of_thread(uint32_t pid, pthread_t thread, struct cprof_who *holder);

#endif
