/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From libcprof to libcprof-calls.so, which is preloaded: where it says what it does (slots.h). libcprof refers to this weakly and says it
 * when it starts.
 *
 * What is loaded with the program is found without: this is for a libcprof that comes later, with a plug-in, where no symbol of it can be
 * seen.
 */
#ifndef CPROF_CALLS_INTERFACE_H
#define CPROF_CALLS_INTERFACE_H

#include "slots.h"

void cprof_calls_runtime(const struct cprof_runtime_header *header);

#endif
