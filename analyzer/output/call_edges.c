/* SPDX-License-Identifier: BSD-2-Clause */
#include "call_edges.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "call_view.h"
#include "human_ticks.h"
#include "numbers_json.h"

#define OUTSIDE "(outside)"

static int compare_pair(uint32_t a_first, uint32_t a_second, uint32_t b_first, uint32_t b_second)
{
	if (a_first != b_first)
		return a_first < b_first ? -1 : 1;
	return a_second < b_second ? -1 : a_second > b_second;
}

static struct call_edge *find_edge(struct call_edge *edges, size_t count, uint32_t caller, uint32_t callee)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_pair(edges[middle].caller, edges[middle].callee, caller, callee) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && edges[low].caller == caller && edges[low].callee == callee ? &edges[low] : NULL;
}

static int compare_time(const struct call_edge *a, const struct call_edge *b)
{
	if (a->total_ticks != b->total_ticks)
		return a->total_ticks < b->total_ticks ? 1 : -1;
	if (a->calls != b->calls)
		return a->calls < b->calls ? 1 : -1;
	return compare_pair(a->caller, a->callee, b->caller, b->callee);
}

static int compare_by_caller(const void *a_edge, const void *b_edge)
{
	const struct call_edge *a = a_edge, *b = b_edge;

	return a->caller != b->caller ? (a->caller < b->caller ? -1 : 1) : compare_time(a, b);
}

static int compare_by_callee(const void *a_edge, const void *b_edge)
{
	const struct call_edge *a = a_edge, *b = b_edge;

	return a->callee != b->callee ? (a->callee < b->callee ? -1 : 1) : compare_time(a, b);
}

static struct call_edge edge_above(const struct call_node *node)
{
	return (struct call_edge){ node->parent->kind == NODE_FUNCTION ? node->parent->function : UINT32_MAX, node->function, 0, node->numbers.total_ticks };
}

static void add_times(const struct profile *profile, struct call_edge *edges, size_t count)
{
	size_t depth = 0;

	for (const struct call_node *node = profile->root; node; node = call_node_next(profile->root, node, false, &depth)) {
		if (node->kind != NODE_FUNCTION)
			continue;
		struct call_edge add = edge_above(node);
		find_edge(edges, count, add.caller, add.callee)->total_ticks += add.total_ticks;
	}
}

static int compare_edges(const void *a_edge, const void *b_edge)
{
	const struct call_edge *a = a_edge, *b = b_edge;

	return compare_pair(a->caller, a->callee, b->caller, b->callee);
}

/* Where a call went on from before the range, or the process, there is time but no call: an edge of its own. */
static size_t add_uncounted(const struct profile *profile, struct call_edge *edges, size_t counted)
{
	size_t depth = 0, count = counted, kept = 0;

	for (const struct call_node *node = profile->root; node; node = call_node_next(profile->root, node, false, &depth)) {
		if (node->kind != NODE_FUNCTION)
			continue;
		struct call_edge add = edge_above(node);
		add.total_ticks = 0;
		if (!find_edge(edges, counted, add.caller, add.callee))
			edges[count++] = add;
	}
	qsort(edges, count, sizeof *edges, compare_edges);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare_edges(&edges[kept - 1], &edges[i]) != 0)
			edges[kept++] = edges[i];
	return kept;
}

struct cprof_error *call_edges_create(const struct profile *profile, struct call_edges *ret)
{
	struct call_edges edges = { .profile = profile };
	size_t most = profile->nr_pairs + profile->nodes + 1;

	edges.by_caller = calloc(most, sizeof *edges.by_caller);
	if (!edges.by_caller)
		return &cprof_enomem;
	for (size_t i = 0; i < profile->nr_pairs; i++)
		edges.by_caller[i] = (struct call_edge){ profile->pairs[i].caller, profile->pairs[i].callee, profile->pairs[i].calls, 0 };
	edges.count = add_uncounted(profile, edges.by_caller, profile->nr_pairs);
	add_times(profile, edges.by_caller, edges.count);
	edges.by_callee = calloc(edges.count + 1, sizeof *edges.by_callee);
	if (!edges.by_callee) {
		call_edges_destroy(&edges);
		return &cprof_enomem;
	}
	memcpy(edges.by_callee, edges.by_caller, edges.count * sizeof *edges.by_callee);
	qsort(edges.by_caller, edges.count, sizeof *edges.by_caller, compare_by_caller);
	qsort(edges.by_callee, edges.count, sizeof *edges.by_callee, compare_by_callee);
	*ret = edges;
	return NULL;
}

