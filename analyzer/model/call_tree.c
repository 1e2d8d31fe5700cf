/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_tree.h"

#include <stdlib.h>

#include "tree_metrics.h"

struct path_sums {
	struct call_numbers numbers;
	struct call_metrics *metrics; /* of what becomes its node; NULL while it has none */
	uint64_t recursive_calls;
	struct call_node *node;
	bool used;
};

/* One call_tree_add(). */
struct addition {
	struct call_tree *tree;
	const struct context_map *map;
	const struct call_tally *tally;
	const struct tree_facts *facts;
	uint32_t *slot_paths;        /* [slot] */
	struct path_sums *sums;      /* [path] */
	uint32_t *members;           /* slots, those of a path together */
	uint32_t *first_members;     /* [path], and one more */
	struct histogram_sum durations; /* of one path at a time */
};

void call_tree_add_metric(struct call_node *node, enum call_metric metric, uint64_t value)
{
	if (node->numbers.metrics)
		tree_metrics_of(node)->self[metric] += value;
}

struct cprof_error *call_tree_init(struct call_tree *tree, struct call_registry *registry, uint32_t metrics, double clock_hz)
{
	struct call_metrics *root_metrics = NULL;

	*tree = (struct call_tree){ .registry = registry, .store = registry->store, .metrics = metrics, .clock_hz = clock_hz };
	tree->root = text_store_alloc(tree->store, sizeof *tree->root);
	if (!tree->root)
		return &cprof_enomem;
	*tree->root = (struct call_node){ .kind = NODE_ROOT, .function = FUNCTION_NONE, .name = "all threads", .site_module = "" };
	struct cprof_error *error = tree_metrics_make(tree, &root_metrics);

	tree->root->numbers.metrics = root_metrics;
	return error;
}

void call_tree_deinit(struct call_tree *tree)
{
	free(tree->nodes);
	free(tree->pairs);
	number_map_deinit(&tree->pair_of);
	number_map_deinit(&tree->sampled_of);
	*tree = (struct call_tree){ 0 };
}

static struct cprof_error *node_make(struct call_tree *tree, struct call_node *parent, enum call_node_kind kind, struct call_node **ret)
{
	if (tree->nr_nodes == tree->nodes_capacity) {
		size_t capacity = tree->nodes_capacity ? tree->nodes_capacity * 2 : 256;
		struct call_node **grown = realloc(tree->nodes, capacity * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		tree->nodes = grown;
		tree->nodes_capacity = capacity;
	}
	struct call_node *node = text_store_alloc(tree->store, sizeof *node);
	if (!node)
		return &cprof_enomem;
	*node = (struct call_node){ .parent = parent, .kind = kind, .function = FUNCTION_NONE, .name = "", .site_module = "" };
	tree->nodes[tree->nr_nodes++] = node;
	*ret = node;

	struct call_metrics *metrics = NULL;
	struct cprof_error *error = kind == NODE_FUNCTION || kind == NODE_OVERFLOW ? NULL : tree_metrics_make(tree, &metrics);

	node->numbers.metrics = metrics;
	return error;
}

struct cprof_error *call_tree_add_top(struct call_tree *tree, struct call_node *parent, enum call_node_kind kind, const char *name,
				      struct call_node **ret)
{
	const char *kept;
	struct cprof_error *error = text_store_add(tree->store, name, &kept);

