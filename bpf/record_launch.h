/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The target as a child: made before anything is attached, let go when all is. Nothing of it is missed, and if the recording
 * cannot start it can still be let go: then it runs without.
 */
#ifndef CPROF_RECORD_LAUNCH_H
#define CPROF_RECORD_LAUNCH_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

struct record_launch {
	pid_t pid;      /* 0: none */
	const char *program; /* of argv */
	int gate;       /* a byte lets it go */
	int result;     /* says the errno of a failed exec */
};

/* A write that fails is an error for us, not a death; the program gets the signals as they were. Before anything is launched. */
void record_launch_ignore_signals(void);

/* What is launched, and all that it starts, is of this session (16 bytes; CPROF_SESSION), slots or not. */
void record_launch_name_session(const uint8_t *session);

/*
 * slots: descriptor that it inherits under a number of its own (CPROF_SLOTS_FD), -1: none. mask: the signal mask for it. redirections: what it gets as
 * descriptors 0, 1, 2; -1 or NULL: what we have.
 */
struct cprof_error *record_launch_start(char **argv, const char *trace_path, int slots, const sigset_t *mask, const int *redirections,
					struct record_launch *ret) CPROF_MUST_CHECK;
/* Lets it go; an error: its program could not be executed (the process has ended and been waited for). */
struct cprof_error *record_launch_go(struct record_launch *launch) CPROF_MUST_CHECK;
/* The target is not to run: it ends. */
void record_launch_abandon(struct record_launch *launch);

#endif
