/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the runtime in somebody else's process.
 *
 * Descriptors are moved out of the way of the host's (it may count on getting the lowest), closed on exec, and checked by device and inode before
 * use: a daemon that closes everything must not make us write into a file of its own. Files are made with O_EXCL and mode 0600 and
 * never through a symbolic link. A file size limit gives an error, not SIGXFSZ. Callers have blocked signals.
 */
#ifndef CPROF_RT_FILE_H
#define CPROF_RT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Creates path; flags: O_RDWR, O_APPEND... Returns a descriptor or a negative errno. */
long rt_file_open_new(const char *path, int flags);
/* Opens path if it is the regular file with that identity. */
long rt_file_reopen(const char *path, int flags, uint64_t device, uint64_t inode);
bool rt_file_identity(long fd, uint64_t *device, uint64_t *inode);
/* Is what this descriptor / path names now that file? */
bool rt_file_fd_is(long fd, uint64_t device, uint64_t inode);
bool rt_file_is(const char *path, uint64_t device, uint64_t inode);
/* Closes fd unless the host has closed it and got the number for something else. */
void rt_file_close(long fd, uint64_t device, uint64_t inode);

/* Space on disk for [offset, offset + bytes), zeros. 0 or a negative errno. */
long rt_file_allocate(long fd, uint64_t offset, uint64_t bytes);
/* Writes all bytes; 0 or a negative errno. *written counts in both cases. */
long rt_file_write(long fd, const void *data, size_t bytes, size_t *written);

#endif
