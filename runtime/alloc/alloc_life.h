/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the interposer counts: from the first allocation of a process that has libcprof in it until libcprof ends the recording; anew in a forked child.
 *
 * A process without libcprof, or with CPROF=off, is left alone: every wrapper then costs a comparison.
 */
#ifndef CPROF_ALLOC_LIFE_H
#define CPROF_ALLOC_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct cprof_alloc_row;

/* At the first allocation of all. alignment: of the host's blocks. has_libcprof: it is in the process already. */
void alloc_life_begin(uint32_t alignment, bool has_libcprof);
bool alloc_life_is_recording(void); /* libcprof has started */
/* From the live file; NULL: none. Signals blocked. */
struct cprof_alloc_row *alloc_life_row_take(uint32_t context);

#endif
