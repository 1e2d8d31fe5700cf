/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes kernel files for tests; see kernel_builder.h. */
#include "kernel_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_KIND = CPROF_CHUNK_KERNEL_PROCESSES, NR_KINDS = CPROF_CHUNK_KERNEL_FAULTS - FIRST_KIND + 1 };

struct pending { /* records of a kind that are in no chunk yet */
	uint8_t *data;
	size_t bytes;
	uint32_t items;
};

struct kernel_builder {
	struct trace_builder *trace;
	struct pending kinds[NR_KINDS];
};

struct kernel_builder *kernel_builder_create(const uint8_t session[16])
{
	struct trace_builder_options options = { .clock_source = CPROF_CLOCK_MONOTONIC_NS, .pid = 77,
						 .strings = "exe=/bin/app\ncmdline=app --fast\ncwd=/home/user\nwriter=kernel_builder 1\n" };
	struct kernel_builder *builder = calloc(1, sizeof *builder);

	if (!builder)
		abort();
	memcpy(options.session, session, sizeof options.session);
	builder->trace = trace_builder_create(&options);
	return builder;
}

void kernel_builder_destroy(struct kernel_builder *builder)
{
	if (!builder)
		return;
	for (size_t i = 0; i < NR_KINDS; i++)
		free(builder->kinds[i].data);
	trace_builder_destroy(builder->trace);
	free(builder);
}

static void append(struct pending *pending, const void *data, size_t bytes)
{
	pending->data = realloc(pending->data, pending->bytes + bytes + 1);
	if (!pending->data)
		abort();
	if (data)
		memcpy(pending->data + pending->bytes, data, bytes);
	else
		memset(pending->data + pending->bytes, 0, bytes);
	pending->bytes += bytes;
}

void kernel_builder_add(struct kernel_builder *builder, uint16_t kind, const void *record, size_t bytes)
{
	struct pending *pending = &builder->kinds[kind - FIRST_KIND];

	append(pending, record, bytes);
	pending->items++;
}

struct kernel_builder *kernel_builder_create_timed(const uint8_t session[16], uint32_t tgid)
{
	const struct cprof_kernel_process process = { .tgid = tgid, .pid = tgid, .generation = 0x8000, .flags = CPROF_KERNEL_PROCESS_TIMED, .name = "app" };
	struct kernel_builder *builder = kernel_builder_create(session);

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_PROCESSES, &process, sizeof process);
	return builder;
}

void kernel_builder_stack(struct kernel_builder *builder, uint64_t key, bool kernel, const uint64_t *addresses, uint32_t count)
{
	const struct cprof_kernel_stack record = { key, count, kernel };

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_STACKS, &record, sizeof record);
	append(&builder->kinds[CPROF_CHUNK_KERNEL_STACKS - FIRST_KIND], addresses, count * sizeof *addresses);
}

void kernel_builder_file(struct kernel_builder *builder, struct cprof_file_id id, const char *path)
{
	const struct cprof_kernel_file record = { .id = id, .path_bytes = (uint32_t)strlen(path) };
	struct pending *pending = &builder->kinds[CPROF_CHUNK_KERNEL_FILES - FIRST_KIND];

	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_FILES, &record, sizeof record);
	append(pending, path, record.path_bytes);
	append(pending, NULL, (8 - record.path_bytes % 8) % 8);
}

void kernel_builder_symbol(struct kernel_builder *builder, uint64_t address, uint64_t start, const char *name)
{
	struct cprof_kernel_symbol record = { .address = address, .start = start };

	snprintf(record.name, sizeof record.name, "%s", name);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SYMBOLS, &record, sizeof record);
}

void kernel_builder_source(struct kernel_builder *builder, const char *name, bool on, uint32_t value, const char *why)
{
	struct cprof_kernel_source record = { .on = on, .value = value };

	snprintf(record.name, sizeof record.name, "%s", name);
	snprintf(record.why, sizeof record.why, "%s", why);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_SOURCES, &record, sizeof record);
}

void kernel_builder_loss(struct kernel_builder *builder, const char *name, uint64_t value, bool is_loss)
{
	struct cprof_kernel_counter record = { .value = value, .is_loss = is_loss };

	snprintf(record.name, sizeof record.name, "%s", name);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_LOSSES, &record, sizeof record);
}

void kernel_builder_module(struct kernel_builder *builder, uint32_t tgid, uint32_t generation, const char *path, uint64_t start, uint64_t end, uint64_t bias)
{
	struct cprof_module module = { .id = 1, .bias = bias, .start = start, .end = end, .path_bytes = (uint32_t)strlen(path) };
	const struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = CPROF_CHUNK_MODULES, .version = CPROF_FORMAT_VERSION,
						   .payload_bytes = sizeof module, .thread = tgid, .strand = generation, .items = 1 };

	memcpy(module.path, path, module.path_bytes);
	trace_builder_chunk(builder->trace, &header, &module, sizeof module);
}

static void write_chunk(struct kernel_builder *builder, uint16_t kind, uint64_t first_ns, uint64_t last_ns)
{
	struct pending *pending = &builder->kinds[kind - FIRST_KIND];
	const struct cprof_chunk_header header = { .magic = CPROF_CHUNK_MAGIC, .kind = kind, .version = CPROF_FORMAT_VERSION, .payload_bytes = pending->bytes,
						   .thread = CPROF_NO_THREAD, .first_tsc = first_ns, .last_tsc = last_ns, .items = pending->items };

	if (pending->items)
		trace_builder_chunk(builder->trace, &header, pending->data, pending->bytes);
	pending->bytes = pending->items = 0;
}

void kernel_builder_window(struct kernel_builder *builder, uint64_t first_ns, uint64_t last_ns)
{
	write_chunk(builder, CPROF_CHUNK_KERNEL_SUMS, first_ns, last_ns);
}

void kernel_builder_cut(struct kernel_builder *builder)
{
	for (uint16_t kind = FIRST_KIND; kind <= CPROF_CHUNK_KERNEL_FAULTS; kind++)
		write_chunk(builder, kind, 0, 0);
}

void kernel_builder_end(struct kernel_builder *builder, const struct cprof_kernel_end *end)
{
	kernel_builder_cut(builder);
	kernel_builder_add(builder, CPROF_CHUNK_KERNEL_END, end, sizeof *end);
	kernel_builder_cut(builder);
	trace_builder_end_index(builder->trace);
}

uint8_t *kernel_builder_bytes(struct kernel_builder *builder, size_t *ret_bytes)
{
	return trace_builder_bytes(builder->trace, ret_bytes);
}

struct trace_builder *kernel_builder_trace(struct kernel_builder *builder)
{
	return builder->trace;
}

void kernel_builder_write(struct kernel_builder *builder, const char *path)
{
	trace_builder_write(builder->trace, path);
}
