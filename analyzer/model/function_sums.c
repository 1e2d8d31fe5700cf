/* SPDX-License-Identifier: BSD-2-Clause */
#include "function_sums.h"

#include <stdlib.h>

enum { AHEAD = 8 }; /* slots whose calls are asked for in time; they lie anywhere */

struct context_total { /* a context, and what is below */
	uint64_t ticks, suspended_ticks;
};

static uint32_t slot_id(const struct call_tally *tally, uint32_t slot)
{
	return slot < tally->nr_contexts ? slot : tally->paths[slot - tally->nr_contexts].id;
}

static bool durations_add(const struct call_tally *tally, uint32_t slot, struct histogram_sum *durations)
{
	if (!histogram_sum_add(durations, &tally->slots[slot].durations))
		return false;
	for (size_t i = 0; i < tally->nr_carries; i++)
		if (tally->carries[i].slot == slot && !histogram_sum_add_count(durations, tally->carries[i].bucket, UINT64_C(1) << 32))
			return false;
	return true;
}

static struct cprof_error *slot_add(struct call_tree *tree, const struct call_tally *tally, uint32_t slot, uint32_t function)
{
	const struct call_slot *own = &tally->slots[slot];
	const struct call_slot_rare *rare = &tally->rare[slot];
	struct call_numbers *sum = &tree->registry->functions[function].numbers;
	struct histogram_sum *durations = &tree->registry->durations[function];
	uint64_t timed_before = durations->total;

	if (!durations_add(tally, slot, durations))
		return &cprof_enomem;

	uint64_t timed = durations->total - timed_before, calls = timed + rare->calls_cut;
	if (timed && (!timed_before || ~own->min_complement < sum->min_ticks))
		sum->min_ticks = ~own->min_complement;
	if (timed && own->max_ticks > sum->max_ticks)
		sum->max_ticks = own->max_ticks;
	sum->calls += calls;
	sum->open += rare->open;
	sum->repaired += rare->repaired;
	sum->self_ticks += own->self_ticks;
	sum->suspended_ticks += rare->suspended_ticks;
	tree->calls += calls;
	tree->open_calls += rare->open;
	tree->repaired_calls += rare->repaired;
	return NULL;
}

/* Parents come before their children. What is below a context of an overflown table was called from anywhere: it is nobody's but the top's. */
static void totals_add(struct call_tree *tree, const struct context_map *map, const struct call_tally *tally,
		       struct context_total *totals)
{
	for (uint32_t id = map->nr_contexts; --id;) {
		struct call_numbers *function = &tree->registry->functions[map->functions[id]].numbers;
		bool overflow = map->contexts[id].flags & CPROF_CONTEXT_OVERFLOW;
		struct context_total *parent = &totals[overflow ? 0 : tally->slots[id].parent];

		if (context_map_is_edge(map, id))
			continue;
		function->suspended_total_ticks += totals[id].suspended_ticks;
		if (!map->function_counted[map->functions[id]])
			function->span_ticks += totals[id].ticks;
		parent->ticks += totals[id].ticks;
		parent->suspended_ticks += totals[id].suspended_ticks;
	}
	for (uint32_t function = 0; function < map->nr_functions; function++)
		if (map->function_counted[function])
			tree->registry->functions[function].numbers.span_ticks +=
				tally->groups[context_map_function_group(map, function)].span_ticks;
}

struct cprof_error *function_sums_add(struct call_tree *tree, const struct context_map *map, const struct call_tally *tally,
				      struct call_node *top)
{
	struct context_total *totals = calloc(map->nr_contexts, sizeof *totals);
	struct cprof_error *error = totals ? NULL : &cprof_enomem;

	for (uint32_t slot = 1; !error && slot < tally->nr_slots; slot++) {
		uint32_t id = slot_id(tally, slot), ahead = slot + AHEAD < tally->nr_slots ? slot + AHEAD : slot;
		struct context_total *total = &totals[context_map_target(map, id)];

		__builtin_prefetch(tally->slots[ahead].durations.counts);
		total->ticks += tally->slots[slot].self_ticks;
		total->suspended_ticks += tally->rare[slot].suspended_ticks;
		error = slot_add(tree, tally, slot, map->functions[id]);
	}
	if (!error) {
		totals_add(tree, map, tally, totals);
		top->numbers.total_ticks += totals[0].ticks;
		top->numbers.suspended_total_ticks += totals[0].suspended_ticks;
	}
	free(totals);
	return error;
}
