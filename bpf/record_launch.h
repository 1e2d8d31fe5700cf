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
	int gate;       /* a byte lets it go: enum record_launch_kind */
	int result;     /* says the errno of a failed exec */
};

/* A write that fails is an error for us, not a death; the program gets the signals as they were. Before anything is launched. */
void record_launch_ignore_signals(void);

/* What is launched, and all that it starts, is of this session (16 bytes; CPROF_SESSION), slots or not. */
void record_launch_name_session(const uint8_t *session);

/* What a program is launched with. */
struct record_launch_given {
	const char *trace_path;
	int slots;               /* descriptor that it inherits under a number of its own (CPROF_SLOTS_FD); -1: none */
	int calls;               /* the same (CPROF_CALLS_FD), if it is let go with calls; -1: none */
	const char *calls_library; /* to be preloaded then */
	const sigset_t *mask;    /* the signal mask for it */
	const int *redirections; /* what it gets as descriptors 0, 1, 2; -1 or NULL: what we have */
};

struct cprof_error *record_launch_start(char **argv, const struct record_launch_given *given, struct record_launch *ret) CPROF_MUST_CHECK;
/* With the slots, or without BPF: with the memory for calls, if there is one. */
enum record_launch_kind { RECORD_LAUNCH_WITH_SLOTS, RECORD_LAUNCH_PLAIN, RECORD_LAUNCH_WITH_CALLS };
/* Lets it go; an error: its program could not be executed (the process has ended and been waited for). */
struct cprof_error *record_launch_go(struct record_launch *launch, enum record_launch_kind kind) CPROF_MUST_CHECK;
/* The target is not to run: it ends. */
void record_launch_abandon(struct record_launch *launch);

#endif
