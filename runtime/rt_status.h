/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this process records, and the one line that says why not.
 *
 * A run that records without fault prints nothing. The first failure is kept, printed once (to CPROF_LOG, else to stderr if that is open), and
 * recording is off from then on; the host program goes on undisturbed.
 */
#ifndef CPROF_RT_STATUS_H
#define CPROF_RT_STATUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum rt_phase {
	RT_PHASE_NONE = 0, /* no call seen yet: no file, no memory */
	RT_PHASE_STARTING, /* one thread sets things up, with signals blocked */
	RT_PHASE_ON,
	RT_PHASE_OFF,      /* by CPROF=off, by failure, or after the end: hooks return at once */
};

extern _Atomic uint32_t rt_phase; /* enum rt_phase */

static inline bool rt_is_off(void)
{
	return atomic_load_explicit(&rt_phase, memory_order_relaxed) == RT_PHASE_OFF;
}

/*
 * The cold path of a hook must not overlap with the end of the recording: it holds, and the end waits until nobody does. Signals are blocked
 * while it is held, and no lock of the host is taken. false: recording is over (then there is nothing to release).
 */
bool rt_status_hold(void);
void rt_status_release(void);
/* After recording was switched off. false: somebody still holds after seconds. */
bool rt_status_wait_for_holders(void);
void rt_status_reset_holders(uint32_t holders); /* in a fork's child */

/* Where the line goes; NULL: stderr. The text must stay valid. */
void rt_status_set_log(const char *path);
/* "cprof: cannot <what> <path>: <reason of error>; <so>". what, path and so may be NULL; error is a positive errno or 0. Switches recording off. */
void rt_fail(const char *what, const char *path, int error, const char *so);
/* The same line without switching off: for what is lost but can be lived with. */
void rt_warn(const char *what, const char *path, int error, const char *so);

#endif
