/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree_metrics.h"

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

static bool is_outermost(const struct call_node *node)
{
	for (const struct call_node *up = node->parent; up; up = up->parent)
		if (up->kind == NODE_FUNCTION && up->function == node->function)
			return false;
	return true;
}

static struct cprof_error *functions_measure(struct call_tree *tree)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < tree->registry->nr_functions; i++) {
		struct call_metrics *metrics = NULL;

		error = tree_metrics_make(tree, &metrics);
		tree->registry->functions[i].numbers.metrics = metrics;
	}
	for (size_t i = 0; !error && i < tree->nr_nodes; i++) {
		const struct call_node *node = tree->nodes[i];
		bool outermost;

		if (node->kind != NODE_FUNCTION)
			continue;
		struct call_metrics *sum = (struct call_metrics *)tree->registry->functions[node->function].numbers.metrics;

		outermost = is_outermost(node);
		for (int m = 0; m < NR_METRICS; m++) {
			sum->self[m] += node->numbers.metrics->self[m];
			sum->total[m] += outermost ? node->numbers.metrics->total[m] : 0;
		}
	}
	return error;
}

struct cprof_error *tree_metrics_finish(struct call_tree *tree)
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
	return functions_measure(tree);
}
