/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_rows.h"

#include <stdlib.h>

#include "function_match.h"
#include "view_nodes.h"

struct row_order {
	struct call_row row;
	enum call_sort sort;
};

static int compare_rows(const void *a_row, const void *b_row)
{
	const struct row_order *a = a_row, *b = b_row;
	const struct call_metrics *left = a->row.numbers.metrics, *right = b->row.numbers.metrics;
	int order;

	/* Of a function, what it did itself. */
	if (a->sort >= CALL_SORT_METRIC && left && right && left->self[a->sort - CALL_SORT_METRIC] != right->self[a->sort - CALL_SORT_METRIC])
		return left->self[a->sort - CALL_SORT_METRIC] < right->self[a->sort - CALL_SORT_METRIC] ? 1 : -1;
	order = call_numbers_compare(&a->row.numbers, a->row.function->name, &b->row.numbers, b->row.function->name, a->sort);
	return order ? order : a->row.function < b->row.function ? -1 : 1;
}

static void add_row(struct row_order *row, const struct call_node *node, bool outermost)
{
	struct call_numbers add = node->numbers;
	struct call_metrics *metrics = (struct call_metrics *)row->row.numbers.metrics;

	for (int m = 0; metrics && add.metrics && m < NR_METRICS; m++) {
		metrics->self[m] += add.metrics->self[m];
		metrics->total[m] += outermost ? add.metrics->total[m] : 0;
	}
	add.metrics = metrics;

	/* Below itself (unrolled recursion) a function's time is already in that of the outer call. */
	add.total_ticks = add.span_ticks = outermost ? node->numbers.span_ticks : 0;
	if (row->row.numbers.calls == 0 && row->row.numbers.self_ticks == 0 && row->row.numbers.total_ticks == 0)
		row->row.numbers = add;
	else
		call_numbers_add(&row->row.numbers, NULL, &add);
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

struct cprof_error *call_rows_create(const struct call_view *view, enum call_sort sort, struct call_row **ret, size_t *count)
{
	size_t functions = view->profile->nr_functions, used = 0;
	struct row_order *rows = calloc(functions + 1, sizeof *rows);
	bool own_metrics = view->profile->metrics && !view->whole;
	struct call_row *result = calloc(1, (functions + 1) * (sizeof *result + (own_metrics ? sizeof(struct call_metrics) : 0)));
	struct call_metrics *metrics = own_metrics && result ? (struct call_metrics *)(void *)(result + functions + 1) : NULL; /* freed with the rows */
	struct cprof_error *error = NULL;

	if (!rows || !result)
		error = &cprof_enomem;
	for (size_t i = 0; !error && i < functions; i++) {
		rows[i] = (struct row_order){ { &view->profile->functions[i], { 0 } }, sort };
		if (view->whole)
			rows[i].row.numbers = view->profile->functions[i].numbers;
		else
			rows[i].row.numbers.metrics = metrics ? &metrics[i] : NULL;
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

struct cprof_error *call_rows_choose(const struct call_view *view, const char *filter, const char *exclude, double min_percent, struct call_row *rows,
				     size_t *count)
{
	const struct profile *profile = view->profile;
	double least = min_percent / 100 * (double)view->root->numbers.total_ticks;
	bool *wanted = NULL, *unwanted = NULL;
	size_t kept = 0;
	struct cprof_error *error = function_match_pattern(profile->functions, profile->nr_functions, "filter", filter, &wanted);

	if (!error)
		error = function_match_pattern(profile->functions, profile->nr_functions, "exclude", exclude, &unwanted);
	for (size_t i = 0; !error && i < *count; i++) {
		size_t function = (size_t)(rows[i].function - profile->functions);

		if ((!wanted || wanted[function]) && !(unwanted && unwanted[function]) && (double)rows[i].numbers.total_ticks >= least)
			rows[kept++] = rows[i];
	}
	if (!error)
		*count = kept;
	free(wanted);
	free(unwanted);
	return error;
}
