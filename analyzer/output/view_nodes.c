/* SPDX-License-Identifier: BSD-2-Clause */
#include "view_nodes.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_NODES = 1024 };

/* Nodes made by views live in chunks and die with the view. */
struct call_view_nodes {
	struct call_view_nodes *next;
	size_t used;
	struct call_node nodes[CHUNK_NODES];
};

struct call_view_metrics {
	struct call_view_metrics *next;
	size_t used;
	struct call_metrics metrics[CHUNK_NODES / 16];
};

struct call_metrics *view_metrics_add(struct call_view *view)
{
	struct call_view_metrics *chunk = view->private_metrics;

	if (!chunk || chunk->used == CHUNK_NODES / 16) {
		chunk = calloc(1, sizeof *chunk);
		if (!chunk)
			return NULL;
		chunk->next = view->private_metrics;
		view->private_metrics = chunk;
	}
	return &chunk->metrics[chunk->used++];
}

struct call_node *view_nodes_add(struct call_view *view)
{
	struct call_view_nodes *chunk = view->private_nodes;

	if (!chunk || chunk->used == CHUNK_NODES) {
		chunk = calloc(1, sizeof *chunk);
		if (!chunk)
			return NULL;
		chunk->next = view->private_nodes;
		view->private_nodes = chunk;
	}
	return &chunk->nodes[chunk->used++];
}

