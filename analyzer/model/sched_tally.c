/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched_tally.h"

#include <stdlib.h>
#include <string.h>

#include "call_tally.h" /* struct call_slot */

void sched_tally_init(struct sched_tally *sched, uint32_t capacity)
{
	*sched = (struct sched_tally){ .capacity = capacity };
}

void sched_tally_deinit(struct sched_tally *sched)
{
	free(sched->slots);
	free(sched->uncovered_base);
	*sched = (struct sched_tally){ 0 };
}

bool sched_tally_reserve(struct sched_tally *sched, uint32_t capacity)
{
	if (sched->slots) {
		struct call_sched *slots = realloc(sched->slots, capacity * sizeof *slots);

		if (!slots)
			return false;
		memset(slots + sched->capacity, 0, (capacity - sched->capacity) * sizeof *slots);
		sched->slots = slots;
	}
	sched->capacity = capacity;
	return true;
}

void sched_tally_reset(struct sched_tally *sched)
{
	if (sched->slots)
		memset(sched->slots, 0, sched->capacity * sizeof *sched->slots);
}

static bool slots_make(struct sched_tally *sched)
{
	if (!sched->slots)
		sched->slots = calloc(sched->capacity, sizeof *sched->slots);
	return sched->slots != NULL;
}

/* Figures. */

bool sched_tally_take(struct sched_tally *sched, uint32_t payload, uint32_t slot, bool credited)
{
	uint32_t figure;
	uint64_t growth;

	if (!sched_figures_take(&sched->figures, payload, &figure, &growth) || !credited || (sched->uncovered && !sched->trusts_figures))
		return true;
	if (!slots_make(sched))
		return false;
	sched->slots[slot].figures[figure] += growth;
	return true;
}

bool sched_tally_add(struct sched_tally *sched, const uint64_t *figures, uint32_t slot)
{
	if (sched->uncovered)
		return true;
	if (!slots_make(sched))
		return false;
	for (uint32_t figure = 0; figure < SCHED_FIGURES; figure++)
		sched->slots[slot].figures[figure] += figures[figure];
	return true;
}

/* The cover. */

static bool uncovered_begin(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots)
{
	uint64_t *base = realloc(sched->uncovered_base, nr_slots * sizeof *base);

	if (!base)
		return false;
	for (uint32_t i = 0; i < nr_slots; i++)
		base[i] = slots[i].self_ticks;
	sched->uncovered_base = base;
	sched->nr_uncovered_base = nr_slots;
	sched->uncovered = true;
	return true;
}

static bool uncovered_end(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots)
{
	if (!slots_make(sched))
		return false;
	for (uint32_t i = 0; i < nr_slots; i++)
		sched->slots[i].uncovered_ticks += slots[i].self_ticks - (i < sched->nr_uncovered_base ? sched->uncovered_base[i] : 0);
	sched->uncovered = false;
	return true;
}

void sched_tally_begin_thread(struct sched_tally *sched)
{
	sched->figures = (struct sched_figures){ 0 };
	sched->cover = (struct tally_cover){ 0, UINT64_MAX };
	sched->uncovered = false;
}

bool sched_tally_set_cover(struct sched_tally *sched, struct tally_cover cover, const struct call_slot *slots, uint32_t nr_slots)
{
	sched->cover = cover;
	return (!cover.from_ticks && cover.to_ticks) || uncovered_begin(sched, slots, nr_slots);
}

bool sched_tally_turn(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots)
{
	if (!(sched->uncovered ? uncovered_end : uncovered_begin)(sched, slots, nr_slots))
		return false;
	if (sched->uncovered)
		sched->cover.to_ticks = 0; /* for good */
	else
		sched->cover.from_ticks = UINT64_MAX;
	return true;
}

bool sched_tally_end_thread(struct sched_tally *sched, const struct call_slot *slots, uint32_t nr_slots)
{
	return !sched->uncovered || uncovered_end(sched, slots, nr_slots);
}
