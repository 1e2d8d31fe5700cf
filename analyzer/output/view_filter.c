/* SPDX-License-Identifier: BSD-2-Clause */
/* --filter and --exclude: a view without some of its paths, and without their time. */
#include "view_filter.h"

#include <stdlib.h>

#include "function_match.h"
#include "view_nodes.h"

struct filter_item {
	const struct call_node *source;
	struct call_node *copy;
	size_t parent; /* index, smaller than its own */
	bool inside;   /* below or at a matching function */
	bool kept;
	uint64_t self_ticks, total_ticks;
};

static bool node_matches(const bool *matches, const struct call_node *node)
{
	return matches && node->kind == NODE_FUNCTION && matches[node->function];
}

static size_t collect_items(const struct call_view *view, const bool *wanted, const bool *unwanted, struct filter_item *items)
{
	size_t count = 0, depth = 0, current = 0;

	for (const struct call_node *node = view->root; node; ) {
		bool skip = node_matches(unwanted, node);

		while (count && items[current].source != node->parent)
			current = items[current].parent;
		if (!skip) {
			bool inside = !wanted || node_matches(wanted, node) || (count && items[current].inside);

			items[count] = (struct filter_item){ node, NULL, current, inside, inside, inside ? node->numbers.self_ticks : 0, 0 };
			current = count++;
		}
		node = call_node_next(view->root, node, skip, &depth);
	}
	return count;
}

static struct cprof_error *copy_kept(struct call_view *view, struct filter_item *items, size_t count, enum call_sort sort)
{
	view->nodes = 0;
	for (size_t i = 0; i < count; i++) {
		if (!items[i].kept)
			continue;
		struct call_node *copy = view_nodes_add(view);
		if (!copy)
			return &cprof_enomem;
		*copy = *items[i].source;
		copy->first_child = copy->next_sibling = copy->parent = NULL;
		copy->numbers.self_ticks = items[i].self_ticks;
		copy->numbers.total_ticks = items[i].total_ticks;
		if (copy->numbers.metrics) {
			struct call_metrics *metrics = view_metrics_add(view);

			if (!metrics)
				return &cprof_enomem;
			for (int m = 0; m < NR_METRICS; m++)
				metrics->self[m] = metrics->total[m] = items[i].inside ? copy->numbers.metrics->self[m] : 0;
			copy->numbers.metrics = metrics;
		}
		items[i].copy = copy;
		view->nodes++;
		if (i) {
			copy->parent = items[items[i].parent].copy;
			copy->next_sibling = copy->parent->first_child;
			copy->parent->first_child = copy;
		}
	}
	for (size_t i = count; i-- > 1;) {
		const struct call_metrics *own = items[i].copy ? items[i].copy->numbers.metrics : NULL;

		for (int m = 0; own && m < NR_METRICS; m++)
			((struct call_metrics *)items[items[i].parent].copy->numbers.metrics)->total[m] += own->total[m];
	}
	for (size_t i = 0; i < count; i++) {
		struct cprof_error *error = items[i].copy ? call_node_sort_children(items[i].copy, sort) : NULL;

		if (error)
			return error;
	}
	view->root = items[0].copy;
	view->whole = false;
	view->filtered = true;
	return NULL;
}

struct cprof_error *view_filter(struct call_view *view, const struct call_view_options *options)
{
	bool *wanted = NULL, *unwanted = NULL;
	struct filter_item *items = NULL;
	struct cprof_error *error = function_match_pattern(view->profile->functions, view->profile->nr_functions, "filter", options->filter, &wanted);

	if (!error)
		error = function_match_pattern(view->profile->functions, view->profile->nr_functions, "exclude", options->exclude, &unwanted);
	if (!error && !(items = malloc(view->nodes * sizeof *items)))
		error = &cprof_enomem;
	if (!error) {
		size_t count = collect_items(view, wanted, unwanted, items);

		for (size_t i = count; i-- > 0; ) {
			items[i].total_ticks += items[i].self_ticks;
			if (i && items[i].kept) {
				items[items[i].parent].kept = true;
				items[items[i].parent].total_ticks += items[i].total_ticks;
			}
		}
		items[0].kept = true;
		error = copy_kept(view, items, count, options->sort);
	}
	free(items);
	free(unwanted);
	free(wanted);
	return error;
}