void call_edges_destroy(struct call_edges *edges)
{
	free(edges->by_caller);
	free(edges->by_callee);
	*edges = (struct call_edges){ NULL, NULL, NULL, 0 };
}

static const char *function_name(const struct profile *profile, uint32_t function)
{
	return function == UINT32_MAX ? OUTSIDE : profile->functions[function].name;
}

/* The first edge whose key (caller or callee) is not below function; both arrays are sorted by theirs. */
static size_t first_of(const struct call_edge *edges, size_t count, bool callees, uint32_t function)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((callees ? edges[middle].caller : edges[middle].callee) < function)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void print_edge(FILE *out, const struct text_style *style, const struct call_edges *edges, const struct call_edge *edge, bool callee)
{
	enum { EDGE_COLUMNS = 2 + 15 + 1 + 8 + 6 };

	fprintf(out, "  %15s %8s", human_count(edge->calls).text, edge->total_ticks ? human_ticks(edges->profile, edge->total_ticks).text : "-");
	fputs(callee ? "    > " : "    < ", out);
	text_print_name(style, out, function_name(edges->profile, callee ? edge->callee : edge->caller), style->width - EDGE_COLUMNS);
	fputc('\n', out);
}

static void print_edges_of(FILE *out, const struct text_style *style, const struct call_edges *edges, bool callees, uint32_t function)
{
	const struct call_edge *list = callees ? edges->by_caller : edges->by_callee;

	for (size_t i = first_of(list, edges->count, callees, function); i < edges->count; i++) {
		if ((callees ? list[i].caller : list[i].callee) != function)
			break;
		print_edge(out, style, edges, &list[i], callees);
	}
}

void call_edges_text(FILE *out, const struct text_style *style, const struct call_edges *edges, unsigned sides, const uint32_t *functions, size_t count)
{
	enum { FUNCTION_COLUMNS = 2 + 15 + 1 + 8 + 2 };

	text_color(style, out, TEXT_BOLD);
	fprintf(out, "  %15s %8s  %s", "calls", "total", "function (< called by, > calls)");
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	for (size_t i = 0; i < count && !ferror(out); i++) {
		const struct call_function *function = &edges->profile->functions[functions[i]];

		fputc('\n', out);
		if (sides & CALL_EDGES_CALLERS)
			print_edges_of(out, style, edges, false, functions[i]);
		text_color(style, out, TEXT_BOLD);
		fprintf(out, "  %15s %8s  ", human_count(function->numbers.calls).text, human_ticks(edges->profile, function->numbers.total_ticks).text);
		text_print_name(style, out, function->name, style->width - FUNCTION_COLUMNS);
		text_color(style, out, TEXT_PLAIN);
		fputc('\n', out);
		if (sides & CALL_EDGES_CALLEES)
			print_edges_of(out, style, edges, true, functions[i]);
	}
}

static bool edge_is_wanted(const struct call_edge *edge, unsigned sides, const bool *wanted)
{
	return !wanted || ((sides & CALL_EDGES_CALLERS) && wanted[edge->callee]) ||
	       ((sides & CALL_EDGES_CALLEES) && edge->caller != UINT32_MAX && wanted[edge->caller]);
}

void call_edges_json(struct json_writer *json, const char *key, const struct call_edges *edges, unsigned sides, const bool *wanted)
{
	json_begin_array(json, key);
	for (size_t i = 0; i < edges->count && !ferror(json->out); i++) {
		const struct call_edge *edge = &edges->by_caller[i];

		if (!edge_is_wanted(edge, sides, wanted))
			continue;
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "caller", edge->caller == UINT32_MAX ? NULL : function_name(edges->profile, edge->caller));
		json_text(json, "callee", function_name(edges->profile, edge->callee));
		json_u64(json, "calls", edge->calls);
		json_u64(json, "total_ns", profile_ns(edges->profile, edge->total_ticks));
		json_end_object(json);
	}
	json_end_array(json);
}

void call_edges_csv(FILE *out, const struct call_edges *edges, unsigned sides, const bool *wanted)
{
	fputs("caller,callee,calls,total_ns\r\n", out);
	for (size_t i = 0; i < edges->count && !ferror(out); i++) {
		const struct call_edge *edge = &edges->by_caller[i];

		if (!edge_is_wanted(edge, sides, wanted))
			continue;
		csv_text(out, edge->caller == UINT32_MAX ? NULL : function_name(edges->profile, edge->caller));
		fputc(',', out);
		csv_text(out, function_name(edges->profile, edge->callee));
		fprintf(out, ",%" PRIu64 ",%" PRIu64 "\r\n", edge->calls, profile_ns(edges->profile, edge->total_ticks));
	}
}