	if (!error)
		error = node_make(tree, parent, kind, ret);
	if (!error)
		(*ret)->name = kept;
	return error;
}

/* The trace's id that a slot stands for. */
static uint32_t slot_id(const struct call_tally *tally, uint32_t slot)
{
	return slot < tally->nr_contexts ? slot : tally->paths[slot - tally->nr_contexts].id;
}

static struct cprof_error *slots_place(struct addition *a)
{
	for (uint32_t slot = 0; slot < a->tally->nr_slots; slot++) {
		uint32_t id = slot_id(a->tally, slot);
		struct cprof_error *error = NULL;

		a->slot_paths[slot] = a->map->paths[id];
		/* Rolled out, a path begins where it was called; else it only remembers the caller of a context that has none. */
		if (slot >= a->tally->nr_contexts && a->tally->unroll)
			error = call_registry_path(a->tree->registry, a->slot_paths[a->tally->slots[slot].parent], a->map->functions[id],
						   a->map->sites[id], &a->slot_paths[slot]);
		if (error)
			return error;
	}
	return NULL;
}

/* Counting sort of the slots by path. */
static void members_sort(struct addition *a)
{
	size_t nr_paths = a->tree->registry->nr_paths;

	for (uint32_t slot = 1; slot < a->tally->nr_slots; slot++)
		a->first_members[a->slot_paths[slot] + 1]++;
	for (size_t path = 0; path < nr_paths; path++)
		a->first_members[path + 1] += a->first_members[path];
	for (uint32_t slot = a->tally->nr_slots; --slot;)
		a->members[--a->first_members[a->slot_paths[slot] + 1]] = slot;
	/* Each count now stands one place too far up, at its path's beginning. */
	for (size_t path = 0; path < nr_paths; path++)
		a->first_members[path] = a->first_members[path + 1];
	a->first_members[nr_paths] = a->tally->nr_slots - 1;
}

static struct cprof_error *pair_add(struct call_tree *tree, uint32_t caller, uint32_t callee, uint64_t calls)
{
	struct number_key key = { caller, callee, 0 };
	uint32_t index = number_map_find(&tree->pair_of, key);
	struct cprof_error *error;

	if (index != NUMBER_MAP_NONE) {
		tree->pairs[index].calls += calls;
		return NULL;
	}
	if (tree->nr_pairs == tree->pairs_capacity) {
		size_t capacity = tree->pairs_capacity ? tree->pairs_capacity * 2 : 256;
		struct call_pair *grown = realloc(tree->pairs, capacity * sizeof *grown);

		if (!grown)
			return &cprof_enomem;
		tree->pairs = grown;
		tree->pairs_capacity = capacity;
	}
	error = number_map_add(&tree->pair_of, key, (uint32_t)tree->nr_pairs);
	if (!error)
		tree->pairs[tree->nr_pairs++] = (struct call_pair){ caller, callee, calls };
	return error;
}

/* Adds the shortest and longest call of one to the other. calls: how many of them from has timed to their end. */
static void numbers_take_range(struct call_numbers *numbers, uint64_t timed_before, uint64_t min_ticks, uint64_t max_ticks)
{
	if (!timed_before || min_ticks < numbers->min_ticks)
		numbers->min_ticks = min_ticks;
	if (max_ticks > numbers->max_ticks)
		numbers->max_ticks = max_ticks;
}

static struct cprof_error *path_metrics(struct addition *a, struct path_sums *sums)
{
	sums->used = true;
	return tree_metrics_make(a->tree, &sums->metrics);
}

static struct cprof_error *sched_add(struct addition *a, const struct call_sched *sched, struct path_sums *sums)
{
	struct cprof_error *error = path_metrics(a, sums);

	if (!error && sums->metrics)
		tree_metrics_add_sched(sums->metrics, sched);
	return error;
}

static bool has_any(const uint64_t *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (values[i])
			return true;
	return false;
}

static struct cprof_error *kernel_add(struct addition *a, uint32_t context, struct path_sums *sums)
{
	const uint64_t *values = a->facts->metrics[context];
	struct cprof_error *error;

	if (!has_any(values, NR_METRICS))
		return NULL;
	error = path_metrics(a, sums);
	for (int i = 0; !error && sums->metrics && i < NR_METRICS; i++)
		sums->metrics->self[i] += values[i];
	return error;
}

static struct cprof_error *slot_metrics_add(struct addition *a, uint32_t slot, struct path_sums *sums)
{
	const struct call_sched *sched = a->tally->sched.slots ? &a->tally->sched.slots[slot] : NULL;
	struct cprof_error *error = NULL;

	if (sched && (sched->uncovered_ticks || has_any(sched->figures, SCHED_FIGURES)))
		error = sched_add(a, sched, sums);
	if (!error && a->facts->metrics && slot < a->map->nr_contexts)
		error = kernel_add(a, slot, sums);
	return error;
}

static struct cprof_error *slot_add(struct addition *a, uint32_t slot, struct path_sums *sums)
{
	const struct call_slot *own = &a->tally->slots[slot];
	const struct call_slot_rare *rare = &a->tally->rare[slot];
	uint64_t timed_before = a->durations.total;
	uint32_t id = slot_id(a->tally, slot);

	if (!histogram_sum_add(&a->durations, &own->durations))
		return &cprof_enomem;
	for (size_t i = 0; i < a->tally->nr_carries; i++)
		if (a->tally->carries[i].slot == slot &&
		    !histogram_sum_add_count(&a->durations, a->tally->carries[i].bucket, UINT64_C(1) << 32))
			return &cprof_enomem;

