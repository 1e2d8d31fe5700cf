/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sums of one process: what its event columns say of each context and folding edge.
 *
 * This is the hot loop of the analyzer. It knows contexts only as numbers ("slots"): what to credit a call to, which context is current
 * after it, and whether somebody wants to know how long at least one call of a group was open. It must accept any column: ids, lengths, times and
 * depths are hostile; what makes no sense ends the chunk as a hole does and is counted, never an error.
 *
 * Slots below nr_contexts are the trace's own ids. Further ones are made while streaming ("paths"): a pair (slot, id) for calls whose context
 * the trace's table does not tell: with unrolled recursion every call that folding led back, without it the contexts of an overflown table.
 */
#ifndef CPROF_CALL_TALLY_H
#define CPROF_CALL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "histogram.h"
#include "leb_column.h"
#include "number_map.h"
#include "sched_tally.h"

struct events_chunk;

#define CALL_TALLY_MAX_DEPTH (16u << 20)  /* more open calls than this are taken for damage */
#define CALL_TALLY_MAX_PATHS (4u << 20)

enum call_slot_flags {
	CALL_SLOT_COUNTED = 1, /* calls of its group can be open more than once at a time: count them */
	CALL_SLOT_PATH = 2,    /* enters go to the slot of the path (current slot, this id) */
	CALL_SLOT_SKIP = 4,    /* the first of these calls in each thread are left out */
};

struct call_slot { /* one cache line: a call touches this, its histogram and the stack */
	uint64_t self_ticks;
	uint64_t min_complement;       /* ~ of the shortest call in the histogram, so that 0 is "none yet" */
	uint64_t max_ticks;            /* the longest one */
	struct histogram durations;    /* of calls that ended, except where a hole or the end of the trace cut them off */
	uint32_t target;               /* the slot that is current after an enter */
	uint32_t flags;
	uint32_t node_group, function_group; /* for CALL_SLOT_COUNTED: indices into the tally's groups */
	uint32_t parent;               /* the slot below, for an exit whose enter is not known; makes a tree */
} __attribute__((aligned(64)));

struct call_slot_rare {
	uint64_t calls_cut;    /* calls that are not in the histogram: open at the end, or cut off by a hole */
	uint64_t open, repaired;
	uint64_t suspended_ticks; /* while this was current in a strand that did not run */
};

struct call_group { /* a node or a function of which several calls can be open at a time */
	uint64_t span_ticks;
	uint32_t open;
};

struct call_path {
	uint32_t parent, id;   /* the slot it was called from; the trace's id of the call */
};

struct call_carry { /* 2^32 calls */
	uint32_t slot, bucket;
};

struct call_tally_totals {
	uint64_t events, lost_events, unmatched_exits, wrong_exits, damaged_chunks;
	uint64_t sched_shrunk;        /* sums of the scheduler's that became smaller */
	uint64_t first_tsc, last_tsc; /* 0 before the first event */
	bool going_on;                /* a call was open when the range began */
};

/*
 * What of a run is summed. Calls that began before from_ticks are timed from there on but not counted; what is open at to_ticks ends there, as at the
 * end of the trace. Of the calls of slots with CALL_SLOT_SKIP, the first skip_first in each thread that are not inside another such call are left
 * out, with all that they call and all their time.
 */
struct tally_range {
	uint64_t from_ticks, to_ticks; /* half open; { 0, UINT64_MAX }: everything */
	uint64_t skip_first;
};

struct call_tally {
	struct tally_range range;      /* to be set before the first thread */
	struct call_slot *slots;
	struct call_slot_rare *rare;
	uint32_t nr_contexts, nr_slots, slots_capacity;
	struct call_group *groups;     /* [0] is scratch: nobody reads it */
	uint32_t nr_groups;
	struct call_path *paths;       /* of slots from nr_contexts on */
	struct number_map path_slots;
	bool unroll;
	struct histogram_store store;  /* of all durations */
	struct call_carry *carries;
	size_t nr_carries;
	struct call_tally_totals totals;
	struct sched_tally sched;

	/* the thread being streamed */
	struct open_call *stack;       /* stack[0] is the first */
	size_t depth, stack_capacity;
	bool started;
	uint64_t now;                  /* without the time in which the strand was suspended */
	uint64_t suspended;            /* ... which is that */
	bool is_suspended;
	uint32_t current;
	uint64_t pending_repairs, pending_inherited;
	struct leb_column ids, times;  /* of the chunk being read: what is left */
	bool before_range, after_range;
	uint64_t skip_left;            /* calls still to be left out */
	size_t skip_open, skip_depth;  /* open calls with CALL_SLOT_SKIP, while any are left out; the depth with the one being left out, or 0 */
	bool may_end, may_edge;        /* the range may end, or the scheduler's cover turn, in the chunk being read */
	bool no_memory, too_many_paths;
};

/*
 * Slots 0 to nr_contexts - 1 must then be filled in by the caller (target, flags, groups, parent < own number). In unroll mode a slot is used for a
 * call only if it has not CALL_SLOT_PATH and the current slot is its parent.
 */
struct cprof_error *call_tally_init(struct call_tally *tally, uint32_t nr_contexts, uint32_t nr_groups, bool unroll) CPROF_MUST_CHECK;
void call_tally_deinit(struct call_tally *tally);
/* All sums 0 again (totals too); paths stay. Between threads only. */
void call_tally_reset(struct call_tally *tally);

/* A call that was open when a hole ended, as later chunks tell. Outermost first. */
struct open_call {
	uint64_t start_ticks;
	uint32_t slot;         /* with flags of call_tally.c in the upper bits */
	uint32_t caller;       /* the slot to return to */
};

void call_tally_begin_thread(struct call_tally *tally);
/* Before call_tally_end_thread(): what the scheduler did behind the thread's last event (SCHED_FIGURES). It belongs to the call that is open there. */
void call_tally_add_tail(struct call_tally *tally, const uint64_t *figures);
/* After call_tally_begin_thread(), in runs that were recorded with cprof-record: else nothing is counted as uncovered. */
struct cprof_error *call_tally_set_cover(struct call_tally *tally, struct tally_cover cover) CPROF_MUST_CHECK;
struct cprof_error *call_tally_add_chunk(struct call_tally *tally, const struct events_chunk *chunk) CPROF_MUST_CHECK;
/*
 * Before the first chunk after a hole. Of the calls that are open, those that began after keep_until (!keep: all of them) are closed as repaired; then
 * "opened" (ids as in the trace, outermost first) are taken for open. context is the current one from resume_tsc on.
 */
struct tally_hole {
	bool keep;                     /* false: nothing from before the hole is known to be still open */
	uint64_t keep_until;
	const struct open_call *opened;
	size_t nr_opened;
	uint32_t context;
	uint64_t resume_tsc;
};
struct cprof_error *call_tally_hole(struct call_tally *tally, const struct tally_hole *hole) CPROF_MUST_CHECK;
/* Closes what is open at end_tsc (or the last event, if that is later). */
struct cprof_error *call_tally_end_thread(struct call_tally *tally, uint64_t end_tsc) CPROF_MUST_CHECK;

#endif
