/* SPDX-License-Identifier: BSD-2-Clause */
/* Which system calls are file I/O, and how their file is named; which wait for locks. */
#ifndef CPROF_SYSCALL_KINDS_H
#define CPROF_SYSCALL_KINDS_H

#include <stddef.h>
#include <stdint.h>

/* kinds[number] = enum syscall_kind. */
void syscall_kinds_fill(uint8_t *kinds, size_t numbers);

#endif
