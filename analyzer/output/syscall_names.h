/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of system calls: those that cprof-record counts, and those that threads wait in.
 */
#ifndef CPROF_SYSCALL_NAMES_H
#define CPROF_SYSCALL_NAMES_H

#include <stddef.h>
#include <stdint.h>

const char *syscall_name(uint32_t number); /* NULL: not known */
void syscall_text(uint32_t number, char *text, size_t bytes); /* "syscall 123" then */

#endif
