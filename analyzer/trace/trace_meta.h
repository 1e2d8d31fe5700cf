/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * META: who wrote the trace, and whether this program may read it.
 */
#ifndef CPROF_TRACE_META_H
#define CPROF_TRACE_META_H

#include "session.h"

#define CPROF_FEATURES_KNOWN 0u /* bits of cprof_meta.required_features */

/*
 * payload must be followed by a NUL of the caller's; the strings point into it. A version or a required feature that is not known is an
 * error of kind CPROF_ERROR_UNSUPPORTED; *why says what is wrong with the payload, else it is NULL.
 */
struct cprof_error *trace_meta_parse(const char *path, uint32_t version, const uint8_t *payload, size_t bytes, struct trace_meta *ret, const char **why)
	CPROF_MUST_CHECK;
struct cprof_error *trace_version_check(const char *path, uint64_t offset, uint32_t version) CPROF_MUST_CHECK;

#endif
