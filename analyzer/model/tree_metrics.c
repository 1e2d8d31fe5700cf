/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree_metrics.h"

#include <stdlib.h>

#include "slots.h"

struct cprof_error *tree_metrics_make(struct call_tree *tree, struct call_metrics **ret)
{
	if (*ret || !tree->metrics)
		return NULL;
	*ret = text_store_alloc(tree->store, sizeof **ret);
	return *ret ? NULL : &cprof_enomem;
}

struct call_metrics *tree_metrics_of(const struct call_node *node)
{
	return (struct call_metrics *)node->numbers.metrics;
}

void tree_metrics_add_sched(struct call_metrics *metrics, const struct call_sched *sched)
{
	uint64_t *self = metrics->self;

	self[METRIC_SWITCHES] += sched->figures[CPROF_SCHED_SWITCHES];
	self[METRIC_FAULTS] += sched->figures[CPROF_SCHED_FAULTS];
	self[METRIC_RUNQ] += sched->figures[CPROF_SCHED_RUNQ];
	self[METRIC_UNEXPLAINED] += sched->uncovered_ticks;
	for (uint32_t c = 0; c < CPROF_BLOCKED_COUNT; c++) {
		self[METRIC_BLOCKED] += sched->figures[CPROF_SCHED_BLOCKED + c];
		self[METRIC_BLOCKED_LOCK + c] += sched->figures[CPROF_SCHED_BLOCKED + c];
	}
}

static uint64_t ticks_ns(const struct call_tree *tree, uint64_t ticks)
{
	return (uint64_t)((long double)ticks * 1e9L / (long double)tree->clock_hz + 0.5L);
}

/*
 * What is left of wall time when all that the kernel tells is taken away was spent on a processor. It cannot be less than nothing: then two clocks do
 * not agree, and what is unexplained is so much less.
 */
static void times_split(const struct call_tree *tree, uint64_t *values, uint64_t wall_ticks)
{
	uint64_t unexplained_ns = ticks_ns(tree, values[METRIC_UNEXPLAINED]);
	int64_t cpu_ns = (int64_t)(ticks_ns(tree, wall_ticks) - values[METRIC_RUNQ] - values[METRIC_BLOCKED] - values[METRIC_STOPPED] - unexplained_ns);

	values[METRIC_CPU] = cpu_ns > 0 ? (uint64_t)cpu_ns : 0;
	values[METRIC_UNEXPLAINED] = cpu_ns < 0 ? unexplained_ns + (uint64_t)cpu_ns : unexplained_ns;
}

static void node_times(const struct call_tree *tree, const struct call_node *node)
{
	struct call_metrics *metrics = tree_metrics_of(node);

	if (node->kind == NODE_SAMPLED || !(tree->metrics & METRIC_BIT(CPU)))
		return;
	times_split(tree, metrics->self, node->numbers.self_ticks);
	times_split(tree, metrics->total, node->numbers.total_ticks);
}

void tree_metrics_finish(struct call_tree *tree)
{
	for (size_t i = tree->nr_nodes + 1; i--;) { /* children have larger numbers; the root comes last */
		struct call_node *node = i ? tree->nodes[i - 1] : tree->root;
		struct call_metrics *metrics = tree_metrics_of(node);

		for (int m = 0; m < NR_METRICS; m++) {
			metrics->total[m] += metrics->self[m];
			if (node->parent)
				tree_metrics_of(node->parent)->total[m] += metrics->total[m];
		}
	}
	node_times(tree, tree->root);
	for (size_t i = 0; i < tree->nr_nodes; i++)
		node_times(tree, tree->nodes[i]);
}

static struct cprof_error *functions_make(struct call_tree *tree)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < tree->registry->nr_functions; i++) {
		struct call_metrics *metrics = NULL;

		error = tree_metrics_make(tree, &metrics);
		tree->registry->functions[i].numbers.metrics = metrics;
	}
	return error;
}

/* To a function's total, only what is outermost adds: open counts its nodes on the path. */
static void function_enter(struct call_tree *tree, const struct call_node *node, uint32_t *open)
{
	struct call_metrics *sum;

	if (node->kind != NODE_FUNCTION)
		return;
	sum = (struct call_metrics *)tree->registry->functions[node->function].numbers.metrics;
	for (int m = 0; m < NR_METRICS; m++) {
		sum->self[m] += node->numbers.metrics->self[m];
		sum->total[m] += open[node->function] ? 0 : node->numbers.metrics->total[m];
	}
	open[node->function]++;
}

static const struct call_node *function_leave(const struct call_node *node, uint32_t *open)
{
	if (node->kind == NODE_FUNCTION)
		open[node->function]--;
	return node;
}

struct cprof_error *tree_metrics_of_functions(struct call_tree *tree)
{
	uint32_t *open = calloc(tree->registry->nr_functions + 1, sizeof *open);
	struct cprof_error *error = open ? functions_make(tree) : &cprof_enomem;

	for (const struct call_node *node = tree->root; !error && node;) {
		function_enter(tree, node, open);
		if (node->first_child) {
			node = node->first_child;
			continue;
		}
		while (node && !function_leave(node, open)->next_sibling)
			node = node->parent;
		node = node ? node->next_sibling : NULL;
	}
	free(open);
	return error;
}
