/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why some calls of a function take longer than others: its slowest 1 % against the rest, by what the time was spent on and in which callee.
 *
 * Two passes over single calls: the first finds the exact limit (it keeps as many durations as there are slow calls), the second adds up. Only ended calls that are
 * not inside another call of the function take part. No printing.
 */
#ifndef CPROF_CALL_CAUSES_H
#define CPROF_CALL_CAUSES_H

#include "session_names.h"
#include "slots.h"

struct cause_sums { /* of a group of calls; times in ns but for wall */
	uint64_t calls, wall_ticks;
	uint64_t runq_ns, blocked_ns[CPROF_BLOCKED_COUNT], faults, switches;
	uint64_t unknown_ticks; /* of wall, in threads of which nothing is known */
};

enum { CALLS_SLOW, CALLS_REST, NR_CALL_GROUPS };

struct cause_callee { /* a direct callee, or the function itself */
	uint32_t function;      /* FUNCTION_NONE: the function itself */
	struct cause_sums sums[NR_CALL_GROUPS]; /* calls: of the callee */
};

struct slow_call {
	size_t trace;
	uint32_t thread;
	uint64_t start_ticks, ticks;
};

#define SLOW_CALLS_SHOWN 5

struct call_causes {
	uint64_t limit_ticks;   /* a slow call takes at least this */
	struct cause_sums sums[NR_CALL_GROUPS];
	struct cause_callee *callees;
	size_t nr_callees;
	struct slow_call slowest[SLOW_CALLS_SHOWN];
	size_t nr_slowest;
	bool times;             /* what the scheduler did is known of some thread */
};

struct cause_choice { /* as in session_choice; what begins outside is left out */
	const bool *const *threads; /* or NULL */
	uint64_t from_ticks, to_ticks;
};

/* wanted[function]. CPROF_ERROR_NOT_FOUND when no call of them has ended. */
struct cprof_error *call_causes_create(const struct session *session, const struct session_names *names, const bool *wanted, const struct cause_choice *choice,
				       struct call_causes **ret) CPROF_MUST_CHECK;
void call_causes_destroy(struct call_causes *causes);

#endif
