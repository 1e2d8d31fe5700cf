/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why threads wait, where no BPF program says it: the system call that a thread which has not come back for a while is in, from /proc/PID/task/TID/syscall, and the
 * file behind its descriptor. A look, not a trace: waits shorter than the time between two looks have no reason.
 */
#ifndef CPROF_PERF_WAITS_H
#define CPROF_PERF_WAITS_H

#include "perf_threads.h"

/* Looks once at each wait that has lasted long enough by now. A look at a thread that has moved on since is void: perf_threads.c sees to that. */
void perf_waits_look(struct perf_threads *threads, uint64_t now_ns);

#endif
