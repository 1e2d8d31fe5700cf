/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --filter, --exclude, --focus and --skip-first mean for single calls, told as they begin. Sums decide the same in call_tally.c and in the views.
 */
#ifndef CPROF_CALL_CHOICE_H
#define CPROF_CALL_CHOICE_H

#include "profile.h"

struct call_choice {
	/* Of functions, by number; NULL: no such choice. */
	const bool *filter;            /* calls of these and what they call */
	const bool *exclude;           /* not these nor what they call */
	const bool *focus;             /* only these and what they call */
	uint64_t skip_first;           /* of the outermost calls of focus that begin in the range, in each thread */
	uint64_t from_ticks, to_ticks; /* calls that begin in it */
};

/* Of an open call; all zero: of whatever is outside of all calls. */
struct chosen_call {
	bool in_filter, in_focus; /* it, or what it was called by, is one of these */
	bool excluded;            /* likewise, or it is one of the skipped */
	bool in_range;
};

/* Of a call that begins in the thread that *skipped belongs to. */
struct chosen_call call_choice_begin(const struct call_choice *choice, const struct chosen_call *caller, uint32_t function, uint64_t start_ticks,
				     uint64_t *skipped);

/* The functions that options name, as a choice wants them. filter and exclude: regular expressions; focus: a name; each may be NULL. */
struct function_choice {
	bool *filter, *exclude, *focus;
};
struct cprof_error *function_choice_init(struct function_choice *chosen, const struct call_function *functions, size_t nr_functions, const char *filter,
					 const char *exclude, const char *focus) CPROF_MUST_CHECK; /* deinit also after an error */
void function_choice_deinit(struct function_choice *chosen);

#endif
