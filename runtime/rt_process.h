/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a recorded process: start at its first call, fork, and the end.
 */
#ifndef CPROF_RT_PROCESS_H
#define CPROF_RT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Starts recording if nobody has; waits for who does. Signals blocked. false: off. */
bool rt_process_start(void);
/* Is this the child of a fork in which recording has not started yet? */
bool rt_process_is_forked_child(void);
/* Can a child of a raw clone or _Fork find out that it is one? Not where the kernel refused the page that says so. */
bool rt_process_knows_children(void);
/* Starts recording in that child. Signals blocked. */
bool rt_process_start_child(void);
/* Process image: 0, then +1 with each exec. */
uint32_t rt_process_generation(void);
/* Clock reading at the fork, taken by the parent. */
uint64_t rt_process_fork_ticks(void);

/* What pthread_atfork() runs. */
void rt_process_before_fork(void);
void rt_process_after_fork_in_parent(void);
void rt_process_after_fork_in_child(void);
/* A fork by next(), which runs no handlers; or does, as libc.a's _Fork() inside of fork(): twice does no harm. */
pid_t rt_process_fork(pid_t (*next)(void));
#endif
