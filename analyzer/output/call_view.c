/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "function_match.h"
#include "thread_list.h"

enum { CHUNK_NODES = 1024 };

const char *const call_sort_names[] = { "total", "self", "calls", "avg", "max", "name", NULL };

/* Nodes made by views live in chunks and die with the view. */
struct call_view_nodes {
	struct call_view_nodes *next;
	size_t used;
	struct call_node nodes[CHUNK_NODES];
};

static struct call_node *add_node(struct call_view *view)
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

void call_view_destroy(struct call_view *view)
{
	struct call_view_nodes *next;

	for (struct call_view_nodes *chunk = view->private_nodes; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	view->private_nodes = NULL;
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

uint64_t call_average_ticks(const struct call_numbers *numbers)
{
	uint64_t calls = numbers->calls;

	/* span, not total: calls that recurse into themselves are within their own time. Open calls count with the time they have had. */
	return calls ? numbers->span_ticks / calls + (numbers->span_ticks % calls >= calls - calls / 2) : 0;
}

/* Descending for numbers, ascending for names. */
static int compare_numbers(const struct call_numbers *a, const char *a_name, const struct call_numbers *b, const char *b_name, enum call_sort sort)
{
	uint64_t left, right;

	switch (sort) {
	case CALL_SORT_SELF:
		left = a->self_ticks, right = b->self_ticks;
		break;
	case CALL_SORT_CALLS:
		left = a->calls, right = b->calls;
		break;
	case CALL_SORT_AVERAGE:
		left = call_average_ticks(a), right = call_average_ticks(b);
		break;
	case CALL_SORT_MAX:
		left = a->max_ticks, right = b->max_ticks;
		break;
	case CALL_SORT_NAME:
		left = right = 0;
		break;
	default:
		left = a->total_ticks, right = b->total_ticks;
	}
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
	int order = compare_numbers(&a->node->numbers, a->node->name, &b->node->numbers, b->node->name, a->sort);

	return order ? order : a->index < b->index ? -1 : 1;
}

static struct cprof_error *sort_children(struct call_node *node, enum call_sort sort)
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

static void add_numbers(struct call_numbers *sum, const struct call_numbers *add)
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
	sum->span_ticks += add->span_ticks;
	sum->p50_ticks = sum->p90_ticks = sum->p99_ticks = CALL_TICKS_UNKNOWN;
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
	struct call_node *node = add_node(view);

	if (!node)
		return &cprof_enomem;
	*node = *sources[0];
	node->parent = parent;
	node->first_child = NULL;
	node->next_sibling = NULL;
	for (size_t i = 1; i < count; i++) {
		add_numbers(&node->numbers, &sources[i]->numbers);
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
	return error ? error : sort_children(job->target, sort);
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

/* A root over copies of nodes: the nodes themselves (as_children), or only what is below them. */
static struct cprof_error *merge_under_root(struct call_view *view, const struct call_node *const *nodes, size_t count, bool as_children,
					    enum call_sort sort)
{
	struct merge_stack stack = { NULL, 0, 0 };
	struct call_node *root = add_node(view), *holders = NULL;
	const struct call_node **sources = malloc((count + 1) * sizeof *sources);
	struct cprof_error *error = NULL;

	if (as_children)
		holders = calloc(count + 1, sizeof *holders);
	if (!root || !sources || (as_children && !holders)) {
		error = &cprof_enomem;
		goto out;
	}
	*root = (struct call_node){ .kind = NODE_ROOT, .function = UINT32_MAX, .name = view->root->name };
	view->nodes = 1;
	for (size_t i = 0; i < count; i++) {
		root->numbers.total_ticks += nodes[i]->numbers.total_ticks;
		root->numbers.span_ticks += nodes[i]->numbers.span_ticks;
		if (!as_children) {
			root->numbers.self_ticks += nodes[i]->numbers.self_ticks;
			sources[i] = nodes[i];
			continue;
		}
		/* A parent of its own for each: merging looks at the children of its sources. A call is not known by its place here. */
		struct call_node *copy = add_node(view);
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

static struct cprof_error *view_threads(struct call_view *view, const struct call_view_options *options)
{
	const struct call_node **nodes = NULL;
	struct cprof_error *error = NULL;
	size_t count = 0, depth = 0;

	for (const struct call_node *node = view->root; node && !error; ) {
		bool thread = node->kind == NODE_THREAD;

		if (thread && (!options->threads || thread_list_has(options->threads, node->name)))
			error = add_source(&nodes, &count, node);
		node = call_node_next(view->root, node, thread || node->kind == NODE_FUNCTION, &depth);
	}
	if (!error && !count)
		error = cprof_error_create(CPROF_ERROR_NOT_FOUND, "no thread '%s' in this trace (see: cprof-analyze threads)", options->threads);
	if (!error)
		error = merge_under_root(view, nodes, count, options->by_thread, options->sort);
	free(nodes);
	return error;
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
		error = cprof_error_create(CPROF_ERROR_NOT_FOUND, "no call of a function '%s' in this trace (see: cprof-analyze flat)", options->focus);
	if (!error)
		error = merge_under_root(view, nodes, count, true, options->sort);
	free(nodes);
	return error;
}

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
		struct call_node *copy = add_node(view);
		if (!copy)
			return &cprof_enomem;
		*copy = *items[i].source;
		copy->first_child = copy->next_sibling = copy->parent = NULL;
		copy->numbers.self_ticks = items[i].self_ticks;
		copy->numbers.total_ticks = items[i].total_ticks;
		items[i].copy = copy;
		view->nodes++;
		if (i) {
			copy->parent = items[items[i].parent].copy;
			copy->next_sibling = copy->parent->first_child;
			copy->parent->first_child = copy;
		}
	}
	for (size_t i = 0; i < count; i++) {
		struct cprof_error *error = items[i].copy ? sort_children(items[i].copy, sort) : NULL;

		if (error)
			return error;
	}
	view->root = items[0].copy;
	view->whole = false;
	view->filtered = true;
	return NULL;
}

static struct cprof_error *view_filter(struct call_view *view, const struct call_view_options *options)
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

static struct cprof_error *view_sorted(struct call_view *view, const struct call_view_options *options)
{
	struct merge_stack stack = { NULL, 0, 0 };
	const struct call_node *source = view->root;
	struct cprof_error *error;

	view->nodes = 0;
	error = merge_group(view, &stack, NULL, &source, 1);
	if (error)
		return error;
	view->root = stack.jobs[0].target;
	return run_merge(view, &stack, options->sort);
}

struct cprof_error *call_view_create(const struct profile *profile, const struct call_view_options *options, struct call_view *ret)
{
	struct call_view view = { .profile = profile, .root = profile->root, .whole = true };
	struct cprof_error *error = NULL;
	size_t depth = 0;

	for (const struct call_node *node = view.root; node; node = call_node_next(view.root, node, false, &depth))
		view.nodes++;
	if (options->threads)
		error = view_threads(&view, options);
	if (!error && options->focus)
		error = view_focus(&view, options);
	if (!error && (options->filter || options->exclude))
		error = view_filter(&view, options);
	if (!error && view.whole && options->sort != CALL_SORT_TOTAL)
		error = view_sorted(&view, options);
	if (error) {
		call_view_destroy(&view);
		return error;
	}
	*ret = view;
	return NULL;
}

struct row_order {
	struct call_row row;
	enum call_sort sort;
};

static int compare_rows(const void *a_row, const void *b_row)
{
	const struct row_order *a = a_row, *b = b_row;
	int order = compare_numbers(&a->row.numbers, a->row.function->name, &b->row.numbers, b->row.function->name, a->sort);

	return order ? order : a->row.function < b->row.function ? -1 : 1;
}

static void add_row(struct row_order *row, const struct call_node *node, bool outermost)
{
	struct call_numbers add = node->numbers;

	/* Below itself (unrolled recursion) a function's time is already in that of the outer call. */
	add.total_ticks = add.span_ticks = outermost ? node->numbers.span_ticks : 0;
	if (row->row.numbers.calls == 0 && row->row.numbers.self_ticks == 0 && row->row.numbers.total_ticks == 0)
		row->row.numbers = add;
	else
		add_numbers(&row->row.numbers, &add);
}

static struct cprof_error *sum_rows(const struct call_view *view, struct row_order *rows)
{
	size_t *on_path = calloc(view->profile->nr_functions + 1, sizeof *on_path);
	const struct call_node *node = view->root;

	if (!on_path)
		return &cprof_enomem;
	while (node) {
		if (node->kind == NODE_FUNCTION)
			add_row(&rows[node->function], node, on_path[node->function] == 0);
		if (node->first_child) {
			if (node->kind == NODE_FUNCTION)
				on_path[node->function]++;
			node = node->first_child;
			continue;
		}
		while (node != view->root && !node->next_sibling) {
			node = node->parent;
			if (node->kind == NODE_FUNCTION)
				on_path[node->function]--;
		}
		node = node == view->root ? NULL : node->next_sibling;
	}
	free(on_path);
	return NULL;
}

struct cprof_error *call_view_rows(const struct call_view *view, enum call_sort sort, struct call_row **ret, size_t *count)
{
	size_t functions = view->profile->nr_functions, used = 0;
	struct row_order *rows = calloc(functions + 1, sizeof *rows);
	struct call_row *result = malloc((functions + 1) * sizeof *result);
	struct cprof_error *error = NULL;

	if (!rows || !result)
		error = &cprof_enomem;
	for (size_t i = 0; !error && i < functions; i++) {
		rows[i] = (struct row_order){ { &view->profile->functions[i], { 0 } }, sort };
		if (view->whole)
			rows[i].row.numbers = view->profile->functions[i].numbers;
	}
	if (!error && !view->whole)
		error = sum_rows(view, rows);
	for (size_t i = 0; !error && i < functions; i++)
		if (rows[i].row.numbers.calls || rows[i].row.numbers.total_ticks)
			rows[used++] = rows[i];
	if (!error) {
		qsort(rows, used, sizeof *rows, compare_rows);
		for (size_t i = 0; i < used; i++)
			result[i] = rows[i].row;
		*ret = result;
		*count = used;
	} else {
		free(result);
	}
	free(rows);
	return error;
}
