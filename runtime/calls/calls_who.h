/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which context a call is made: what libcprof says of the thread in its TLS (slots.h), where somebody who attaches would read it, too.
 *
 * libcprof need not be there, and knows nothing of this library.
 */
#ifndef CPROF_CALLS_WHO_H
#define CPROF_CALLS_WHO_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel_format.h"
#include "slots.h"

#define CALLS_GENERATION_NONE 0x8000u /* of no trace, of a process that has no place either */

/* For a sum: tid 0. */
void calls_who_fill(uint32_t pid, struct cprof_who *who);
uint32_t calls_who_tid(void);
/* Of a thread that has recorded nothing, of this process. */
struct cprof_who calls_who_without_context(uint32_t pid);
/* Of the thread with that thread pointer; NULL: there are none. */
const struct cprof_slot *calls_who_slot(const void *thread_pointer);

#endif
