/* SPDX-License-Identifier: BSD-2-Clause */
/* What --thread and --time choose of a session. */
#ifndef CPROF_SESSION_CHOICE_H
#define CPROF_SESSION_CHOICE_H

#include "session.h"

struct session_choice {
	uint64_t start_ticks, end_ticks; /* the first clock pair of the run, and its end */
	double hz;                       /* 0: unknown */
	uint64_t from_ticks, to_ticks;   /* to UINT64_MAX: no end */
	bool **threads;                  /* [trace][thread]; NULL: all */
	size_t nr_threads;               /* that are chosen */
};

/* threads and time: the options' values, or NULL. A list that names no thread of the session is an error. */
struct cprof_error *session_choice_init(struct session_choice *choice, const struct session *session, const char *threads, const char *time) CPROF_MUST_CHECK;
void session_choice_deinit(struct session_choice *choice, const struct session *session);

#endif
