/* SPDX-License-Identifier: BSD-2-Clause */
#include "sampled_functions.h"

#include <stdlib.h>
#include <string.h>

static int compare_functions(const void *a_pointer, const void *b_pointer)
{
	const struct call_node *a = *(const struct call_node *const *)a_pointer, *b = *(const struct call_node *const *)b_pointer;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->site_module, b->site_module);
}

static struct cprof_error *names_make(struct sampled_functions *functions)
{
	functions->names = calloc(functions->count + 1, sizeof *functions->names);
	for (size_t i = 0; functions->names && i < functions->count; i++) {
		const char *name = functions->nodes[i]->name, *suffix = call_node_suffix(functions->nodes[i]);
		size_t bytes = strlen(name), suffix_bytes = strlen(suffix);

		functions->names[i] = malloc(bytes + suffix_bytes + 1);
		if (!functions->names[i])
			return &cprof_enomem;
		memcpy(functions->names[i], name, bytes);
		memcpy(functions->names[i] + bytes, suffix, suffix_bytes + 1);
	}
	return functions->names ? NULL : &cprof_enomem;
}

struct cprof_error *sampled_functions_init(const struct call_view *view, struct sampled_functions *ret)
{
	struct sampled_functions functions = { 0 };
	size_t depth = 0, count = 0;
	struct cprof_error *error;

	functions.nodes = malloc((view->nodes + 1) * sizeof *functions.nodes);
	if (!functions.nodes)
		return &cprof_enomem;
	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth))
		if (node->kind == NODE_SAMPLED)
			functions.nodes[count++] = node;
	qsort(functions.nodes, count, sizeof *functions.nodes, compare_functions);
	for (size_t i = 0; i < count; i++)
		if (!functions.count || compare_functions(&functions.nodes[functions.count - 1], &functions.nodes[i]) != 0)
			functions.nodes[functions.count++] = functions.nodes[i];
	error = names_make(&functions);
	if (error)
		sampled_functions_deinit(&functions);
	else
		*ret = functions;
	return error;
}

void sampled_functions_deinit(struct sampled_functions *functions)
{
	for (size_t i = 0; functions->names && i < functions->count; i++)
		free(functions->names[i]);
	free(functions->names);
	free(functions->nodes);
	*functions = (struct sampled_functions){ 0 };
}

size_t sampled_functions_find(const struct sampled_functions *functions, const struct call_node *node)
{
	const struct call_node *const *found = bsearch(&node, functions->nodes, functions->count, sizeof *functions->nodes, compare_functions);

	return (size_t)(found - (const struct call_node *const *)functions->nodes);
}
