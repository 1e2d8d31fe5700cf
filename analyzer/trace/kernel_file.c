/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel half; see kernel_file.h. */
#include "kernel_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunk_list.h"
#include "kernel_internal.h"
#include "kernel_table_set.h"
#include "trace_meta.h"

struct kernel_file {
	struct trace_file file;
	struct chunk_list chunks;
	struct frame_buffer buffer;
	struct problems problems;
	struct trace_state state;
	struct trace_meta meta;
	uint8_t *meta_payload;

	struct kernel_table_set set;
};

/* Kinds whose records are not kept. */
static bool kind_is_streamed(uint16_t kind)
{
	return kind == CPROF_CHUNK_KERNEL_SAMPLES || kind == CPROF_CHUNK_KERNEL_FAULTS || (kind >= CPROF_CHUNK_KERNEL_OFF_CPU && kind <= CPROF_CHUNK_KERNEL_LOCKS);
}

static bool kind_is_kernel(uint16_t kind)
{
	return kind >= CPROF_CHUNK_KERNEL_PROCESSES && kind <= CPROF_CHUNK_KERNEL_FAULTS;
}

/* --- chunks --- */

static struct cprof_error *add_damage(struct kernel_file *file, const struct chunk_place *place, const char *why)
{
	struct cprof_error *error = problems_add(&file->problems, PROBLEM_AT(FINDING_DAMAGE, place->offset), "%s; %" PRIu64 " bytes skipped", why,
						 place->frame_bytes);

	file->state.clean = false;
	file->state.damaged_bytes += place->frame_bytes;
	file->state.nr_problems = file->problems.nr;
	file->state.problems = (const char *const *)file->problems.lines;
	return error;
}

struct payload {
	struct cprof_chunk_header header;
	const uint8_t *bytes;
};

static struct cprof_error *load_chunk(struct kernel_file *file, const struct chunk_place *place, struct payload *ret, const char **why)
{
	struct frame frame;
	struct cprof_error *error = frame_load(&file->file, place->offset, place->frame_bytes, true, &file->buffer, &frame, &ret->bytes, why);

	if (error || *why)
		return error;
	ret->header = frame.header;
	if (frame.header.kind != place->kind)
		*why = "the index names another kind of chunk here";
	return trace_version_check(file->file.path, place->offset, frame.header.version);
}

static struct cprof_error *take_meta(struct kernel_file *file, const struct payload *payload, const char **why)
{
	size_t bytes = payload->header.payload_bytes;
	uint8_t *copy;

	if (file->meta_payload)
		return NULL;
	copy = calloc(1, bytes + 1);
	if (!copy)
		return &cprof_enomem;
	memcpy(copy, payload->bytes, bytes);
	struct cprof_error *error = trace_meta_parse(file->file.path, payload->header.version, copy, bytes, &file->meta, why);

	if (error || *why)
		free(copy);
	else
		file->meta_payload = copy;
	return error;
}

static struct cprof_error *load_tables(struct kernel_file *file)
{
	uint64_t nr_unknown = 0;
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < file->chunks.nr && !error; i++) {
		const struct chunk_place *place = &file->chunks.places[i];
		struct payload payload;
		const char *why = NULL;

		if (place->last_tsc > file->state.end_tsc)
			file->state.end_tsc = place->last_tsc;
		if (kind_is_streamed(place->kind))
			continue;
		if (place->kind != CPROF_CHUNK_META && place->kind != CPROF_CHUNK_MODULES && !kind_is_kernel(place->kind)) {
			nr_unknown += place->kind != CPROF_CHUNK_CLOCK;
			continue;
		}
		error = load_chunk(file, place, &payload, &why);
		if (!error && !why && place->kind == CPROF_CHUNK_META)
			error = take_meta(file, &payload, &why);
		else if (!error && !why)
			error = kernel_table_set_take(&file->set, &payload.header, payload.bytes, &why);
		if (!error && why)
			error = add_damage(file, place, why);
	}
	if (!error && nr_unknown)
		error = problems_add(&file->problems, PROBLEM_OF_TRACE(FINDING_NOTE), "%" PRIu64 " chunks of unknown kind are not used", nr_unknown);
	return error;
}

