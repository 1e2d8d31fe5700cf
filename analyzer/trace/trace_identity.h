/* SPDX-License-Identifier: BSD-2-Clause */
/* Who wrote a file, from its first chunk or, where that was not written yet, from its live file. Cheap enough to ask of every file in a folder. */
#ifndef CPROF_TRACE_IDENTITY_H
#define CPROF_TRACE_IDENTITY_H

#include <stdbool.h>

#include "error.h"
#include "trace_format.h"

struct trace_identity {
	bool is_trace;  /* begins like one; any file of another kind, or that cannot be read, does not */
	bool known;     /* meta is set, and names a session */
	struct cprof_meta meta;
};

struct cprof_error *trace_identify(const char *path, struct trace_identity *ret) CPROF_MUST_CHECK;
bool trace_identity_same_session(const struct trace_identity *a, const struct trace_identity *b);
bool trace_identity_same_image(const struct trace_identity *a, const struct trace_identity *b); /* one is a copy of the other */

#endif
