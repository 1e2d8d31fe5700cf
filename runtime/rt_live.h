/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live file: tables and event blocks in a mapping that the page cache keeps when the process is killed (docs/trace-format.md section 6).
 *
 * Space is allocated on disk and written to once before anybody stores into it, so that a full disk is an error here and never a SIGBUS in
 * the host. Growing runs with signals blocked; it may be called from any hook. Nothing here frees space before the end.
 */
#ifndef CPROF_RT_LIVE_H
#define CPROF_RT_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace_format.h"

/* A growing array of records at a fixed address. */
struct rt_table {
	uint8_t *base;            /* address space for capacity records; mapped up to mapped */
	uint32_t kind;            /* enum cprof_extent_kind */
	uint32_t item_bytes;
	uint32_t unit_items;      /* records that fill a whole number of pages: extents are multiples of it */
	uint32_t capacity;        /* records; a multiple of unit_items */
	_Atomic uint32_t mapped;  /* records that may be touched; grows */
	_Atomic uint32_t growing; /* one thread grows, others wait for it: it runs with signals blocked and takes no lock */
};

struct rt_live {
	char path[4096 + 16];
	long fd;
	uint64_t device, inode;
	_Atomic uint64_t file_bytes;
	_Atomic uint32_t extents;
	_Atomic int error;        /* errno of the last growth that failed */
	struct cprof_live_header *header;
	struct rt_table contexts, modules, threads;
	struct rt_table allocations; /* rt_alloc.c; base is NULL without the interposer */
};

extern struct rt_live rt_live;

/* Creates <trace_path>.live and maps its header and empty tables. context_capacity is halved until the address space suffices; the
 * result is rt_live.contexts.capacity. Negative errno on failure, nothing left behind. */
int rt_live_create(const char *trace_path, uint32_t context_capacity);
/* Removes the file; the mappings stay, since other threads may still store into them. */
void rt_live_remove(void);
/* In a fork's child, at once: closes the descriptor. */
void rt_live_drop_file(void);
/* In a fork's child: forgets the parent's mappings without touching the file. */
void rt_live_forget(void);

/* Address space for capacity records; the items of a table never straddle two extents. Negative errno on failure. */
int rt_table_create(struct rt_table *table, uint32_t kind, uint32_t item_bytes, uint32_t capacity);
/* Makes sure that record index may be written. false when there is no space (then it is as before). */
bool rt_table_ensure(struct rt_table *table, uint32_t index);

static inline void *rt_table_at(const struct rt_table *table, uint32_t index)
{
	return table->base + (uint64_t)index * table->item_bytes;
}

/* Maps a new extent of bytes (whole pages) of event blocks, zeroed, resident. NULL when there is no space. */
void *rt_live_extend_blocks(uint64_t bytes, uint32_t block_bytes);

#endif