void view_nodes_destroy(struct call_view *view)
{
	struct call_view_nodes *next;

	for (struct call_view_nodes *chunk = view->private_nodes; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	view->private_nodes = NULL;
	for (struct call_view_metrics *chunk = view->private_metrics, *after; chunk; chunk = after) {
		after = chunk->next;
		free(chunk);
	}
	view->private_metrics = NULL;
}

static int compare_texts(const char *a, const char *b)
{
	return a == b ? 0 : !a ? -1 : !b ? 1 : strcmp(a, b);
}

#define ORDER(a, b) do { if ((a) != (b)) return (a) < (b) ? -1 : 1; } while (0)

/* 0 for contexts that are one when their callers are one. */
static int compare_identity(const void *a_pointer, const void *b_pointer)
{
	const struct call_node *a = *(const struct call_node *const *)a_pointer, *b = *(const struct call_node *const *)b_pointer;
	int order;

	ORDER(a->kind, b->kind);
	ORDER(a->function, b->function);
	ORDER(a->site_line, b->site_line);
	ORDER(a->site_column, b->site_column);
	order = compare_texts(a->site_file, b->site_file);
	if (order)
		return order;
	if (!a->site_file) {
		ORDER(a->site_address, b->site_address);
		order = compare_texts(a->site_module, b->site_module);
		if (order)
			return order;
	}
	return a->kind == NODE_FUNCTION ? 0 : compare_texts(a->name, b->name);
}

void call_numbers_add(struct call_numbers *sum, struct call_metrics *metrics, const struct call_numbers *add)
{
	bool first_ended = sum->calls == sum->open; /* no ended call so far: its min is no number */

	if (add->calls != add->open) {
		sum->min_ticks = first_ended || add->min_ticks < sum->min_ticks ? add->min_ticks : sum->min_ticks;
		sum->max_ticks = add->max_ticks > sum->max_ticks ? add->max_ticks : sum->max_ticks;
	}
	sum->calls += add->calls;
	sum->open += add->open;
	sum->repaired += add->repaired;
	sum->self_ticks += add->self_ticks;
	sum->total_ticks += add->total_ticks;
	sum->suspended_ticks += add->suspended_ticks;
	sum->suspended_total_ticks += add->suspended_total_ticks;
	sum->span_ticks += add->span_ticks;
	sum->p50_ticks = sum->p90_ticks = sum->p99_ticks = CALL_TICKS_UNKNOWN;
	if (metrics && add->metrics)
		call_metrics_add(metrics, add->metrics);
}

struct merge_job {
	struct call_node *target;
	const struct call_node **sources; /* owned; their children become the target's */
	size_t count;
};

struct merge_stack {
	struct merge_job *jobs;
	size_t count, capacity;
};

static struct cprof_error *push_job(struct merge_stack *stack, struct call_node *target, const struct call_node *const *sources, size_t count)
{
	if (stack->count == stack->capacity) {
		size_t capacity = stack->capacity ? 2 * stack->capacity : 64;
		struct merge_job *jobs = realloc(stack->jobs, capacity * sizeof *jobs);

		if (!jobs)
			return &cprof_enomem;
		stack->jobs = jobs;
		stack->capacity = capacity;
	}
	const struct call_node **copy = malloc(count * sizeof *copy);
	if (!copy)
		return &cprof_enomem;
	memcpy(copy, sources, count * sizeof *copy);
	stack->jobs[stack->count++] = (struct merge_job){ target, copy, count };
	return NULL;
}

/* One node for sources[0..count), which are of one identity; its children are made later, by the job it pushes. */
static struct cprof_error *merge_group(struct call_view *view, struct merge_stack *stack, struct call_node *parent,
				       const struct call_node *const *sources, size_t count)
{
	struct call_node *node = view_nodes_add(view);

	if (!node)
		return &cprof_enomem;
	*node = *sources[0];
	node->parent = parent;
	node->first_child = NULL;
	node->next_sibling = NULL;
	if (count > 1 && node->numbers.metrics) {
		struct call_metrics *metrics = view_metrics_add(view);

		if (!metrics)
			return &cprof_enomem;
		*metrics = *node->numbers.metrics;
		node->numbers.metrics = metrics;
	}
	for (size_t i = 1; i < count; i++) {
		call_numbers_add(&node->numbers, (struct call_metrics *)node->numbers.metrics, &sources[i]->numbers);
		node->recursive_calls += sources[i]->recursive_calls;
	}
	if (parent) {
		node->next_sibling = parent->first_child;
		parent->first_child = node;
	}
	view->nodes++;
	return push_job(stack, node, sources, count);
}

static struct cprof_error *merge_children(struct call_view *view, struct merge_stack *stack, const struct merge_job *job, enum call_sort sort)
{
	struct cprof_error *error = NULL;
	size_t count = 0;

	for (size_t i = 0; i < job->count; i++)
		for (const struct call_node *child = job->sources[i]->first_child; child; child = child->next_sibling)
			count++;
	if (!count)
		return NULL;
	const struct call_node **children = malloc(count * sizeof *children);
	if (!children)
		return &cprof_enomem;
	count = 0;
	for (size_t i = 0; i < job->count; i++)
		for (const struct call_node *child = job->sources[i]->first_child; child; child = child->next_sibling)
			children[count++] = child;
	qsort(children, count, sizeof *children, compare_identity);
	for (size_t first = 0, end; first < count && !error; first = end) {
		for (end = first + 1; end < count && compare_identity(&children[first], &children[end]) == 0; end++)
			;
		error = merge_group(view, stack, job->target, children + first, end - first);
	}
	free(children);
	return error ? error : call_node_sort_children(job->target, sort);
}

static struct cprof_error *run_merge(struct call_view *view, struct merge_stack *stack, enum call_sort sort)
{
	struct cprof_error *error = NULL;

	while (stack->count) {
		struct merge_job job = stack->jobs[--stack->count];

		if (!error)
			error = merge_children(view, stack, &job, sort);
		free(job.sources);
	}
	free(stack->jobs);
	return error;
}

struct cprof_error *view_nodes_merge(struct call_view *view, const struct call_node *const *nodes, size_t count, enum call_sort sort)
{
	struct merge_stack stack = { NULL, 0, 0 };
	struct call_node *root = view_nodes_add(view), *holders = calloc(count + 1, sizeof *holders);
	const struct call_node **sources = malloc((count + 1) * sizeof *sources);
	struct cprof_error *error = NULL;

	if (!root || !sources || !holders) {
		error = &cprof_enomem;
		goto out;
	}
	*root = (struct call_node){ .kind = NODE_ROOT, .function = UINT32_MAX, .name = view->root->name };
	view->nodes = 1;
	struct call_metrics *metrics = view->profile->metrics ? view_metrics_add(view) : NULL;

	if (view->profile->metrics && !metrics) {
		error = &cprof_enomem;
		goto out;
	}
	root->numbers.metrics = metrics;
	for (size_t i = 0; i < count; i++) {
		for (int m = 0; metrics && nodes[i]->numbers.metrics && m < NR_METRICS; m++)
			metrics->total[m] += nodes[i]->numbers.metrics->total[m];
		root->numbers.total_ticks += nodes[i]->numbers.total_ticks;
		root->numbers.span_ticks += nodes[i]->numbers.span_ticks;
		/* A parent of its own for each: merging looks at the children of its sources. A call is not known by its place here. */
		struct call_node *copy = view_nodes_add(view);
		if (!copy) {
			error = &cprof_enomem;
			goto out;
		}
		*copy = *nodes[i];
		copy->next_sibling = NULL;
		copy->site_file = copy->site_module = NULL;
		copy->site_line = copy->site_column = 0;
		copy->site_address = 0;
		holders[i].first_child = copy;
		sources[i] = &holders[i];
	}
	error = push_job(&stack, root, sources, count);
	if (!error)
		error = run_merge(view, &stack, sort);
	if (!error) {
		view->root = root;
		view->whole = false;
	}
out:
	free(holders);
	free(sources);
	return error;
}

struct cprof_error *view_nodes_sort(struct call_view *view, enum call_sort sort)
{
	struct merge_stack stack = { NULL, 0, 0 };
	const struct call_node *source = view->root;
	struct cprof_error *error;

	view->nodes = 0;
	error = merge_group(view, &stack, NULL, &source, 1);
	if (error)
		return error;
	view->root = stack.jobs[0].target;
	return run_merge(view, &stack, sort);
}
