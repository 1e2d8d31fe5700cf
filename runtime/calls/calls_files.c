/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "calls_memory.h"
#include "calls_sums.h"
#include "rt_sys.h"

/* Numbers and names as in bpf/file.bpf.h. */
enum file_class { CLASS_SOCKET, CLASS_UNIX, CLASS_TCP, CLASS_UDP, CLASS_NETLINK, CLASS_PACKET, CLASS_VSOCK, CLASS_PIPE, CLASS_ANON };
static const char class_names[][16] = { "socket",        "socket:unix",  "socket:tcp", "socket:udp", "socket:netlink",
					"socket:packet", "socket:vsock", "pipe",       "anon_inode" };

enum { PATH_BYTES = sizeof(((struct cprof_calls_file *)0)->path), GIVEN_BYTES = 256 };

static uint64_t socket_classes[256]; /* by inode: inode << 4 | class. An inode number of a socket is used again only after 2^32 others */
static uint32_t pipe_device;         /* of pipes without a name; 0: none seen yet */

/* --- the table ------------------------------------------------------------------------------------------------------------------ */

/* The file's newest place, NULL: it has none. free: is there room for one? */
static struct cprof_calls_file *find(struct calls_file file, uint32_t hash, bool *free)
{
	struct cprof_calls_file *newest = NULL;
	uint32_t mask = calls_memory.nr_files - 1;

	*free = false;
	for (uint32_t i = 0; i < CPROF_CALLS_PROBES && i <= mask; i++) {
		struct cprof_calls_file *place = &calls_memory.files[((hash >> 1) + i) & mask];
		uint32_t seen = __atomic_load_n(&place->hash, __ATOMIC_RELAXED);

		if (!seen) {
			*free = true;
			break;
		}
		if (seen == hash && __atomic_load_n(&place->ready, __ATOMIC_ACQUIRE) && place->inode == file.inode &&
		    place->device == file.device && (!newest || place->order > newest->order))
			newest = place;
	}
	return newest;
}

/* Not libc's, which a sanitizer watches: it knows nothing of how threads agree here. to <= from, or apart. */
static void text_copy(char *to, const char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = from[i];
}

static bool text_equal(const char *left, const char *right, size_t room)
{
	for (size_t i = 0; i < room; i++)
		if (left[i] != right[i] || !left[i])
			return left[i] == right[i];
	return true;
}

/* One that does not fit loses its beginning: what a file is called stands at the end. path may be out. */
static void shorten(const char *path, size_t length, char *out)
{
	static const char dots[] = "...";
	enum { DOTS = sizeof dots - 1, KEPT = PATH_BYTES - 1 - DOTS };

	if (length < PATH_BYTES) {
		text_copy(out, path, length);
		out[length] = 0;
		return;
	}
	const char *from = path + length - KEPT, *folder = from;

	while (folder < path + length && *folder != '/')
		folder++;
	if (folder < path + length)
		from = folder;
	length = (size_t)(path + length - from);
	text_copy(out, dots, DOTS);
	text_copy(out + DOTS, from, length);
	out[DOTS + length] = 0;
}

