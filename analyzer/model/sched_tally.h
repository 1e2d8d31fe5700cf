/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler did to one process's threads, by slot of its call_tally: the growth of the figures in SCHED escapes goes to the slot that was current
 * before them, and of each slot's own time the part in which nobody told what the scheduler does ("uncovered") is kept apart.
 *
 * Beside the hot loop, not in it: nothing here is touched by a plain enter or exit. Uncovered time is the difference of two looks at the slots' own
 * time, where the cover ends and where it begins again (or the thread ends). False, as a result, is: no memory.
 */
#ifndef CPROF_SCHED_TALLY_H
#define CPROF_SCHED_TALLY_H

#include "sched_figures.h"

struct call_slot;

struct call_sched { /* while a slot was current */
	uint64_t figures[SCHED_FIGURES];  /* as in SCHED escapes */
	uint64_t uncovered_ticks;         /* of its self_ticks: time in which nobody told what the scheduler does */
};

/* When what the scheduler does to a thread is known, in ticks; from_ticks >= to_ticks: never. */
struct tally_cover {
	uint64_t from_ticks, to_ticks;
};

struct sched_tally {
	struct call_sched *slots;      /* [slot]; NULL until there is something to tell */
	uint32_t capacity;             /* of the slots, those of the call_tally too */

	/* the thread being streamed */
	struct sched_figures figures;
	struct tally_cover cover;      /* what is still to come of it */
	bool trusts_figures;           /* to be set, or not: what comes is of covered time, wherever in the stream */
	bool uncovered;
	uint64_t *uncovered_base;      /* [slot]: self_ticks where the uncovered part began, of the first nr_uncovered_base */
	uint32_t nr_uncovered_base;
};

void sched_tally_init(struct sched_tally *sched, uint32_t capacity);
void sched_tally_deinit(struct sched_tally *sched);
bool sched_tally_reserve(struct sched_tally *sched, uint32_t capacity);
/* All sums 0 again. Between threads only. */
void sched_tally_reset(struct sched_tally *sched);

void sched_tally_begin_thread(struct sched_tally *sched);
/* Before the thread's first event; slots are all there are. */
bool sched_tally_set_cover(struct sched_tally *sched, struct tally_cover cover, const struct call_slot *slots, uint32_t nr_slots);
/* A SCHED escape. Without credited its figure counts as told, but for no slot. */
bool sched_tally_take(struct sched_tally *sched, uint32_t payload, uint32_t slot, bool credited);
/* Figures (SCHED_FIGURES) that no escape tells. */
bool sched_tally_add(struct sched_tally *sched, const uint64_t *figures, uint32_t slot);
/* At sched_tally_edge(). */
bool sched_tally_turn(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots);
bool sched_tally_end_thread(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots);

/* The next time at which the cover begins or ends. */
static inline uint64_t sched_tally_edge(const struct sched_tally *sched)
{
	if (sched->uncovered)
		return sched->cover.from_ticks < sched->cover.to_ticks ? sched->cover.from_ticks : UINT64_MAX;
	return sched->cover.to_ticks;
}

#endif
