/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes any kernel file (<trace>.bpf.lz4, docs/trace-format.md section 9) in a few lines of a test.
 *
 *	struct kernel_builder *builder = kernel_builder_create(session);
 *	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SAMPLES, &sample, sizeof sample);     (any record of fixed length)
 *	kernel_builder_window(builder, 0, 1000000000);                                        (the sums so far are of that window)
 *	kernel_builder_end(builder);                                                          (or not: a recorder that was killed)
 *	kernel_builder_write(builder, "trace.bpf.lz4");
 *
 * As trace_builder, on which it stands, it shares nothing with recorder or reader but format/, checks nothing, and ends the test when memory fails.
 */
#ifndef CPROF_KERNEL_BUILDER_H
#define CPROF_KERNEL_BUILDER_H

#include "kernel_format.h"
#include "trace_builder.h"

struct kernel_builder;

struct kernel_builder *kernel_builder_create(const uint8_t session[16]);
/* Of a recording without BPF: one process, "app" of generation 0x8000. */
struct kernel_builder *kernel_builder_create_timed(const uint8_t session[16], uint32_t tgid);
void kernel_builder_destroy(struct kernel_builder *builder);

/* The record goes into the chunk of its kind that is written next. */
void kernel_builder_add(struct kernel_builder *builder, uint16_t kind, const void *record, size_t bytes);
void kernel_builder_stack(struct kernel_builder *builder, uint64_t key, bool kernel, const uint64_t *addresses, uint32_t count);
void kernel_builder_file(struct kernel_builder *builder, struct cprof_file_id id, const char *path);
void kernel_builder_symbol(struct kernel_builder *builder, uint64_t address, uint64_t start, const char *name);
void kernel_builder_source(struct kernel_builder *builder, const char *name, bool on, uint32_t value, const char *why);
void kernel_builder_loss(struct kernel_builder *builder, const char *name, uint64_t value, bool is_loss);
void kernel_builder_module(struct kernel_builder *builder, uint32_t tgid, uint32_t generation, const char *path, uint64_t start, uint64_t end, uint64_t bias);

/* Sums added since the last window become a chunk. */
void kernel_builder_window(struct kernel_builder *builder, uint64_t first_ns, uint64_t last_ns);
/* Everything added so far becomes chunks. */
void kernel_builder_cut(struct kernel_builder *builder);
/* The same, and KERNEL_END and the index. */
void kernel_builder_end(struct kernel_builder *builder, const struct cprof_kernel_end *end);
uint8_t *kernel_builder_bytes(struct kernel_builder *builder, size_t *ret_bytes);
struct trace_builder *kernel_builder_trace(struct kernel_builder *builder); /* for chunks that only a stranger would write */
void kernel_builder_write(struct kernel_builder *builder, const char *path);

#endif
