/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processes had mapped to run: MODULES chunks.
 *
 * A process's image is written when it begins, when it ends, and in between when something was added, not too often. Only what was not written yet goes out.
 */
#ifndef CPROF_PROCESS_MODULES_H
#define CPROF_PROCESS_MODULES_H

#include "kernel_format.h"
#include "kernel_writer.h"
#include "mapped_images.h"
#include "record_observer.h"

struct process_modules {
	struct mapped_images images;
	struct modules_entry *entries;
	size_t count, capacity;
	bool pending;                /* there may be something to write */
	bool untold;                 /* the kernel says nothing of mappings: who begins is looked at while it loads its libraries */
	uint64_t unread;             /* images of which nothing was known when they ended */
	const struct record_observer *observer; /* or NULL */
};

void process_modules_deinit(struct process_modules *modules);
/* A process will be said, or is followed from now on: its children are its as well. It runs: what it has mapped is read. */
void process_modules_expect(struct process_modules *modules, uint32_t tgid, bool runs);
/* A process was said: it began, registered or ended. */
void process_modules_note(struct process_modules *modules, const struct cprof_kernel_process *process);
/* Some of what the kernel had to say of mappings may be lost: those who live are looked at again. */
void process_modules_doubt(struct process_modules *modules);
/* Writes what is new; known_ns: up to where modules->images has been told everything, UINT64_MAX: this is the end. */
void process_modules_write(struct process_modules *modules, struct kernel_writer *writer, uint64_t now_ns, uint64_t known_ns);

/* What one has mapped now: an array of struct cprof_module; empty: it has gone, or may not be looked at. */
struct bytes process_modules_of(uint32_t tgid);

#endif
