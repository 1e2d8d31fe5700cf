/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where samples lie in the tree: the frames that they met below the innermost recorded function continue its exact path.
 *
 * The exact path is the truth for recorded code. Of a user stack only what stands above the first frame of a function of that path is used; where none is
 * found (code without frame pointers) only the place of the sample itself. Kernel stacks follow. Without a path the whole stack is one.
 */
#ifndef CPROF_SAMPLED_PATH_H
#define CPROF_SAMPLED_PATH_H

#include "call_tree.h"
#include "kernel_facts.h"

/* node: of the sample's context, or a top node. */
struct cprof_error *sampled_path_add(struct call_tree *tree, struct kernel_names *names, const struct kernel_facts *facts, const struct sample_fact *fact,
				     struct call_node *node) CPROF_MUST_CHECK;

#endif