	uint64_t timed = a->durations.total - timed_before, calls = timed + rare->calls_cut;
	sums->used |= calls || own->self_ticks || rare->suspended_ticks;
	sums->numbers.suspended_ticks += rare->suspended_ticks;
	sums->numbers.calls += calls;
	sums->numbers.open += rare->open;
	sums->numbers.repaired += rare->repaired;
	sums->numbers.self_ticks += own->self_ticks;
	if (context_map_is_edge(a->map, id) && !a->tally->unroll)
		sums->recursive_calls += calls;
	if (timed)
		numbers_take_range(&sums->numbers, timed_before, ~own->min_complement, own->max_ticks);
	if (!calls)
		return NULL;

	uint32_t caller = slot_id(a->tally, own->parent);
	return pair_add(a->tree, a->map->functions[caller], a->map->functions[id], calls);
}

static void numbers_set_percentiles(struct call_numbers *numbers, const struct histogram_sum *durations)
{
	static const uint32_t percents[] = { 50, 90, 99 };
	uint64_t bounds[3];

	histogram_sum_percentiles(durations, percents, bounds, 3);
	for (int i = 0; i < 3; i++)
		if (bounds[i] > numbers->max_ticks)
			bounds[i] = numbers->max_ticks;
	numbers->p50_ticks = bounds[0];
	numbers->p90_ticks = bounds[1];
	numbers->p99_ticks = bounds[2];
}

/* What happened in calls of a function, whatever called it. Spans and totals come later. */
static struct cprof_error *function_add(struct addition *a, uint32_t function, const struct call_numbers *numbers)
{
	struct call_numbers *sum = &a->tree->registry->functions[function].numbers;
	struct histogram_sum *durations = &a->tree->registry->durations[function];

	if (a->durations.total)
		numbers_take_range(sum, durations->total, numbers->min_ticks, numbers->max_ticks);
	sum->calls += numbers->calls;
	sum->open += numbers->open;
	sum->repaired += numbers->repaired;
	sum->self_ticks += numbers->self_ticks;
	sum->suspended_ticks += numbers->suspended_ticks;
	return histogram_sum_add_sum(durations, &a->durations) ? NULL : &cprof_enomem;
}

static struct cprof_error *path_add(struct addition *a, uint32_t path)
{
	struct path_sums *sums = &a->sums[path];
	struct cprof_error *error = NULL;

	histogram_sum_reset(&a->durations);
	for (uint32_t i = a->first_members[path]; !error && i < a->first_members[path + 1]; i++) {
		error = slot_add(a, a->members[i], sums);
		if (!error && a->tree->metrics)
			error = slot_metrics_add(a, a->members[i], sums);
	}
	if (error || a->tree->registry->paths[path].function == FUNCTION_NONE)
		return error;
	numbers_set_percentiles(&sums->numbers, &a->durations);
	a->tree->calls += sums->numbers.calls;
	a->tree->open_calls += sums->numbers.open;
	a->tree->repaired_calls += sums->numbers.repaired;
	return function_add(a, a->tree->registry->paths[path].function, &sums->numbers);
}

/* Parents have smaller numbers than their children. */
static void paths_total(struct addition *a)
{
	const struct registered_path *paths = a->tree->registry->paths;

	for (size_t path = a->tree->registry->nr_paths; --path;) {
		struct path_sums *sums = &a->sums[path], *parent = &a->sums[paths[path].parent];

		sums->numbers.total_ticks += sums->numbers.self_ticks;
		parent->numbers.total_ticks += sums->numbers.total_ticks;
		sums->numbers.suspended_total_ticks += sums->numbers.suspended_ticks;
		parent->numbers.suspended_total_ticks += sums->numbers.suspended_total_ticks;
		parent->used |= sums->used;
	}
}

/* Whether the tally counted the open calls of a path; else it was never open twice, and its span is its total. */
static bool path_counted(const struct addition *a, uint32_t function)
{
	return function != FUNCTION_NONE && function < a->map->nr_functions && a->map->function_counted[function];
}

static void spans_set(struct addition *a)
{
	struct call_registry *registry = a->tree->registry;
	const struct call_group *groups = a->tally->groups;

	for (uint32_t path = PATH_OVERFLOW; path < registry->nr_paths; path++) {
		struct call_numbers *numbers = &a->sums[path].numbers;
		uint32_t function = registry->paths[path].function;
		bool counted = path_counted(a, function);

		numbers->span_ticks = numbers->total_ticks;
		if (counted && !a->tally->unroll && context_map_path_group(path) < a->map->function_groups)
			numbers->span_ticks = groups[context_map_path_group(path)].span_ticks;
		if (function != FUNCTION_NONE) /* folded, a function is on a path once */
			registry->functions[function].numbers.suspended_total_ticks += numbers->suspended_total_ticks;
		if (function != FUNCTION_NONE && !counted)
			registry->functions[function].numbers.span_ticks += numbers->total_ticks;
	}
	for (uint32_t function = 0; function < a->map->nr_functions; function++)
		if (a->map->function_counted[function])
			registry->functions[function].numbers.span_ticks +=
				groups[context_map_function_group(a->map, function)].span_ticks;
}

static void node_describe(struct call_node *node, const struct call_registry *registry, uint32_t path)
{
	const struct registered_path *own = &registry->paths[path];
	const struct call_site *site = &registry->sites[own->site];

	node->function = own->function;
	node->name = own->function == FUNCTION_NONE ? "context table full" : registry->functions[own->function].name;
	node->site_file = site->file;
	node->site_line = site->line;
	node->site_column = site->column;
	node->site_module = site->module;
	node->site_address = site->address;
}

static struct cprof_error *nodes_make(struct addition *a, struct call_node *top)
{
	const struct call_registry *registry = a->tree->registry;

