/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_view.h"

#include <stdlib.h>
#include <string.h>

#include "function_match.h"
#include "view_filter.h"
#include "view_nodes.h"
#include "view_sampled.h"

void call_view_destroy(struct call_view *view)
{
	view_nodes_destroy(view);
	view->root = NULL;
}

const struct call_node *call_node_next(const struct call_node *root, const struct call_node *node, bool skip, size_t *depth)
{
	if (node->first_child && !skip) {
		++*depth;
		return node->first_child;
	}
	while (node != root && !node->next_sibling) {
		node = node->parent;
		--*depth;
	}
	return node == root ? NULL : node->next_sibling;
}

static struct cprof_error *add_source(const struct call_node ***nodes, size_t *count, const struct call_node *node)
{
	if ((*count & (*count - 1)) == 0) { /* full at each power of two */
		const struct call_node **grown = realloc(*nodes, (*count ? 2 * *count : 1) * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		*nodes = grown;
	}
	(*nodes)[(*count)++] = node;
	return NULL;
}

static bool is_function_named(const struct profile *profile, const struct call_node *node, const char *name)
{
	const struct call_function *function;

	if (node->kind != NODE_FUNCTION)
		return false;
	function = &profile->functions[node->function];
	return strcmp(function->name, name) == 0 || (function->linkage && strcmp(function->linkage, name) == 0);
}

static bool is_function_like(const struct profile *profile, const struct call_node *node, const char *name)
{
	return node->kind == NODE_FUNCTION && function_name_is_like(profile->functions[node->function].name, name);
}

static struct cprof_error *view_focus(struct call_view *view, const struct call_view_options *options)
{
	bool (*const tests[])(const struct profile *, const struct call_node *, const char *) = { is_function_named, is_function_like };
	const struct call_node **nodes = NULL;
	struct cprof_error *error = NULL;
	size_t count = 0;

	for (size_t test = 0; test < 2 && !count && !error; test++) {
		size_t depth = 0;

		for (const struct call_node *node = view->root; node && !error; ) {
			bool found = tests[test](view->profile, node, options->focus);

			if (found)
				error = add_source(&nodes, &count, node);
			node = call_node_next(view->root, node, found, &depth);
		}
	}
	if (!error && !count)
		error = cprof_error_create(CPROF_ERROR_NOT_FOUND, "no call of a function '%s' in what was read (see: cprof-analyze flat; --session reads all of the run)", options->focus);
	if (!error)
		error = view_nodes_merge(view, nodes, count, options->sort);
	free(nodes);
	return error;
}

uint64_t call_node_weight(const struct call_view *view, const struct call_node *node)
{
	double hz = view->profile->info.clock_hz;

	if (!node->numbers.metrics || (node->kind != NODE_SAMPLED && view->root->numbers.total_ticks))
		return node->numbers.total_ticks;
	return (uint64_t)((double)node->numbers.metrics->total[METRIC_SAMPLED] * (hz > 0 ? hz / 1e9 : 1));
}

struct cprof_error *call_view_create(const struct profile *profile, const struct call_view_options *options, struct call_view *ret)
{
	struct call_view view = { .profile = profile, .root = profile->root, .whole = true };
	struct cprof_error *error = NULL;
	size_t depth = 0;

	for (const struct call_node *node = view.root; node; node = call_node_next(view.root, node, false, &depth))
		view.nodes++;
	if (options->focus)
		error = view_focus(&view, options);
	if (!error && (options->filter || options->exclude))
		error = view_filter(&view, options);
	if (!error && view.whole && options->sort != CALL_SORT_TOTAL)
		error = view_nodes_sort(&view, options->sort);
	if (!error)
		error = view_sampled(&view, options);
	if (error) {
		call_view_destroy(&view);
		return error;
	}
	*ret = view;
	return NULL;
}
