/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree as one self-contained SVG: widths are exact total time, order is that of the view, the same input gives the same bytes.
 *
 * Click zooms, Ctrl-F searches (flamegraph.js, embedded). Every name is a stranger's: nothing of it can become markup or script.
 */
#ifndef CPROF_FLAMEGRAPH_H
#define CPROF_FLAMEGRAPH_H

#include <stdio.h>

#include "call_view.h"

struct flamegraph_options {
	const char *title;
	bool icicle;         /* root at the top */
	double min_pixels;   /* narrower frames are not drawn, their share is said */
	double min_percent;  /* the same as a share of the root */
	uint64_t depth;      /* levels below the root */
};

enum { FLAMEGRAPH_WIDTH = 1200, FLAMEGRAPH_MAX_DEPTH = 1000 };

struct cprof_error *flamegraph_write(FILE *out, const struct call_view *view, const struct flamegraph_options *options) CPROF_MUST_CHECK;

#endif
