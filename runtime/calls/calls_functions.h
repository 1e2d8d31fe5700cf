/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libc that make the system calls of bpf/syscall_kinds.c, each with the number of the call that libc makes for it.
 *
 * X(kind, type, name, (parameters), (arguments), number). Kinds, which calls_io.c gives a body:
 *   MOVES   on the file behind `fd`; returns bytes
 *   NAMED   on the file behind `fd`
 *   ERROR   the same, but returns what others leave in errno
 *   MAKES   returns a descriptor
 *   OPENS   returns a descriptor for `path`
 *   PATH    on the file that `path` names
 *   NONE    on none
 */
#ifndef CPROF_CALLS_FUNCTIONS_H
#define CPROF_CALLS_FUNCTIONS_H

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Newer architectures have only the second of each, which libc calls for both. */
#ifdef SYS_unlink
#define NR_CREAT    SYS_creat
#define NR_UNLINK   SYS_unlink
#define NR_RENAME   SYS_rename
#define NR_LINK     SYS_link
#define NR_MKDIR    SYS_mkdir
#define NR_RMDIR    SYS_rmdir
#else
#define NR_CREAT    SYS_openat
#define NR_UNLINK   SYS_unlinkat
#define NR_RENAME   SYS_renameat
#define NR_LINK     SYS_linkat
#define NR_MKDIR    SYS_mkdirat
#define NR_RMDIR    SYS_unlinkat
#endif

