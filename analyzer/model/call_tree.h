/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From sums of slots to nodes, functions and caller-callee pairs.
 *
 * A tally is added below a top node (the root, a process, a thread) of its own. Every sum is made here, once, so that what the tree, the flat profile and
 * the pairs say agrees.
 */
#ifndef CPROF_CALL_TREE_H
#define CPROF_CALL_TREE_H

#include "call_registry.h"
#include "call_tally.h"
#include "context_map.h"
#include "profile.h"

struct call_tree {
	struct call_registry *registry;
	struct text_store *store;
	struct call_node *root;
	struct call_node **nodes;   /* all but the root, each after its parent */
	size_t nr_nodes, nodes_capacity;
	struct call_pair *pairs;
	size_t nr_pairs, pairs_capacity;
	struct number_map pair_of;
	uint64_t calls, open_calls, repaired_calls;
	uint32_t metrics;           /* METRIC_BIT()s recorded; 0: nodes have none */
	double clock_hz;
	struct number_map sampled_of; /* (parent, name, module) -> place in nodes */
};

struct cprof_error *call_tree_init(struct call_tree *tree, struct call_registry *registry, uint32_t metrics, double clock_hz) CPROF_MUST_CHECK;
void call_tree_deinit(struct call_tree *tree); /* nodes belong to the registry's store */
/* name is copied. */
struct cprof_error *call_tree_add_top(struct call_tree *tree, struct call_node *parent, enum call_node_kind kind, const char *name,
				      struct call_node **ret) CPROF_MUST_CHECK;
/* What is known of a trace's contexts beside its events; may be all NULL. */
struct tree_facts {
	const uint64_t (*metrics)[NR_METRICS]; /* [context] */
	struct call_node **nodes;              /* [context]: filled with the node of each, NULL for those without one */
};
struct cprof_error *call_tree_add(struct call_tree *tree, const struct context_map *map, const struct call_tally *tally, const struct tree_facts *facts,
				  struct call_node *top) CPROF_MUST_CHECK;
/* The child of node for a sampled frame; texts must live as long as the tree's store. */
struct cprof_error *call_tree_sampled(struct call_tree *tree, struct call_node *node, const char *name, const char *module, struct call_node **ret) CPROF_MUST_CHECK;
/* To the node itself, not to its parents. */
void call_tree_add_metric(struct call_node *node, enum call_metric metric, uint64_t value);
/* Sums tops up, puts children and pairs in order. Nothing can be added after it. */
struct cprof_error *call_tree_finish(struct call_tree *tree) CPROF_MUST_CHECK;

#endif
