/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_live.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "rt_config.h"
#include "rt_file.h"
#include "rt_status.h"
#include "rt_sys.h"

enum { PAGE = 4096, MAX_THREADS = 1 << 20, MAX_MODULES = 1 << 16, TIGHT = 1 << 6 /* so many times smaller */ };

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

struct rt_live rt_live = { .fd = -1 };

/* The file's descriptor: a daemon may have closed ours, and opened a file of its own under that number. Negative errno when it is lost. */
static long file_descriptor(void)
{
	if (!rt_file_fd_is(rt_live.fd, rt_live.device, rt_live.inode))
		rt_live.fd = rt_file_reopen(rt_live.path, O_RDWR, rt_live.device, rt_live.inode);
	return rt_live.fd;
}

static void live_error(long negative_errno)
{
	atomic_store(&rt_live.error, (int)-negative_errno);
}

/* Allocates bytes at the end of the file. Returns the offset or a negative errno. Signals are blocked by the caller. */
static int64_t file_grow(uint64_t bytes)
{
	long fd = file_descriptor();

	if (fd < 0) {
		live_error(fd);
		return fd;
	}
	uint64_t offset = atomic_fetch_add(&rt_live.file_bytes, bytes);
	long error = rt_file_allocate(fd, offset, bytes);

	if (error)
		live_error(error);
	return error ? error : (int64_t)offset;
}

/* Describes an extent in the header, for readers. kind is stored last. */
static bool extent_publish(uint32_t kind, uint32_t item_bytes, uint64_t first, uint64_t offset, uint64_t bytes)
{
	uint32_t index = atomic_fetch_add(&rt_live.extents, 1);
	struct cprof_extent *extent = &rt_live.header->extents[index];

	if (index >= CPROF_LIVE_EXTENTS)
		return false;
	extent->item_bytes = item_bytes;
	extent->first = first;
	extent->offset = offset;
	extent->bytes = bytes;
	__atomic_store_n(&extent->kind, kind, __ATOMIC_RELEASE);
	return true;
}

static inline bool is_error(long ret)
{
	return ret < 0 && ret > -PAGE;
}

/*
 * Maps a part of the file and write-faults it: what the file system may refuse (a store to a shared page may have to allocate) is an error here and not
 * a SIGBUS in the host. MAP_POPULATE would only read.
 */
static long map_shared(void *at, uint64_t bytes, uint64_t offset)
{
	long fd = file_descriptor();

	if (fd < 0)
		return fd;
	long address = rt_sys(SYS_mmap, at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (at ? MAP_FIXED : 0), fd, offset);
	if (is_error(address))
		return address;
	long error = rt_sys(SYS_madvise, address, bytes, MADV_POPULATE_WRITE);
	if (error && error != -EINVAL) { /* EINVAL: Linux before 5.14, where the first stores fault */
		if (!at)
			rt_memory_release((void *)address, bytes);
		return error == -EFAULT ? -ENOSPC : error;
	}
	return address;
}

