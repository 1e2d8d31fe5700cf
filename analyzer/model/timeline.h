/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads over time, depth as rows, in bounded memory: long calls one by one, short ones merged.
 *
 * A call that takes at least resolution_ticks is an item of its own, exact. Shorter ones that follow each other closely in a row are one item, a
 * run, that knows how many they are, how long they took together, and which function took most of it. The resolution starts at a tick
 * and grows by a quarter whenever there are more items than wanted, so the result depends on the calls alone. No call is ever left out of a run's sums.
 */
#ifndef CPROF_TIMELINE_H
#define CPROF_TIMELINE_H

#include "call_stream.h"
#include "session_names.h"

enum { TIMELINE_SHARES = 4 };

struct timeline_share { /* of a run: at least so much of it was this function's */
	uint32_t function;
	uint64_t ticks;
};

struct timeline_item {
	uint64_t start_ticks, end_ticks;
	uint64_t busy_ticks;   /* time in its calls; end - start where there is one call */
	uint64_t calls;
	uint32_t id;           /* of its call if there is one, else of the longest; names the call site */
	enum call_end end;     /* where there is one call */
	uint64_t longest_ticks;
	struct timeline_share shares[TIMELINE_SHARES]; /* most first; function FUNCTION_NONE: unused */
};

struct timeline_row { /* in order of time, not overlapping */
	struct timeline_item *items;
	size_t nr_items, capacity;
};

struct timeline_mark { /* where something is missing */
	uint64_t ticks, lost_events; /* 0: a hole */
};

enum { TIMELINE_MAX_MARKS = 1000 }; /* of each thread */

struct timeline_thread {
	size_t trace;
	uint32_t thread;
	struct timeline_row *rows;  /* by depth */
	size_t nr_rows, rows_capacity;
	struct timeline_mark *marks;
	size_t nr_marks, marks_capacity;
	uint64_t calls;             /* that reach into the range */
};

struct timeline_options {
	const bool *const *threads; /* [trace][thread]; NULL: all */
	size_t max_threads;         /* threads with calls beyond that are only counted */
	size_t max_rows;            /* of a thread: deeper calls are only counted */
	size_t max_items;           /* at least four times as many as there may be rows */
	uint64_t from_ticks, to_ticks; /* calls that reach into it */
	void (*progress)(void *context, uint64_t done, uint64_t all); /* or NULL; of event blocks */
	void *progress_context;
};

struct timeline {
	struct timeline_thread *threads;
	size_t nr_threads, threads_capacity;
	size_t nr_items;
	size_t max_rows;                  /* as asked for */
	uint64_t resolution_ticks;
	uint64_t first_ticks, last_ticks; /* of what is in it, within the range asked for; first > last: nothing is */
	uint64_t calls, merged_calls;     /* in the rows; of these, in runs */
	uint64_t inherited_calls;         /* in the rows: made before a fork, by the parent */
	uint64_t hidden_threads, deep_calls;
};

struct cprof_error *timeline_create(const struct session *session, const struct session_names *names, const struct timeline_options *options,
				    struct timeline **ret) CPROF_MUST_CHECK;
void timeline_destroy(struct timeline *timeline);

/* The function that surely took most of the item's time, or FUNCTION_NONE. */
uint32_t timeline_item_function(const struct timeline_item *item);

#endif
