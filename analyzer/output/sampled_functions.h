/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a view was only met by samples, as functions: each name of a module once, numbered in order of name. For formats with a table of functions;
 * theirs come after the profile's own, marked by call_node_suffix().
 */
#ifndef CPROF_SAMPLED_FUNCTIONS_H
#define CPROF_SAMPLED_FUNCTIONS_H

#include "call_view.h"

struct sampled_functions { /* zero-initialised: none */
	const struct call_node **nodes; /* one of each, by number */
	char **names;                   /* with the suffix */
	size_t count;
};

struct cprof_error *sampled_functions_init(const struct call_view *view, struct sampled_functions *ret) CPROF_MUST_CHECK;
void sampled_functions_deinit(struct sampled_functions *functions);
/* The number of a node of the view, NODE_SAMPLED. */
size_t sampled_functions_find(const struct sampled_functions *functions, const struct call_node *node);

#endif
