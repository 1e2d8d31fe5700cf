/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes any trace in a few lines of a test: valid ones, broken ones, and what a killed process leaves behind.
 *
 *	struct trace_builder *builder = trace_builder_create(NULL);
 *	uint32_t top = trace_builder_context(builder, 0, 0x1000, 0x500);       (parent, function, call site)
 *	uint32_t leaf = trace_builder_context(builder, top, 0x2000, 0x1010);
 *
 *	trace_builder_enter(builder, 0, 100, top);                             (thread, ticks, context or edge)
 *	trace_builder_enter(builder, 0, 110, leaf);
 *	trace_builder_exit(builder, 0, 120);
 *	trace_builder_cut(builder, 0);                                         (thread 0's events so far become a chunk)
 *	trace_builder_exit(builder, 0, 130);
 *	trace_builder_end(builder);                                            (or trace_builder_end_live())
 *	trace_builder_write(builder, "trace.lz4");
 *
 * It shares nothing with the runtime's writer nor with the analyzer's reader (only format/), so that each of the three checks the others. It ends
 * the test program when memory or the disk fails. What it is told is written, however wrong: it checks nothing.
 */
#ifndef CPROF_TRACE_BUILDER_H
#define CPROF_TRACE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace_format.h"

struct trace_builder;

struct trace_builder_options {       /* what is 0 or NULL takes the default */
	uint64_t start_tsc;          /* of the first clock pair; default 1000 */
	double clock_hz;             /* default 1e9: a tick is a nanosecond */
	uint64_t required_features;
	uint32_t pid, parent_pid, generation;
	uint32_t clock_source, mode, flags;
	uint8_t session[16];
	const char *strings;         /* "key=value" separated by newlines; default: exe, cmdline, cwd, writer of a fictitious /bin/app */
	bool no_meta;                /* no META chunk, no CLOCK chunk: the test writes them, or not */
};

/* CLOCK_MONOTONIC at a tick: ticks are ns, but with other options, and the clock reads 5 s at tick 1000. */
static inline uint64_t trace_builder_ns(uint64_t ticks)
{
	return 5000000000u - 1000 + ticks;
}

struct trace_builder *trace_builder_create(const struct trace_builder_options *options); /* NULL: all defaults */
void trace_builder_destroy(struct trace_builder *builder);

/* Tables. Ids count from 1. Addresses belong to the module declared last (none: absolute). The records returned may be bent until the end. */
uint32_t trace_builder_module(struct trace_builder *builder, const char *path, uint64_t bias);
uint32_t trace_builder_context(struct trace_builder *builder, uint32_t parent, uint64_t function, uint64_t call_site);
/* A call from context parent back to its ancestor target. */
uint32_t trace_builder_edge(struct trace_builder *builder, uint32_t parent, uint32_t target, uint64_t call_site);
void trace_builder_loss(struct trace_builder *builder, uint32_t thread, uint32_t reason, uint64_t events);
struct cprof_module *trace_builder_module_record(struct trace_builder *builder, uint32_t id);
struct cprof_context *trace_builder_context_record(struct trace_builder *builder, uint32_t id);
struct cprof_thread *trace_builder_thread_record(struct trace_builder *builder, uint32_t thread); /* declares it, too */

/* Events. Threads exist from their first mention. */
void trace_builder_enter(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t id);
void trace_builder_exit(struct trace_builder *builder, uint32_t thread, uint64_t ticks);
void trace_builder_exit_to(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t context); /* as the runtime says it */
void trace_builder_escape(struct trace_builder *builder, uint32_t thread, uint32_t kind, uint64_t payload);
/* CPROF_ESCAPE_SUSPEND or _RESUME. */
void trace_builder_switch(struct trace_builder *builder, uint32_t thread, uint64_t ticks, uint32_t kind);
/* The event added last was never finished: its slot in the live file stays 0. */
void trace_builder_unfinished(struct trace_builder *builder, uint32_t thread);

/* What thread has since its last cut becomes an EVENTS chunk of the trace (nothing happens without events). */
void trace_builder_cut(struct trace_builder *builder, uint32_t thread);
void trace_builder_cut_live(struct trace_builder *builder, uint32_t thread, uint32_t state); /* ... a block of the live file */
void trace_builder_cut_both(struct trace_builder *builder, uint32_t thread);                 /* ... both: drained, not freed yet */
void trace_builder_cut_lost(struct trace_builder *builder, uint32_t thread);                 /* ... nothing: a hole */
void trace_builder_clock(struct trace_builder *builder, uint64_t ticks);                     /* a CLOCK chunk */

/* Any chunk, in a perfect frame. header->magic and so on are written as they are. */
void trace_builder_chunk(struct trace_builder *builder, const struct cprof_chunk_header *header, const void *payload, size_t bytes);
/* The same with magic, kind, version, lengths and thread filled in: a table or an unknown kind. */
void trace_builder_table(struct trace_builder *builder, uint16_t kind, uint64_t first, uint32_t items, const void *payload, size_t bytes);
void trace_builder_raw(struct trace_builder *builder, const void *bytes, size_t nr_bytes); /* bytes that are no chunk */

/* A clean end: cuts every thread, tables, END, index. */
void trace_builder_end(struct trace_builder *builder);
/* Its steps, for tests that leave one out. */
void trace_builder_end_tables(struct trace_builder *builder);
void trace_builder_end_chunk(struct trace_builder *builder);
void trace_builder_end_index(struct trace_builder *builder);
/* A killed process: what is not cut yet becomes live blocks (state OWNED), the tables go to the live file; the trace just stops. */
void trace_builder_end_live(struct trace_builder *builder);

/* The files. The bytes are the builder's own and may be damaged in place; they move with the next call that adds something. */
uint8_t *trace_builder_bytes(struct trace_builder *builder, size_t *ret_bytes);
uint8_t *trace_builder_live_bytes(struct trace_builder *builder, size_t *ret_bytes); /* *ret_bytes 0 without trace_builder_end_live() */
size_t trace_builder_nr_chunks(const struct trace_builder *builder);
const struct cprof_index_entry *trace_builder_entry(const struct trace_builder *builder, size_t chunk); /* where it is in the file */
void trace_builder_write(struct trace_builder *builder, const char *path); /* and path.live, when there is one; else removes that */
void trace_builder_write_file(const char *path, const void *bytes, size_t nr_bytes);

#endif