static void put(struct calls_file file, uint32_t hash, uint32_t order, const char *path)
{
	uint32_t mask = calls_memory.nr_files - 1;

	for (uint32_t i = 0; i < CPROF_CALLS_PROBES && i <= mask; i++) {
		struct cprof_calls_file *place = &calls_memory.files[((hash >> 1) + i) & mask];
		uint32_t none = 0;

		if (!__atomic_compare_exchange_n(&place->hash, &none, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			continue;
		place->inode = file.inode;
		place->device = file.device;
		place->order = order;
		shorten(path, rt_text_length(path), place->path);
		__atomic_store_n(&place->ready, 1, __ATOMIC_RELEASE);
		return;
	}
	calls_memory_count(&calls_memory.header->files_full);
}

static uint32_t hash_of(struct calls_file file)
{
	return (uint32_t)calls_hash(calls_hash(0, file.inode), file.device) | 1;
}

static void name_once(struct calls_file file, const char *path)
{
	uint32_t hash = hash_of(file);
	bool free;

	if (!find(file, hash, &free))
		put(file, hash, 0, path);
}

/* --- descriptors ---------------------------------------------------------------------------------------------------------------- */

static long read_link(int fd, char *path, size_t room) /* bytes; 0: not to be had */
{
	char link[48];
	size_t length = rt_text_append(link, 0, sizeof link, "/proc/thread-self/fd/"); /* the first thread may be gone */

	rt_text_append_number(link, length, sizeof link, (uint64_t)fd);
	long bytes = rt_sys(SYS_readlinkat, AT_FDCWD, link, path, room);
	return bytes > 0 ? bytes : 0;
}

static long without_deleted(const char *path, long bytes)
{
	static const char deleted[] = " (deleted)";
	enum { DELETED = sizeof deleted - 1 };

	return bytes > DELETED && !memcmp(path + bytes - DELETED, deleted, DELETED) ? bytes - DELETED : bytes;
}

/* "": not to be had. path: of PATH_BYTES; long ones do not fit on every handler's stack. */
static void path_of(int fd, bool unlinked, char *path)
{
	enum { LONG_BYTES = 4096 };
	long bytes = read_link(fd, path, PATH_BYTES);
	char *whole = bytes == PATH_BYTES ? rt_memory_reserve(LONG_BYTES) : NULL;

	if (whole)
		bytes = read_link(fd, whole, LONG_BYTES);
	if (unlinked)
		bytes = without_deleted(whole ? whole : path, bytes);
	if (whole)
		shorten(whole, (size_t)bytes, path);
	else
		path[bytes < PATH_BYTES ? bytes : PATH_BYTES - 1] = 0;
	rt_memory_release(whole, LONG_BYTES);
}

enum { ORDERS_MOST = 7 }; /* so often one file may have another path */

static void name_descriptor(struct calls_file file, int fd, bool unlinked, bool opened)
{
	uint32_t hash = hash_of(file);
	bool free;
	struct cprof_calls_file *known = find(file, hash, &free);
	char path[PATH_BYTES];

	if (known && likely(!opened))
		return;
	if (!free) {
		calls_memory_count(&calls_memory.header->files_full);
		return;
	}
	if (known && known->order >= ORDERS_MOST)
		return;
	path_of(fd, unlinked, path);
	if (known && known->order == ORDERS_MOST - 1) /* the places around are other files' */
		text_copy(path, "(an inode used for many files)", sizeof "(an inode used for many files)");
	if (!known || !text_equal(known->path, path, sizeof path))
		put(file, hash, known ? known->order + 1 : 0, path);
}

static enum file_class socket_ask(int fd)
{
	int domain = 0, type = 0;
	socklen_t bytes = sizeof domain;

	rt_sys(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes);
	bytes = sizeof type;
	rt_sys(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &bytes);
	switch (domain) {
	case AF_UNIX:
		return CLASS_UNIX;
	case AF_INET:
	case AF_INET6:
		return type == SOCK_STREAM ? CLASS_TCP : type == SOCK_DGRAM ? CLASS_UDP : CLASS_SOCKET;
	case AF_NETLINK:
		return CLASS_NETLINK;
	case AF_PACKET:
		return CLASS_PACKET;
	case AF_VSOCK:
		return CLASS_VSOCK;
	default:
		return CLASS_SOCKET;
	}
}

static enum file_class socket_class(int fd, uint64_t inode)
{
	uint64_t *place = &socket_classes[inode % (sizeof socket_classes / sizeof *socket_classes)];
	uint64_t known = __atomic_load_n(place, __ATOMIC_RELAXED);

	if (unlikely(known >> 4 != inode)) {
		known = inode << 4 | socket_ask(fd);
		__atomic_store_n(place, known, __ATOMIC_RELAXED);
	}
	return known & 15;
}

static struct calls_file of_class(enum file_class class, uint32_t device)
{
	struct calls_file file = { (uint64_t)class + 1, device };

	name_once(file, class_names[class]);
	return file;
}

/* One in a folder is a file like others. */
static bool is_pipe(int fd, uint32_t device)
{
	char path[PATH_BYTES];

	if (likely(device == __atomic_load_n(&pipe_device, __ATOMIC_RELAXED)))
		return true;
	path_of(fd, false, path);
	if (memcmp(path, "pipe:[", 6) != 0)
		return false;
	__atomic_store_n(&pipe_device, device, __ATOMIC_RELAXED);
	return true;
}

/* A server's file is not asked for again: what this machine knows of it will do, and a call may not cost the round trip. */
static bool ask(int fd, struct statx *facts)
{
	struct stat old;

	long error = rt_sys(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_NLINK, facts);

	if (likely(!error))
		return true;
	if (error == -EBADF || rt_sys(SYS_fstat, fd, &old)) /* some sandboxes know only that */
		return false;
	facts->stx_ino = old.st_ino;
	facts->stx_nlink = (uint32_t)old.st_nlink;
	facts->stx_mode = (uint16_t)old.st_mode;
	facts->stx_dev_major = major(old.st_dev);
	facts->stx_dev_minor = minor(old.st_dev);
	return true;
}

struct calls_file calls_files_of_descriptor(int fd, bool opened)
{
	struct statx facts;

	if (!ask(fd, &facts))
		return (struct calls_file){ 0 };
	struct calls_file file = { facts.stx_ino, facts.stx_dev_major << 20 | facts.stx_dev_minor };

	switch (facts.stx_mode & S_IFMT) {
	case S_IFSOCK:
		return of_class(socket_class(fd, file.inode), file.device);
	case 0:
		return of_class(CLASS_ANON, file.device);
	case S_IFIFO:
		if (is_pipe(fd, file.device))
			return of_class(CLASS_PIPE, file.device);
		break;
	default:
		break;
	}
	name_descriptor(file, fd, !facts.stx_nlink, opened);
	return file;
}

static bool is_read(long result)
{
	return result >= 0 || result == -ENOENT || result == -EEXIST || result == -ENOTDIR || result == -EISDIR || result == -ENOTEMPTY;
}

/* Perhaps cut. "": it is not there. */
static void read_safely(const char *path, char *copy, size_t room)
{
	struct iovec here = { copy, room - 1 }, there = { (void *)(uintptr_t)path, room - 1 };
	long bytes = rt_sys(SYS_process_vm_readv, rt_sys(SYS_getpid), &here, 1, &there, 1, 0);

	copy[bytes > 0 ? bytes : 0] = 0;
}

struct calls_file calls_files_of_path(const char *path, long result)
{
	char given[GIVEN_BYTES], copy[GIVEN_BYTES];
	struct calls_file file = { 0x9E3779B97F4A7C15ull, 0 };

	if (!is_read(result)) {
		read_safely(path, copy, sizeof copy);
		path = copy;
	}
	size_t bytes = rt_text_append(given, 0, sizeof given, path);
	if (!bytes)
		return (struct calls_file){ 0 };
	memset(given + bytes, 0, -bytes & 7); /* 256 is a multiple of 8 */
	for (size_t at = 0; at < bytes; at += 8) {
		uint64_t word;

		memcpy(&word, given + at, sizeof word);
		file.inode = calls_hash(file.inode, word);
	}
	name_once(file, path);
	return file;
}
