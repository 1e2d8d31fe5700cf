/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes that a view makes for itself, and how trees are made of copies. For the files that make views only. */
#ifndef CPROF_VIEW_NODES_H
#define CPROF_VIEW_NODES_H

#include "call_sort.h"
#include "call_view.h"

/* A node that lives as long as the view; NULL: no memory. */
struct call_node *view_nodes_add(struct call_view *view);
/* Metrics that live as long as the view, all 0; NULL: no memory. */
struct call_metrics *view_metrics_add(struct call_view *view);
void view_nodes_destroy(struct call_view *view);

/* Adds one context to another. The percentiles of a sum are not known. metrics: the sum's own, where there are any. */
void call_numbers_add(struct call_numbers *sum, struct call_metrics *metrics, const struct call_numbers *add);

/* The view becomes a root over copies of the nodes; those of one name and kind are one, and so are contexts below them. */
struct cprof_error *view_nodes_merge(struct call_view *view, const struct call_node *const *nodes, size_t count, enum call_sort sort) CPROF_MUST_CHECK;
/* The view becomes a copy of itself in another order. */
struct cprof_error *view_nodes_sort(struct call_view *view, enum call_sort sort) CPROF_MUST_CHECK;

#endif