#define CALLS_IO_FUNCTIONS(X) \
	X(MOVES, ssize_t, read, (int fd, void *to, size_t bytes), (fd, to, bytes), SYS_read) \
	X(MOVES, ssize_t, __read, (int fd, void *to, size_t bytes), (fd, to, bytes), SYS_read) \
	X(MOVES, ssize_t, __read_chk, (int fd, void *to, size_t bytes, size_t room), (fd, to, bytes, room), SYS_read) \
	X(MOVES, ssize_t, pread, (int fd, void *to, size_t bytes, off_t at), (fd, to, bytes, at), SYS_pread64) \
	X(MOVES, ssize_t, pread64, (int fd, void *to, size_t bytes, off64_t at), (fd, to, bytes, at), SYS_pread64) \
	X(MOVES, ssize_t, __pread64, (int fd, void *to, size_t bytes, off64_t at), (fd, to, bytes, at), SYS_pread64) \
	X(MOVES, ssize_t, __pread_chk, (int fd, void *to, size_t bytes, off_t at, size_t room), (fd, to, bytes, at, room), SYS_pread64) \
	X(MOVES, ssize_t, __pread64_chk, (int fd, void *to, size_t bytes, off64_t at, size_t room), \
	  (fd, to, bytes, at, room), SYS_pread64) \
	X(MOVES, ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count), SYS_readv) \
	X(MOVES, ssize_t, preadv, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), SYS_preadv) \
	X(MOVES, ssize_t, preadv64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at), SYS_preadv) \
	X(MOVES, ssize_t, preadv2, (int fd, const struct iovec *parts, int count, off_t at, int flags), \
	  (fd, parts, count, at, flags), SYS_preadv2) \
	X(MOVES, ssize_t, preadv64v2, (int fd, const struct iovec *parts, int count, off64_t at, int flags), \
	  (fd, parts, count, at, flags), SYS_preadv2) \
	X(MOVES, ssize_t, write, (int fd, const void *from, size_t bytes), (fd, from, bytes), SYS_write) \
	X(MOVES, ssize_t, __write, (int fd, const void *from, size_t bytes), (fd, from, bytes), SYS_write) \
	X(MOVES, ssize_t, pwrite, (int fd, const void *from, size_t bytes, off_t at), (fd, from, bytes, at), SYS_pwrite64) \
	X(MOVES, ssize_t, pwrite64, (int fd, const void *from, size_t bytes, off64_t at), (fd, from, bytes, at), SYS_pwrite64) \
	X(MOVES, ssize_t, __pwrite64, (int fd, const void *from, size_t bytes, off64_t at), (fd, from, bytes, at), SYS_pwrite64) \
	X(MOVES, ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count), SYS_writev) \
	X(MOVES, ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at), SYS_pwritev) \
	X(MOVES, ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at), SYS_pwritev) \
	X(MOVES, ssize_t, pwritev2, (int fd, const struct iovec *parts, int count, off_t at, int flags), \
	  (fd, parts, count, at, flags), SYS_pwritev2) \
	X(MOVES, ssize_t, pwritev64v2, (int fd, const struct iovec *parts, int count, off64_t at, int flags), \
	  (fd, parts, count, at, flags), SYS_pwritev2) \
	X(MOVES, ssize_t, recv, (int fd, void *to, size_t bytes, int flags), (fd, to, bytes, flags), SYS_recvfrom) \
	X(MOVES, ssize_t, __recv_chk, (int fd, void *to, size_t bytes, size_t room, int flags), \
	  (fd, to, bytes, room, flags), SYS_recvfrom) \
	X(MOVES, ssize_t, recvfrom, (int fd, void *to, size_t bytes, int flags, __SOCKADDR_ARG peer, socklen_t *length), \
	  (fd, to, bytes, flags, peer, length), SYS_recvfrom) \
	X(MOVES, ssize_t, __recvfrom_chk, \
	  (int fd, void *to, size_t bytes, size_t room, int flags, __SOCKADDR_ARG peer, socklen_t *length), \
	  (fd, to, bytes, room, flags, peer, length), SYS_recvfrom) \
	X(MOVES, ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), SYS_recvmsg) \
	X(MOVES, ssize_t, send, (int fd, const void *from, size_t bytes, int flags), (fd, from, bytes, flags), SYS_sendto) \
	X(MOVES, ssize_t, __send, (int fd, const void *from, size_t bytes, int flags), (fd, from, bytes, flags), SYS_sendto) \
	X(MOVES, ssize_t, sendto, (int fd, const void *from, size_t bytes, int flags, __CONST_SOCKADDR_ARG peer, socklen_t length), \
	  (fd, from, bytes, flags, peer, length), SYS_sendto) \
	X(MOVES, ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), SYS_sendmsg) \
	X(MOVES, ssize_t, sendfile, (int fd, int from, off_t *at, size_t bytes), (fd, from, at, bytes), SYS_sendfile) \
	X(MOVES, ssize_t, sendfile64, (int fd, int from, off64_t *at, size_t bytes), (fd, from, at, bytes), SYS_sendfile) \
	X(MOVES, ssize_t, splice, (int fd, off64_t *at, int to, off64_t *to_at, size_t bytes, unsigned int flags), \
	  (fd, at, to, to_at, bytes, flags), SYS_splice) \
	X(MOVES, ssize_t, copy_file_range, (int fd, off64_t *at, int to, off64_t *to_at, size_t bytes, unsigned int flags), \
	  (fd, at, to, to_at, bytes, flags), SYS_copy_file_range) \
	X(MOVES, ssize_t, getdents64, (int fd, void *to, size_t bytes), (fd, to, bytes), SYS_getdents64) \
	X(NAMED, int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *limit), \
	  (fd, messages, count, flags, limit), SYS_recvmmsg) \
	X(NAMED, int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned int count, int flags), \
	  (fd, messages, count, flags), SYS_sendmmsg) \
	X(NAMED, int, fsync, (int fd), (fd), SYS_fsync) \
	X(NAMED, int, fdatasync, (int fd), (fd), SYS_fdatasync) \
	X(NAMED, int, sync_file_range, (int fd, off64_t at, off64_t bytes, unsigned int flags), \
	  (fd, at, bytes, flags), SYS_sync_file_range) \
	X(NAMED, int, syncfs, (int fd), (fd), SYS_syncfs) \
	X(NAMED, int, fallocate, (int fd, int mode, off_t at, off_t bytes), (fd, mode, at, bytes), SYS_fallocate) \
	X(NAMED, int, fallocate64, (int fd, int mode, off64_t at, off64_t bytes), (fd, mode, at, bytes), SYS_fallocate) \
	X(ERROR, int, posix_fallocate, (int fd, off_t at, off_t bytes), (fd, at, bytes), SYS_fallocate) \
	X(ERROR, int, posix_fallocate64, (int fd, off64_t at, off64_t bytes), (fd, at, bytes), SYS_fallocate) \
	X(NAMED, int, ftruncate, (int fd, off_t bytes), (fd, bytes), SYS_ftruncate) \
	X(NAMED, int, ftruncate64, (int fd, off64_t bytes), (fd, bytes), SYS_ftruncate) \
	X(NAMED, int, close, (int fd), (fd), SYS_close) \
	X(NAMED, int, __close, (int fd), (fd), SYS_close) \
	X(NAMED, int, connect, (int fd, __CONST_SOCKADDR_ARG peer, socklen_t length), (fd, peer, length), SYS_connect) \
	X(NAMED, int, __connect, (int fd, __CONST_SOCKADDR_ARG peer, socklen_t length), (fd, peer, length), SYS_connect) \
	X(NAMED, int, flock, (int fd, int operation), (fd, operation), SYS_flock) \
	X(MAKES, int, accept, (int fd, __SOCKADDR_ARG peer, socklen_t *length), (fd, peer, length), SYS_accept) \
	X(MAKES, int, accept4, (int fd, __SOCKADDR_ARG peer, socklen_t *length, int flags), (fd, peer, length, flags), SYS_accept4) \
	X(OPENS, int, creat, (const char *path, mode_t mode), (path, mode), NR_CREAT) \
	X(OPENS, int, creat64, (const char *path, mode_t mode), (path, mode), NR_CREAT) \
	X(OPENS, int, __open_2, (const char *path, int flags), (path, flags), SYS_openat) \
	X(OPENS, int, __open64_2, (const char *path, int flags), (path, flags), SYS_openat) \
	X(OPENS, int, __openat_2, (int folder, const char *path, int flags), (folder, path, flags), SYS_openat) \
	X(OPENS, int, __openat64_2, (int folder, const char *path, int flags), (folder, path, flags), SYS_openat) \
	X(PATH, int, truncate, (const char *path, off_t bytes), (path, bytes), SYS_truncate) \
	X(PATH, int, truncate64, (const char *path, off64_t bytes), (path, bytes), SYS_truncate) \
	X(PATH, int, unlink, (const char *path), (path), NR_UNLINK) \
	X(PATH, int, unlinkat, (int folder, const char *path, int flags), (folder, path, flags), SYS_unlinkat) \
	X(PATH, int, rename, (const char *path, const char *to), (path, to), NR_RENAME) \
	X(PATH, int, renameat, (int folder, const char *path, int to_folder, const char *to), (folder, path, to_folder, to), SYS_renameat) \
	X(PATH, int, renameat2, (int folder, const char *path, int to_folder, const char *to, unsigned int flags), \
	  (folder, path, to_folder, to, flags), SYS_renameat2) \
	X(PATH, int, link, (const char *path, const char *to), (path, to), NR_LINK) \
	X(PATH, int, linkat, (int folder, const char *path, int to_folder, const char *to, int flags), \
	  (folder, path, to_folder, to, flags), SYS_linkat) \
	X(PATH, int, mkdir, (const char *path, mode_t mode), (path, mode), NR_MKDIR) \
	X(PATH, int, mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), SYS_mkdirat) \
	X(PATH, int, rmdir, (const char *path), (path), NR_RMDIR) \
	X(NONE, int, msync, (void *at, size_t bytes, int flags), (at, bytes, flags), SYS_msync)

/* Those with a parameter that is not always there: X(type, name, (fixed parameters), (their arguments), number); all of kind OPENS. */
#define CALLS_OPEN_FUNCTIONS(X) \
	X(int, open, (const char *path, int flags, ...), (path, flags, mode), SYS_openat) \
	X(int, open64, (const char *path, int flags, ...), (path, flags, mode), SYS_openat) \
	X(int, __open, (const char *path, int flags, ...), (path, flags, mode), SYS_openat) \
	X(int, __open64, (const char *path, int flags, ...), (path, flags, mode), SYS_openat) \
	X(int, openat, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), SYS_openat) \
	X(int, openat64, (int folder, const char *path, int flags, ...), (folder, path, flags, mode), SYS_openat)

#endif