int rt_table_create(struct rt_table *table, uint32_t kind, uint32_t item_bytes, uint32_t capacity)
{
	uint32_t unit_bytes = PAGE;

	while (unit_bytes % item_bytes)
		unit_bytes += PAGE;
	table->kind = kind;
	table->item_bytes = item_bytes;
	table->unit_items = unit_bytes / item_bytes;
	table->capacity = (capacity + table->unit_items - 1) / table->unit_items * table->unit_items;
	atomic_store(&table->mapped, 0);
	atomic_store(&table->growing, 0);
	long base = rt_sys(SYS_mmap, 0, (uint64_t)table->capacity * item_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (is_error(base)) {
		table->base = NULL;
		return (int)base;
	}
	table->base = (uint8_t *)base;
	return 0;
}

static void table_deinit(struct rt_table *table)
{
	rt_memory_release(table->base, (uint64_t)table->capacity * table->item_bytes);
	table->base = NULL;
}

static bool table_grow(struct rt_table *table, uint32_t index)
{
	uint32_t mapped = atomic_load(&table->mapped);

	while (index >= mapped) {
		/* As much again as there is, up to about 4 MB at a time. */
		uint32_t items = mapped ? mapped : table->unit_items;
		uint32_t most = (4u << 20) / table->item_bytes / table->unit_items * table->unit_items;

		if (most && items > most)
			items = most;
		if (items > table->capacity - mapped)
			items = table->capacity - mapped;
		if (!items)
			return false;
		uint64_t bytes = (uint64_t)items * table->item_bytes;
		int64_t offset = file_grow(bytes);
		if (offset < 0)
			return false;
		long at = map_shared(table->base + (uint64_t)mapped * table->item_bytes, bytes, (uint64_t)offset);
		if (is_error(at)) {
			live_error(at);
			return false;
		}
		if (!extent_publish(table->kind, table->item_bytes, mapped, (uint64_t)offset, bytes))
			return false;
		mapped += items;
		atomic_store_explicit(&table->mapped, mapped, memory_order_release);
	}
	return true;
}

bool rt_table_ensure(struct rt_table *table, uint32_t index)
{
	bool ok = true;

	if (__builtin_expect(index < atomic_load_explicit(&table->mapped, memory_order_acquire), 1))
		return true;
	if (index >= table->capacity)
		return false;
	uint64_t mask = rt_signals_block();
	while (ok && index >= atomic_load_explicit(&table->mapped, memory_order_acquire)) {
		uint32_t no = 0;

		if (atomic_compare_exchange_strong(&table->growing, &no, 1)) {
			ok = table_grow(table, index);
			atomic_store(&table->growing, 0);
		} else {
			rt_yield();
		}
	}
	rt_signals_restore(mask);
	return ok;
}

void *rt_live_extend_blocks(uint64_t bytes, uint32_t block_bytes)
{
	int64_t offset = file_grow(bytes);

	if (offset < 0)
		return NULL;
	long at = map_shared(NULL, bytes, (uint64_t)offset);
	if (is_error(at)) {
		live_error(at);
		return NULL;
	}
	if (!extent_publish(CPROF_EXTENT_BLOCKS, block_bytes, 0, (uint64_t)offset, bytes)) {
		rt_memory_release((void *)at, bytes);
		return NULL;
	}
	return (void *)at;
}

int rt_live_create(const char *trace_path, uint32_t context_capacity)
{
	struct rt_live *live = &rt_live;
	size_t length = rt_text_append(live->path, 0, sizeof live->path, trace_path);
	int error;
	long at;

	rt_text_append(live->path, length, sizeof live->path, ".live");
	/* A live file without a writer is an older run's: the caller has made sure of that. */
	rt_sys(SYS_unlinkat, AT_FDCWD, live->path, 0);
	live->fd = rt_file_open_new(live->path, O_RDWR);
	if (live->fd < 0)
		return (int)live->fd;
	if (!rt_file_identity(live->fd, &live->device, &live->inode)) {
		rt_sys(SYS_unlinkat, AT_FDCWD, live->path, 0);
		rt_sys(SYS_close, live->fd);
		live->fd = -1;
		return -EIO;
	}
	atomic_store(&live->file_bytes, 0);
	atomic_store(&live->extents, 0);
	error = (int)file_grow(CPROF_LIVE_HEADER_BYTES);
	if (error < 0)
		goto out;
	at = map_shared(NULL, CPROF_LIVE_HEADER_BYTES, 0);
	error = is_error(at) ? (int)at : 0;
	if (error)
		goto out;
	live->header = (struct cprof_live_header *)at;
	live->header->version = CPROF_FORMAT_VERSION;
	live->header->header_bytes = CPROF_LIVE_HEADER_BYTES;
	error = rt_table_create(&live->modules, CPROF_EXTENT_MODULES, sizeof(struct cprof_module),
			   MAX_MODULES / (rt_config.tight ? TIGHT : 1));
	if (!error)
		error = rt_table_create(&live->threads, CPROF_EXTENT_THREADS, sizeof(struct cprof_thread),
				   MAX_THREADS / (rt_config.tight ? TIGHT : 1));
	if (error)
		goto out;
	while ((error = rt_table_create(&live->contexts, CPROF_EXTENT_CONTEXTS, sizeof(struct cprof_context), context_capacity)) == -ENOMEM &&
	       context_capacity > 4096)
		context_capacity /= 2;
out:
	if (error) {
		rt_live_remove();
		rt_live_forget();
	}
	return error;
}

void rt_live_remove(void)
{
	if (rt_live.inode && rt_file_is(rt_live.path, rt_live.device, rt_live.inode))
		rt_sys(SYS_unlinkat, AT_FDCWD, rt_live.path, 0);
}

void rt_live_drop_file(void)
{
	rt_file_close(rt_live.fd, rt_live.device, rt_live.inode);
	rt_live.fd = -1;
}

void rt_live_forget(void)
{
	struct rt_live *live = &rt_live;

	rt_live_drop_file();
	live->device = live->inode = 0;
	rt_memory_release(live->header, CPROF_LIVE_HEADER_BYTES);
	live->header = NULL;
	table_deinit(&live->contexts);
	table_deinit(&live->modules);
	table_deinit(&live->threads);
	table_deinit(&live->allocations);
}
