/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From sums of slots to functions alone, for who shows nothing else: no nodes, sites or pairs, which cost far more when contexts are many.
 *
 * What call_tree_add() would say of the functions and of the top is said here, to the last tick; the model's tests compare the two. Folded runs without
 * metrics only.
 */
#ifndef CPROF_FUNCTION_SUMS_H
#define CPROF_FUNCTION_SUMS_H

#include "call_tree.h"

/* Instead of call_tree_add(). map: of context_map_init_functions(). */
struct cprof_error *function_sums_add(struct call_tree *tree, const struct context_map *map, const struct call_tally *tally,
				      struct call_node *top) CPROF_MUST_CHECK;

#endif