	a->sums[PATH_TOP].node = top;
	if (a->facts->metrics && top->numbers.metrics)
		for (int i = 0; i < NR_METRICS; i++) /* outside of every call; time is nobody's there */
			tree_metrics_of(top)->self[i] += METRICS_TIMES & 1u << i ? 0 : a->facts->metrics[0][i];
	top->numbers.total_ticks += a->sums[PATH_TOP].numbers.total_ticks;
	top->numbers.suspended_total_ticks += a->sums[PATH_TOP].numbers.suspended_total_ticks;
	for (uint32_t path = PATH_OVERFLOW; path < registry->nr_paths; path++) {
		struct path_sums *sums = &a->sums[path];
		enum call_node_kind kind = path == PATH_OVERFLOW ? NODE_OVERFLOW : NODE_FUNCTION;
		struct cprof_error *error;

		if (!sums->used)
			continue;
		error = node_make(a->tree, a->sums[registry->paths[path].parent].node, kind, &sums->node);
		if (error)
			return error;
		node_describe(sums->node, registry, path);
		error = tree_metrics_make(a->tree, &sums->metrics);
		if (error)
			return error;
		sums->node->numbers = sums->numbers;
		sums->node->numbers.metrics = sums->metrics;
		sums->node->recursive_calls = sums->recursive_calls;
	}
	for (uint32_t id = 0; a->facts->nodes && id < a->map->nr_contexts; id++)
		a->facts->nodes[id] = a->sums[a->map->paths[id]].node;
	return NULL;
}

static struct cprof_error *addition_run(struct addition *a, struct call_node *top)
{
	struct cprof_error *error = slots_place(a);
	size_t nr_paths = a->tree->registry->nr_paths;

	if (error)
		return error;
	a->sums = calloc(nr_paths, sizeof *a->sums);
	a->first_members = calloc(nr_paths + 1, sizeof *a->first_members);
	if (!a->sums || !a->first_members)
		return &cprof_enomem;
	members_sort(a);
	for (uint32_t path = 0; !error && path < nr_paths; path++)
		error = path_add(a, path);
	if (error)
		return error;
	paths_total(a);
	spans_set(a);
	return nodes_make(a, top);
}

struct cprof_error *call_tree_add(struct call_tree *tree, const struct context_map *map, const struct call_tally *tally, const struct tree_facts *facts,
				  struct call_node *top)
{
	struct addition a = { .tree = tree, .map = map, .tally = tally, .facts = facts };
	struct cprof_error *error = &cprof_enomem;

