/* SPDX-License-Identifier: BSD-2-Clause */
/* Why does a thread sleep that sleeps in this system call? */
#ifndef CPROF_SYSCALL_CLASSES_H
#define CPROF_SYSCALL_CLASSES_H

#include <stddef.h>
#include <stdint.h>

/* classes[number] = enum cprof_blocked_class; OTHER for what is not listed. */
void syscall_classes_fill(uint8_t *classes, size_t numbers);

#endif
