/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Libraries of ours that a program is to load before its own (LD_PRELOAD): where they are, and whether that program would load them.
 *
 * Decided before the program runs, from its file alone, which is a stranger's: nothing of it is executed.
 */
#ifndef CPROF_GUEST_LIBRARY_H
#define CPROF_GUEST_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

#include "error.h"

/* The file that execvp would take; ret has PATH_MAX bytes. */
bool guest_program_find(const char *name, char *ret);
/* Where cprof is installed, or built; ret has PATH_MAX bytes, and is "" when it is not there. */
bool guest_library_find(const char *name, char *ret);
/* Why the program would not load it: it is static, or runs with the rights of somebody else, or with a loader that is not glibc's. NULL: it would. */
struct cprof_error *guest_library_check(const char *program) CPROF_MUST_CHECK;
/* Our own environment is what the target gets: the library comes before those that are preloaded already. */
void guest_library_preload(const char *path);

#endif