struct cprof_error *kernel_file_each(struct kernel_file *file, uint16_t kind, kernel_file_take *take, void *context)
{
	size_t record_bytes = kernel_record_bytes(kind);

	for (size_t i = 0; i < file->chunks.nr; i++) {
		const struct chunk_place *place = &file->chunks.places[i];
		struct payload payload;
		const char *why = NULL;
		struct cprof_error *error;

		if (place->kind != kind || !kind_is_streamed(kind))
			continue;
		error = load_chunk(file, place, &payload, &why);
		if (!error && !why && payload.header.payload_bytes % record_bytes)
			why = "length of a table is not a multiple of its records'";
		if (!error && why)
			error = add_damage(file, place, why);
		for (uint64_t at = 0; !error && !why && at < payload.header.payload_bytes; at += record_bytes)
			error = take(context, &payload.header, payload.bytes + at);
		if (error)
			return error;
	}
	return NULL;
}

static struct cprof_error *count_record(void *context, const struct cprof_chunk_header *header, const void *record)
{
	(void)header, (void)record;
	++*(uint64_t *)context;
	return NULL;
}

struct cprof_error *kernel_file_check(struct kernel_file *file, uint64_t *records)
{
	struct cprof_error *error = NULL;

	*records = file->set.records;
	for (uint16_t kind = CPROF_CHUNK_KERNEL_PROCESSES; kind <= CPROF_CHUNK_KERNEL_FAULTS && !error; kind++)
		if (kind_is_streamed(kind))
			error = kernel_file_each(file, kind, count_record, records);
	return error;
}

/* --- opening --- */

static bool has_kernel_chunks(const struct chunk_list *chunks)
{
	for (size_t i = 0; i < chunks->nr; i++)
		if (kind_is_kernel(chunks->places[i].kind))
			return true;
	return false;
}

static struct cprof_error *load(struct kernel_file *file)
{
	struct cprof_error *error = chunk_list_make(&file->file, &file->problems, &file->chunks);

	if (error)
		return error;
	if (!has_kernel_chunks(&file->chunks))
		return cprof_error_at(CPROF_ERROR_FORMAT, file->file.path, 0, "is not a file of cprof-record");
	file->state.damaged_bytes = file->chunks.damaged_bytes;
	error = load_tables(file);
	if (!error && file->chunks.cut_bytes && !file->state.active) {
		file->state.damaged_bytes += file->chunks.cut_bytes;
		error = problems_add(&file->problems, PROBLEM_AT(FINDING_LOSS, file->chunks.cut_offset),
				     "the file ends within a chunk; its last %" PRIu64 " bytes are not used", file->chunks.cut_bytes);
	}
	if (!error && !file->set.has_end && !file->state.active)
		error = problems_add(&file->problems, PROBLEM_OF_TRACE(FINDING_LOSS),
				     "%s has no END: cprof-record was killed, and what it had not written is lost", file->file.path);
	if (!error && !file->meta_payload)
		error = problems_add(&file->problems, PROBLEM_OF_TRACE(FINDING_DAMAGE), "META is missing: which traces belong to it is not known");
	return error;
}

struct cprof_error *kernel_file_open(const char *path, struct kernel_file **ret)
{
	struct kernel_file *file = calloc(1, sizeof *file);

	if (!file)
		return &cprof_enomem;
	file->file.fd = -1;
	file->meta = (struct trace_meta){ .exe = "", .command_line = "", .working_directory = "", .writer = "" };
	struct cprof_error *error = trace_file_open(path, &file->file);

	if (!error) {
		file->state.active = trace_file_is_locked(&file->file);
		file->state.file_bytes = file->file.bytes;
		error = load(file);
	}
	if (!error)
		error = kernel_table_set_finish(&file->set);
	if (error) {
		kernel_file_close(file);
		return error;
	}
	file->state.clean = file->set.has_end && file->meta_payload && !file->state.damaged_bytes;
	file->state.nr_problems = file->problems.nr;
	file->state.problems = (const char *const *)file->problems.lines;
	*ret = file;
	return NULL;
}