	a.slot_paths = calloc(tally->nr_slots, sizeof *a.slot_paths);
	a.members = calloc(tally->nr_slots, sizeof *a.members);
	if (a.slot_paths && a.members)
		error = addition_run(&a, top);
	free(a.slot_paths);
	free(a.sums);
	free(a.members);
	free(a.first_members);
	histogram_sum_deinit(&a.durations);
	return error;
}

struct cprof_error *call_tree_sampled(struct call_tree *tree, struct call_node *node, const char *name, const char *module, struct call_node **ret)
{
	struct number_key key = { (uintptr_t)node, (uintptr_t)name, (uintptr_t)module };
	uint32_t index = number_map_find(&tree->sampled_of, key);
	struct cprof_error *error;

	if (index != NUMBER_MAP_NONE) {
		*ret = tree->nodes[index];
		return NULL;
	}
	error = number_map_add(&tree->sampled_of, key, (uint32_t)tree->nr_nodes);
	if (!error)
		error = node_make(tree, node, NODE_SAMPLED, ret);
	if (error)
		return error;
	(*ret)->name = name;
	(*ret)->site_module = module;
	return NULL;
}

static int rank_compare(const void *left, const void *right)
{
	const struct call_node *a = *(struct call_node *const *)left, *b = *(struct call_node *const *)right;

	if (a->numbers.total_ticks != b->numbers.total_ticks)
		return a->numbers.total_ticks > b->numbers.total_ticks ? -1 : 1;
	if (!a->numbers.metrics || !b->numbers.metrics) /* samples have no time of their own */
		return 0;
	return a->numbers.metrics->total[METRIC_SAMPLED] > b->numbers.metrics->total[METRIC_SAMPLED]
		       ? -1
		       : a->numbers.metrics->total[METRIC_SAMPLED] < b->numbers.metrics->total[METRIC_SAMPLED];
}

/*
 * Children in order of total, larger first, and of equals the one met first. Family by family: what a parent has are a few. family is room for
 * them all. qsort() of glibc is stable as long as it has memory; without, equals may change places.
 */
static void children_rank(struct call_node *parent, struct call_node **family)
{
	size_t count = 0;

	for (struct call_node *child = parent->first_child; child; child = child->next_sibling)
		family[count++] = child;
	if (count < 2)
		return;
	qsort(family, count, sizeof *family, rank_compare);
	for (size_t i = 0; i < count; i++)
		family[i]->next_sibling = i + 1 < count ? family[i + 1] : NULL;
	parent->first_child = family[0];
}

static struct cprof_error *nodes_rank(struct call_tree *tree)
{
	struct call_node **family = malloc((tree->nr_nodes + 1) * sizeof *family);

	if (!family)
		return &cprof_enomem;
	for (size_t i = tree->nr_nodes; i--;) {
		struct call_node *node = tree->nodes[i];

		node->next_sibling = node->parent->first_child;
		node->parent->first_child = node;
	}
	children_rank(tree->root, family);
	for (size_t i = 0; i < tree->nr_nodes; i++)
		children_rank(tree->nodes[i], family);
	free(family);
	return NULL;
}

static int pair_compare(const void *left, const void *right)
{
	const struct call_pair *a = left, *b = right;

	if (a->caller != b->caller)
		return a->caller < b->caller ? -1 : 1;
	return a->callee < b->callee ? -1 : a->callee > b->callee;
}

static void tops_total(struct call_tree *tree)
{
	for (size_t i = tree->nr_nodes; i--;) {
		struct call_node *node = tree->nodes[i];

		if (node->kind != NODE_PROCESS && node->kind != NODE_THREAD)
			continue;
		node->numbers.span_ticks = node->numbers.total_ticks;
		node->parent->numbers.total_ticks += node->numbers.total_ticks;
		node->parent->numbers.suspended_total_ticks += node->numbers.suspended_total_ticks;
	}
	tree->root->numbers.span_ticks = tree->root->numbers.total_ticks;
}

struct cprof_error *call_tree_finish(struct call_tree *tree)
{
	tops_total(tree);
	if (tree->metrics)
		tree_metrics_finish(tree);
	struct cprof_error *error = nodes_rank(tree);

	if (!error && tree->metrics)
		error = tree_metrics_of_functions(tree);
	if (error)
		return error;
	if (tree->nr_pairs)
		qsort(tree->pairs, tree->nr_pairs, sizeof *tree->pairs, pair_compare);
	for (size_t i = 0; i < tree->registry->nr_functions; i++) {
		struct call_function *function = &tree->registry->functions[i];

		numbers_set_percentiles(&function->numbers, &tree->registry->durations[i]);
		function->numbers.total_ticks = function->numbers.span_ticks;
	}
	return NULL;
}
