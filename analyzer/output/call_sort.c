/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_sort.h"

#include <stdlib.h>
#include <string.h>

const char *const call_sort_names[] = { "total", "self", "calls", "avg", "min", "p50", "p90", "p99", "max", "name", NULL };

uint64_t call_average_ticks(const struct call_numbers *numbers)
{
	uint64_t calls = numbers->calls;

	/* span, not total: calls that recurse into themselves are within their own time. Open calls count with the time they have had. */
	return calls ? numbers->span_ticks / calls + (numbers->span_ticks % calls >= calls - calls / 2) : 0;
}

static uint64_t sort_key(const struct call_numbers *numbers, enum call_sort sort)
{
	if (sort >= CALL_SORT_METRIC)
		return numbers->metrics ? numbers->metrics->total[sort - CALL_SORT_METRIC] : 0;
	switch (sort) {
	case CALL_SORT_SELF:
		return numbers->self_ticks;
	case CALL_SORT_CALLS:
		return numbers->calls;
	case CALL_SORT_AVERAGE:
		return call_average_ticks(numbers);
	case CALL_SORT_MIN:
		return numbers->min_ticks;
	case CALL_SORT_P50:
		return numbers->p50_ticks + 1; /* what is not known comes last */
	case CALL_SORT_P90:
		return numbers->p90_ticks + 1;
	case CALL_SORT_P99:
		return numbers->p99_ticks + 1;
	case CALL_SORT_MAX:
		return numbers->max_ticks;
	case CALL_SORT_NAME:
		return 0;
	default:
		return numbers->total_ticks;
	}
}

int call_numbers_compare(const struct call_numbers *a, const char *a_name, const struct call_numbers *b, const char *b_name, enum call_sort sort)
{
	uint64_t left = sort_key(a, sort), right = sort_key(b, sort);

	return left != right ? (left < right ? 1 : -1) : strcmp(a_name, b_name);
}

struct sort_item { /* index: what is equal keeps its order */
	struct call_node *node;
	size_t index;
	enum call_sort sort;
};

static int compare_items(const void *a_item, const void *b_item)
{
	const struct sort_item *a = a_item, *b = b_item;
	int order = call_numbers_compare(&a->node->numbers, a->node->name, &b->node->numbers, b->node->name, a->sort);

	return order ? order : a->index < b->index ? -1 : 1;
}

struct cprof_error *call_node_sort_children(struct call_node *node, enum call_sort sort)
{
	size_t count = 0;

	for (struct call_node *child = node->first_child; child; child = child->next_sibling)
		count++;
	if (count < 2)
		return NULL;
	struct sort_item *items = malloc(count * sizeof *items);
	if (!items)
		return &cprof_enomem;
	count = 0;
	for (struct call_node *child = node->first_child; child; child = child->next_sibling, count++)
		items[count] = (struct sort_item){ child, count, sort };
	qsort(items, count, sizeof *items, compare_items);
	node->first_child = items[0].node;
	for (size_t i = 0; i < count; i++)
		items[i].node->next_sibling = i + 1 < count ? items[i + 1].node : NULL;
	free(items);
	return NULL;
}

