/* SPDX-License-Identifier: BSD-2-Clause */
/* Which system calls are file I/O, and how their file is named; which wait for locks. */
#ifndef CPROF_SYSCALL_KINDS_H
#define CPROF_SYSCALL_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* kinds[number] = enum syscall_kind; 0 where neither is asked for. */
void syscall_kinds_fill(uint8_t *kinds, size_t numbers, bool io, bool locks);

#endif
