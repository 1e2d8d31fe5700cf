/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A timeline as one self-contained SVG: threads over time, depth downwards.
 *
 * What is wider than a pixel has its exact width; what is narrower is merged into shaded runs. The picture as written is the whole range; the script in it
 * (timeline.js) draws any part of it anew from the items, which are embedded. Every name is a stranger's: nothing of it can become markup or script.
 */
#ifndef CPROF_TIMELINE_SVG_H
#define CPROF_TIMELINE_SVG_H

#include <stdio.h>

#include "timeline.h"

struct timeline_picture {
	const struct session *session;
	const struct session_names *names;
	const struct timeline *timeline;
	const char *title;
	uint64_t start_ticks; /* 0 on the time axis */
	double hz;            /* 0: times are ticks */
};

struct cprof_error *timeline_svg_write(FILE *out, const struct timeline_picture *picture) CPROF_MUST_CHECK;

#endif
