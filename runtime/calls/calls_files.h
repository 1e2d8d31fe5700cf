/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which file is behind a descriptor, and, once for each, what its path is: as the BPF half names them (docs/trace-format.md, section 9).
 *
 * The kernel is asked at each call: libc closes and reuses descriptors where nobody can see it, so that a cache by descriptor would lie.
 */
#ifndef CPROF_CALLS_FILES_H
#define CPROF_CALLS_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct calls_file { /* inode 0: none */
	uint64_t inode;
	uint32_t device;
};

/* opened: by this call; then its path is looked at again. */
struct calls_file calls_files_of_descriptor(int fd, bool opened);
/*
 * A file that only the path that the program gave names. result: of the system call; it says whether the kernel has read the path. If that is not
 * certain (it may refuse other arguments first), it is read by a system call that may fail.
 */
struct calls_file calls_files_of_path(const char *path, long result);

#endif
