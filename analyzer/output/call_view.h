/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is shown of a profile: its tree, or a part of it that keeps the tree's rule (total = self + totals of the children).
 *
 *   focus    the tree re-rooted at every outermost call of one function
 *   filter   only paths through a matching function; time spent elsewhere is taken out of their callers
 *   exclude  matching functions and all below them are taken out, with their time
 *
 *   sampled  sampled frames get a share of the time above them, or are left out: see view_sampled.h
 *
 * Contexts that are merged here lose their percentiles (CALL_TICKS_UNKNOWN): those of a sum cannot be had from those of its parts. No number of a
 * recorded function is ever estimated. Prints nothing.
 */
#ifndef CPROF_CALL_VIEW_H
#define CPROF_CALL_VIEW_H

#include "call_metrics.h"
#include "call_sort.h"

/* What becomes of sampled frames. */
enum sampled_frames {
	SAMPLED_AS_RECORDED, /* they are there, their time is in the self of the function above them */
	SAMPLED_TIMED,
	SAMPLED_LEFT_OUT,
};

struct call_view_options { /* texts may be NULL */
	const char *filter, *exclude; /* POSIX extended regular expressions on function names */
	const char *focus;            /* a function's name */
	unsigned sort;                /* enum call_sort, for the children of each node */
	enum sampled_frames sampled;
};

struct call_view {
	const struct profile *profile;
	const struct call_node *root;
	size_t nodes;
	bool whole;    /* all of the profile */
	bool filtered; /* time was taken out of callers: their spans are no longer those of what is shown */
	bool sampled;  /* SAMPLED_TIMED: self and total of sampled frames are their share of the function's above them, which is not in its self any more */
	bool only_samples; /* and there is nothing but samples: all times are what they stand for */
	uint64_t samples_outside; /* SAMPLED_TIMED, SAMPLED_LEFT_OUT: samples outside of every recorded call, which are not in the view */
	struct call_view_nodes *private_nodes;
	struct call_view_metrics *private_metrics;
};

/*
 * How much of the view a node is, in ticks: its total. Sampled frames, and runs of which there is nothing but samples, have no time of their own: then
 * that which the samples stand for.
 */
uint64_t call_node_weight(const struct call_view *view, const struct call_node *node);

/* The innermost recorded function (or thread, ...) above a sampled frame; the node itself if it is none. */
const struct call_node *call_node_recorded(const struct call_node *node);
/* METRIC_SAMPLES or METRIC_SAMPLED of a node and the sampled frames below it, without the functions that it calls. */
uint64_t call_node_sampled(const struct call_node *node, enum call_metric metric);
/* A sampled frame of the kernel. */
bool call_node_in_kernel(const struct call_node *node);
/* What sampled frames are marked with in formats that know no other way: "_[k]" in the kernel, "_[s]" elsewhere; "" for what was recorded. */
const char *call_node_suffix(const struct call_node *node);

/* The profile must outlive the view. */
struct cprof_error *call_view_create(const struct profile *profile, const struct call_view_options *options, struct call_view *ret) CPROF_MUST_CHECK;
void call_view_destroy(struct call_view *view);

/*
 * Preorder without recursion: the node after `node` below `root`, or NULL; *depth follows (0 at root). With skip the node's children are left out.
 */
const struct call_node *call_node_next(const struct call_node *root, const struct call_node *node, bool skip, size_t *depth);

#endif