void kernel_file_close(struct kernel_file *file)
{
	if (!file)
		return;
	trace_file_close(&file->file);
	chunk_list_deinit(&file->chunks);
	frame_buffer_deinit(&file->buffer);
	problems_deinit(&file->problems);
	free(file->meta_payload);
	kernel_table_set_deinit(&file->set);
	free(file);
}

/* --- asking --- */

const char *kernel_file_path(const struct kernel_file *file)
{
	return file->file.path;
}

const struct trace_meta *kernel_file_meta(const struct kernel_file *file)
{
	return &file->meta;
}

const struct kernel_tables *kernel_file_tables(const struct kernel_file *file)
{
	return &file->set.tables;
}

const struct trace_state *kernel_file_state(const struct kernel_file *file)
{
	return &file->state;
}

uint64_t kernel_file_start_ns(const struct kernel_file *file)
{
	uint64_t first_ns = UINT64_MAX;

	if (file->set.has_end)
		return file->set.end.start_ns;
	for (size_t i = 0; i < file->chunks.nr; i++)
		if (file->chunks.places[i].first_tsc && file->chunks.places[i].first_tsc < first_ns)
			first_ns = file->chunks.places[i].first_tsc;
	return first_ns == UINT64_MAX ? 0 : first_ns;
}

size_t kernel_file_nr_chunks(const struct kernel_file *file)
{
	return file->chunks.nr;
}

const struct cprof_kernel_process *kernel_file_process(const struct kernel_file *file, uint32_t tgid, uint32_t generation)
{
	return kernel_table_set_process(&file->set, tgid, generation);
}

const struct kernel_stack *kernel_file_stack(const struct kernel_file *file, uint64_t key)
{
	return kernel_table_set_stack(&file->set, key);
}

const struct kernel_module *kernel_file_module(const struct kernel_file *file, uint32_t tgid, uint32_t generation, uint64_t address)
{
	return kernel_table_set_module(&file->set, tgid, generation, address);
}

const struct kernel_module *kernel_file_module_below(const struct kernel_file *file, uint32_t tgid, uint32_t generation, uint64_t address)
{
	return kernel_table_set_module_below(&file->set, tgid, generation, address);
}

const char *kernel_file_name(const struct kernel_file *file, struct cprof_file_id id)
{
	return kernel_table_set_name(&file->set, id);
}

struct cprof_file_id kernel_file_last_so_called(const struct kernel_file *file, struct cprof_file_id id)
{
	return kernel_table_set_last_so_called(&file->set, id);
}

bool kernel_thread_is_writer(const struct cprof_kernel_thread *thread)
{
	return !thread->slot && thread->tid != thread->tgid && strcmp(thread->name, "cprof") == 0;
}

const struct cprof_kernel_symbol *kernel_file_symbol(const struct kernel_file *file, uint64_t address)
{
	return kernel_table_set_symbol(&file->set, address);
}

bool kernel_file_is_last_word(const struct kernel_file *file, const struct cprof_kernel_off_cpu *off)
{
	return off->open != 2 || (!file->set.has_end && off->time_ns + off->blocked_ns + off->runq_ns == file->state.end_tsc);
}

bool kernel_file_has_source(const struct kernel_file *file, const char *name, uint32_t *value)
{
	return kernel_table_set_source(&file->set, name, value);
}

uint32_t kernel_file_source_on(const struct kernel_file *file, const char *name)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	for (size_t i = 0; i < tables->nr_sources; i++)
		if (strcmp(tables->sources[i].name, name) == 0)
			return tables->sources[i].on;
	return CPROF_SOURCE_OFF;
}

uint64_t kernel_file_counter(const struct kernel_file *file, const char *name)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	for (size_t i = 0; i < tables->nr_counters; i++)
		if (strcmp(tables->counters[i].name, name) == 0)
			return tables->counters[i].value;
	return 0;
}

struct problems *kernel_file_problems(struct kernel_file *file)
{
	return &file->problems;
}
