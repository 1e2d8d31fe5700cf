/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the allocations of a target are seen: by the interposer where the program has cprof's runtime, else by probes on the functions of the allocator that it
 * uses - the first object, in the order in which the loader looks, that defines malloc.
 *
 * Decided before the target runs, from its files alone. They are a stranger's: read through libelf, nothing of them is executed.
 */
#ifndef CPROF_MEMORY_TARGET_H
#define CPROF_MEMORY_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { MEMORY_PROBES_MAX = 40 };

struct memory_target {
	bool interposed;        /* the interposer does it: no probes */
	char preload[PATH_MAX]; /* the library to preload for that; "": it is in the program already */
	char path[PATH_MAX];    /* object that is probed */
	size_t nr;
	uint64_t offset[MEMORY_PROBES_MAX];   /* in the file */
	uint64_t function[MEMORY_PROBES_MAX]; /* enum memory_function */
	uint32_t slow;                        /* of them, those whose instruction the kernel must single-step */
};

/* Of a program that is to be launched (its name as for execvp), of a running process (pid), or (neither) of the libc that we have ourselves. */
struct cprof_error *memory_target_choose(const char *program, uint32_t pid, struct memory_target *ret) CPROF_MUST_CHECK;

#endif
