/* SPDX-License-Identifier: BSD-2-Clause */
/* For call_view.c. */
#ifndef CPROF_VIEW_FILTER_H
#define CPROF_VIEW_FILTER_H

#include "call_view.h"

/* Takes what options->filter and options->exclude leave out out of the view. */
struct cprof_error *view_filter(struct call_view *view, const struct call_view_options *options) CPROF_MUST_CHECK;

#endif
