/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_sampled.h"

#include <string.h>

#include "view_nodes.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t ns_ticks(const struct call_view *view, uint64_t ns)
{
	double hz = view->profile->info.clock_hz;

	return hz > 0 ? (uint64_t)((long double)ns * (long double)hz / 1e9L + 0.5L) : ns;
}

static uint64_t self_metric(const struct call_node *node, enum call_metric metric)
{
	return node->numbers.metrics ? node->numbers.metrics->self[metric] : 0;
}

static uint64_t total_metric(const struct call_node *node, enum call_metric metric)
{
	return node->numbers.metrics ? node->numbers.metrics->total[metric] : 0;
}

uint64_t call_node_sampled(const struct call_node *node, enum call_metric metric)
{
	uint64_t sum = self_metric(node, metric);

	for (const struct call_node *child = node->first_child; child; child = child->next_sibling)
		if (child->kind == NODE_SAMPLED)
			sum += total_metric(child, metric);
	return sum;
}

const struct call_node *call_node_recorded(const struct call_node *node)
{
	while (node->kind == NODE_SAMPLED)
		node = node->parent;
	return node;
}

bool call_node_in_kernel(const struct call_node *node)
{
	return node->kind == NODE_SAMPLED && strcmp(node->site_module, "[kernel]") == 0;
}

const char *call_node_suffix(const struct call_node *node)
{
	return node->kind != NODE_SAMPLED ? "" : call_node_in_kernel(node) ? "_[k]" : "_[s]";
}

/* Of a function's self time, what its samples can be about: on a processor, and of time that nobody explains as much as the samples stand for. */
static uint64_t on_cpu_ticks(const struct call_view *view, const struct call_node *node)
{
	uint64_t sampled_ns = call_node_sampled(node, METRIC_SAMPLED), cpu_ns = self_metric(node, METRIC_CPU);
	int64_t unexplained_ns = (int64_t)self_metric(node, METRIC_UNEXPLAINED);

	if (!(view->profile->metrics & METRIC_BIT(CPU)))
		cpu_ns = sampled_ns;
	else if (sampled_ns > cpu_ns && unexplained_ns > 0)
		cpu_ns = smaller(sampled_ns, cpu_ns + (uint64_t)unexplained_ns);
	return smaller(ns_ticks(view, cpu_ns), node->numbers.self_ticks);
}

/*
 * Gives the node's children, or only the sampled ones, their parts of ticks; what is left is its own. Rounded along the sum, so that the parts add up.
 * Returns what was given.
 */
static uint64_t ticks_share(struct call_node *node, uint64_t ticks, bool all)
{
	uint64_t weights = self_metric(node, METRIC_SAMPLED), seen = 0, given = 0;

	for (const struct call_node *child = node->first_child; child; child = child->next_sibling)
		weights += all || child->kind == NODE_SAMPLED ? total_metric(child, METRIC_SAMPLED) : 0;
	for (struct call_node *child = node->first_child; child && weights; child = child->next_sibling) {
		if (!all && child->kind != NODE_SAMPLED)
			continue;
		seen += total_metric(child, METRIC_SAMPLED);

		uint64_t end = (uint64_t)((unsigned __int128)ticks * seen / weights);
		child->numbers.total_ticks = child->numbers.span_ticks = child->numbers.self_ticks = end - given;
		given = end;
	}
	return given;
}

static void sampled_unlink(struct call_node *node)
{
	struct call_node **place = &node->first_child;

	while (*place) {
		if ((*place)->kind == NODE_SAMPLED)
			*place = (*place)->next_sibling;
		else
			place = &(*place)->next_sibling;
	}
}

/* Sampled frames come after the functions that were called, those with the largest share first. */
static struct cprof_error *sampled_sort(struct call_node *node)
{
	struct call_node sampled = { 0 }, **last_called = &node->first_child, **last_sampled = &sampled.first_child;
	struct cprof_error *error;

	for (struct call_node *child = node->first_child, *next; child; child = next) {
		struct call_node ***last = child->kind == NODE_SAMPLED ? &last_sampled : &last_called;

		next = child->next_sibling;
		**last = child;
		*last = &child->next_sibling;
	}
	*last_called = *last_sampled = NULL;
	error = call_node_sort_children(&sampled, CALL_SORT_TOTAL);
	*last_called = sampled.first_child;
	return error;
}

static bool is_top(const struct call_node *node)
{
	return node->kind == NODE_ROOT || node->kind == NODE_PROCESS || node->kind == NODE_THREAD;
}

static struct cprof_error *node_share(struct call_view *view, struct call_node *node)
{
	if (view->only_samples) {
		node->numbers.self_ticks -= ticks_share(node, node->numbers.total_ticks, true);
		return call_node_sort_children(node, CALL_SORT_TOTAL);
	}
	if (!view->sampled || is_top(node)) { /* outside of every call there is no time to share */
		view->samples_outside += is_top(node) ? call_node_sampled(node, METRIC_SAMPLES) : 0;
		sampled_unlink(node);
		return NULL;
	}
	node->numbers.self_ticks -= ticks_share(node, node->kind == NODE_SAMPLED ? node->numbers.total_ticks : on_cpu_ticks(view, node), false);
	return sampled_sort(node);
}

struct cprof_error *view_sampled(struct call_view *view, const struct call_view_options *options)
{
	struct cprof_error *error = NULL;
	size_t depth = 0;

	if (options->sampled == SAMPLED_AS_RECORDED || !(view->profile->metrics & METRIC_BIT(SAMPLES)))
		return NULL;
	if (view->root == view->profile->root)
		error = view_nodes_sort(view, options->sort);
	if (error)
		return error;

	struct call_node *root = (struct call_node *)view->root; /* the view's own */
	uint64_t wall_ticks = root->numbers.total_ticks;

	/* Ticks of an unknown length and ns of samples have no common measure. */
	view->sampled = options->sampled == SAMPLED_TIMED && (view->profile->info.clock_hz > 0 || !wall_ticks);
	view->only_samples = view->sampled && !wall_ticks;
	if (view->only_samples)
		root->numbers.total_ticks = root->numbers.self_ticks = ns_ticks(view, total_metric(root, METRIC_SAMPLED));
	view->nodes = 0;
	for (struct call_node *node = root; node && !error; node = (struct call_node *)call_node_next(root, node, false, &depth)) {
		error = node_share(view, node);
		view->nodes++;
	}
	return error;
}
