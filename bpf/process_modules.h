/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes had mapped: MODULES chunks with build ids, from /proc/PID/maps and the files themselves.
 *
 * A process is read when its image begins and when it registers, and again while samples of it come in: libraries come later. Only what differs
 * from the last time is written. Files and names are a stranger's.
 */
#ifndef CPROF_PROCESS_MODULES_H
#define CPROF_PROCESS_MODULES_H

#include "kernel_format.h"
#include "kernel_writer.h"
#include "record_observer.h"

struct process_modules {
	struct modules_entry *entries;
	size_t count, capacity;
	uint64_t unread;             /* images that were gone before they could be read once */
	const struct record_observer *observer; /* or NULL */
};

void process_modules_deinit(struct process_modules *modules);
/* A process was said: it began, registered or ended. */
void process_modules_note(struct process_modules *modules, const struct cprof_kernel_process *process);
/* A sample of it came. */
void process_modules_touch(struct process_modules *modules, uint32_t tgid, uint32_t generation);
/* Reads those that are new, and those touched that were not read for a while; all: every one that was touched. */
void process_modules_read(struct process_modules *modules, struct kernel_writer *writer, uint64_t now_ns, bool all);

/* What one has mapped now: an array of struct cprof_module; empty: it has gone, or may not be looked at. */
struct bytes process_modules_of(uint32_t tgid);

#endif
