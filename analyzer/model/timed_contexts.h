/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which context was a thread at a moment? For records of the kernel half of quality TIMED, which know their thread and time alone.
 *
 * All moments are collected first, then each thread's chunks are gone through once, and only those decoded in which a moment lies. Memory grows with the
 * number of such records. A thread that was in a coroutine then, or in a hole of its trace, was in no known context.
 */
#ifndef CPROF_TIMED_CONTEXTS_H
#define CPROF_TIMED_CONTEXTS_H

#include "session.h"

struct timed_contexts;

/* *ret is NULL where no record asks. */
struct cprof_error *timed_contexts_create(const struct session *session, struct timed_contexts **ret) CPROF_MUST_CHECK;
void timed_contexts_destroy(struct timed_contexts *contexts);

/* time_ns as when it was collected: of a sample its own, of an interval its middle. False: no trace of the session knows this thread then. contexts may be NULL. */
bool timed_contexts_find(const struct timed_contexts *contexts, const struct kernel_file *file, const struct cprof_who *who, uint64_t time_ns,
			 uint32_t *trace, uint32_t *context);
uint64_t timed_middle_ns(const struct cprof_kernel_off_cpu *off);

#endif
