/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The metrics of a tree's nodes, for call_tree.c: first the sums of single nodes, then totals, times on a processor, and those of functions.
 *
 * While nodes are added, times of the scheduler are ns and those nobody told of are ticks, in self alone; tree_metrics_finish() makes the rest of it.
 */
#ifndef CPROF_TREE_METRICS_H
#define CPROF_TREE_METRICS_H

#include "call_tree.h"

/* Metrics of a node that has none (*ret NULL) in a tree that has some; else nothing. */
struct cprof_error *tree_metrics_make(struct call_tree *tree, struct call_metrics **ret) CPROF_MUST_CHECK;
/* While a tree is made its nodes' metrics are its own to change. */
struct call_metrics *tree_metrics_of(const struct call_node *node);
/* What the scheduler did while a slot was current. */
void tree_metrics_add_sched(struct call_metrics *metrics, const struct call_sched *sched);
/* Once, when all nodes are there and have their times. */
void tree_metrics_finish(struct call_tree *tree);
/* After that, and when nodes know their children. */
struct cprof_error *tree_metrics_of_functions(struct call_tree *tree) CPROF_MUST_CHECK;

#endif
