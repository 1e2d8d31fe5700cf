/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory shared with cprof-record's BPF programs (docs/trace-format.md, section 8): each thread's slot in it, or its own when there is none.
 *
 * A thread always has a struct cprof_slot: its own in TLS, which nobody but a recorder that attached reads, or an element of the recorder's map. What a
 * descriptor that was inherited leads to is looked at before it is mapped: a guest may have closed it and used its number again.
 */
#ifndef CPROF_RT_SLOTS_H
#define CPROF_RT_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "rt_thread.h"
#include "trace_format.h"

/* Looks for the recorder's map and takes over its session (16 bytes). false: not recorded, session untouched. Once, before the first thread. */
bool rt_slots_open(uint8_t *session);
/* The thread's slot, registered with the kernel half; tls->slot points to it from here on. Signals blocked. */
void rt_slots_take(struct rt_tls *tls, uint32_t tid, uint32_t generation);
/* The thread is at its end, or (fork) is another process's now: it has its own again. Signals blocked. */
void rt_slots_release(struct rt_tls *tls);
void rt_slots_forget(struct rt_tls *tls);
/* Who attaches later finds out which trace is this process's. */
void rt_slots_announce(const struct cprof_meta *meta);
/* For the SCHED chunk. false: this process was not followed. */
bool rt_slots_report(struct cprof_sched *sched);

#endif
