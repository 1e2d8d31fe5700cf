/* SPDX-License-Identifier: BSD-2-Clause */
#include "dump_kernel.h"

#include <inttypes.h>
#include <string.h>

enum field_kind { FIELD_NUMBER, FIELD_SIGNED, FIELD_TEXT };

struct field {
	const char *key;
	size_t offset, bytes;
	enum field_kind kind;
};

#define F(type, field) { #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), FIELD_NUMBER }
#define S(type, field) { #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), FIELD_SIGNED }
#define T(type, field) { #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), FIELD_TEXT }
#define WHO(type, field, prefix) \
	{ prefix "tgid", offsetof(struct type, field.tgid), 4, FIELD_NUMBER }, { prefix "tid", offsetof(struct type, field.tid), 4, FIELD_NUMBER }, \
	{ prefix "context", offsetof(struct type, field.context), 4, FIELD_NUMBER }, \
	{ prefix "generation", offsetof(struct type, field.generation), 2, FIELD_NUMBER }, \
	{ prefix "quality", offsetof(struct type, field.quality), 1, FIELD_NUMBER }
#define FIELDS_END { NULL, 0, 0, FIELD_NUMBER }

static const struct field sched_fields[] = { F(cprof_sched, attached_ns), F(cprof_sched, heartbeat_ns), F(cprof_sched, stopped_ns), F(cprof_sched, threads),
					     F(cprof_sched, threads_without_slot), F(cprof_sched, kernel_tgid), FIELDS_END };
static const struct field alloc_fields[] = { F(cprof_alloc, context), F(cprof_alloc, calls), F(cprof_alloc, bytes), F(cprof_alloc, freed_calls),
					     F(cprof_alloc, freed_bytes), F(cprof_alloc, peak_bytes), F(cprof_alloc, bytes_at_peak),
					     F(cprof_alloc, temporary_calls), F(cprof_alloc, failed_calls), FIELDS_END };
static const struct field process_fields[] = { F(cprof_kernel_process, tgid), F(cprof_kernel_process, pid), F(cprof_kernel_process, parent_tgid),
					       F(cprof_kernel_process, generation), F(cprof_kernel_process, start_ns), F(cprof_kernel_process, end_ns),
					       F(cprof_kernel_process, flags), S(cprof_kernel_process, exit_status), T(cprof_kernel_process, name), FIELDS_END };
static const struct field thread_fields[] = {
	F(cprof_kernel_thread, tgid), F(cprof_kernel_thread, tid), F(cprof_kernel_thread, ns_tid), F(cprof_kernel_thread, slot), F(cprof_kernel_thread, generation),
	F(cprof_kernel_thread, start_ns), F(cprof_kernel_thread, end_ns), F(cprof_kernel_thread, on_cpu_ns), F(cprof_kernel_thread, runq_ns),
	{ "blocked_lock_ns", offsetof(struct cprof_kernel_thread, blocked_ns[0]), 8, FIELD_NUMBER },
	{ "blocked_disk_ns", offsetof(struct cprof_kernel_thread, blocked_ns[1]), 8, FIELD_NUMBER },
	{ "blocked_file_ns", offsetof(struct cprof_kernel_thread, blocked_ns[2]), 8, FIELD_NUMBER },
	{ "blocked_poll_ns", offsetof(struct cprof_kernel_thread, blocked_ns[3]), 8, FIELD_NUMBER },
	{ "blocked_sleep_ns", offsetof(struct cprof_kernel_thread, blocked_ns[4]), 8, FIELD_NUMBER },
	{ "blocked_other_ns", offsetof(struct cprof_kernel_thread, blocked_ns[5]), 8, FIELD_NUMBER },
	F(cprof_kernel_thread, suspended_ns), F(cprof_kernel_thread, switches), F(cprof_kernel_thread, faults), F(cprof_kernel_thread, samples),
	T(cprof_kernel_thread, name), FIELDS_END
};
static const struct field source_fields[] = { F(cprof_kernel_source, on), F(cprof_kernel_source, value), T(cprof_kernel_source, name), T(cprof_kernel_source, why),
					      FIELDS_END };
static const struct field counter_fields[] = { F(cprof_kernel_counter, value), F(cprof_kernel_counter, is_loss), T(cprof_kernel_counter, name), FIELDS_END };
static const struct field end_fields[] = { F(cprof_kernel_end, start_ns), F(cprof_kernel_end, end_ns), F(cprof_kernel_end, recorder_cpu_ns),
					   F(cprof_kernel_end, bpf_run_ns), F(cprof_kernel_end, bpf_runs), F(cprof_kernel_end, records),
					   F(cprof_kernel_end, reason), FIELDS_END };
static const struct field sample_fields[] = { F(cprof_kernel_sample, time_ns), WHO(cprof_kernel_sample, who, ""), F(cprof_kernel_sample, ip),
					      F(cprof_kernel_sample, user_stack), F(cprof_kernel_sample, kernel_stack), F(cprof_kernel_sample, period_ns),
					      F(cprof_kernel_sample, cpu), F(cprof_kernel_sample, flags), FIELDS_END };
static const struct field off_cpu_fields[] = {
	F(cprof_kernel_off_cpu, time_ns), WHO(cprof_kernel_off_cpu, who, ""), F(cprof_kernel_off_cpu, blocked_ns), F(cprof_kernel_off_cpu, runq_ns),
	F(cprof_kernel_off_cpu, kernel_stack), F(cprof_kernel_off_cpu, user_stack), WHO(cprof_kernel_off_cpu, waker, "waker_"), F(cprof_kernel_off_cpu, object),
	F(cprof_kernel_off_cpu, device), F(cprof_kernel_off_cpu, inode_generation), F(cprof_kernel_off_cpu, syscall), F(cprof_kernel_off_cpu, blocked_class), F(cprof_kernel_off_cpu, state),
	F(cprof_kernel_off_cpu, open), F(cprof_kernel_off_cpu, woken_by), FIELDS_END
};
static const struct field sum_fields[] = {
	WHO(cprof_kernel_sum, key.who, ""), { "kind", offsetof(struct cprof_kernel_sum, key.kind), 4, FIELD_NUMBER },
	{ "sub", offsetof(struct cprof_kernel_sum, key.sub), 4, FIELD_NUMBER }, { "object", offsetof(struct cprof_kernel_sum, key.object), 8, FIELD_NUMBER },
	{ "device", offsetof(struct cprof_kernel_sum, key.device), 4, FIELD_NUMBER }, { "other", offsetof(struct cprof_kernel_sum, key.other), 4, FIELD_NUMBER },
	{ "stack", offsetof(struct cprof_kernel_sum, key.stack), 8, FIELD_NUMBER }, { "count", offsetof(struct cprof_kernel_sum, value.count), 8, FIELD_NUMBER },
	{ "total_ns", offsetof(struct cprof_kernel_sum, value.ns), 8, FIELD_NUMBER }, { "max_ns", offsetof(struct cprof_kernel_sum, value.max_ns), 8, FIELD_NUMBER },
	{ "bytes", offsetof(struct cprof_kernel_sum, value.bytes), 8, FIELD_NUMBER }, FIELDS_END
};
static const struct field io_fields[] = { F(cprof_kernel_io, time_ns), F(cprof_kernel_io, duration_ns), WHO(cprof_kernel_io, who, ""), S(cprof_kernel_io, result),
					  { "inode", offsetof(struct cprof_kernel_io, file.inode), 8, FIELD_NUMBER },
					  { "device", offsetof(struct cprof_kernel_io, file.device), 4, FIELD_NUMBER },
					  { "inode_generation", offsetof(struct cprof_kernel_io, file.generation), 4, FIELD_NUMBER },
					  F(cprof_kernel_io, syscall), S(cprof_kernel_io, fd), FIELDS_END };
static const struct field block_fields[] = { F(cprof_kernel_block, time_ns), WHO(cprof_kernel_block, who, ""), F(cprof_kernel_block, queue_ns),
					     F(cprof_kernel_block, device_ns), F(cprof_kernel_block, sector), F(cprof_kernel_block, inode), F(cprof_kernel_block, inode_generation),
					     F(cprof_kernel_block, device), F(cprof_kernel_block, bytes), F(cprof_kernel_block, op), S(cprof_kernel_block, error),
					     FIELDS_END };
static const struct field lock_fields[] = { F(cprof_kernel_lock, time_ns), F(cprof_kernel_lock, duration_ns), WHO(cprof_kernel_lock, who, ""),
					    WHO(cprof_kernel_lock, holder, "holder_"), F(cprof_kernel_lock, address), F(cprof_kernel_lock, ip),
					    F(cprof_kernel_lock, op), S(cprof_kernel_lock, result), F(cprof_kernel_lock, lock_class), FIELDS_END };

static uint64_t number_at(const uint8_t *at, const struct field *field)
{
	uint8_t byte;
	uint16_t half;
	uint32_t word;
	uint64_t number;

	switch (field->bytes) {
	case sizeof byte:
		return *at;
	case sizeof half:
		memcpy(&half, at, sizeof half);
		return half;
	case sizeof word:
		memcpy(&word, at, sizeof word);
		return field->kind == FIELD_SIGNED ? (uint64_t)(int64_t)(int32_t)word : word;
	default:
		memcpy(&number, at, sizeof number);
		return number;
	}
}

static void print_field(struct kernel_dump *dump, const struct field *field, const uint8_t *at)
{
	if (field->kind == FIELD_TEXT) {
		char text[128];

		snprintf(text, sizeof text, "%.*s", (int)field->bytes, (const char *)at);
		if (dump->record) {
			record_text(dump->record, field->key, text);
		} else if (*text) {
			fprintf(dump->out, "  %s ", field->key);
			text_print(dump->style, dump->out, text, TEXT_WIDTH_MAX);
		}
		return;
	}
	if (dump->record && field->kind == FIELD_SIGNED) {
		char text[24];

		snprintf(text, sizeof text, "%" PRId64, (int64_t)number_at(at, field));
		record_text(dump->record, field->key, text);
	} else if (dump->record) {
		record_u64(dump->record, field->key, number_at(at, field));
	} else if (field->kind == FIELD_SIGNED) {
		fprintf(dump->out, "  %s %" PRId64, field->key, (int64_t)number_at(at, field));
	} else {
		fprintf(dump->out, "  %s %" PRIu64, field->key, number_at(at, field));
	}
}

static void print_line(struct kernel_dump *dump, const char *kind, const struct field *fields, const void *record)
{
	if (dump->lines >= dump->limit || ferror(dump->out))
		return;
	if (dump->record) {
		record_begin(dump->record);
		record_text(dump->record, "record", kind);
	} else {
		fputs(kind, dump->out);
	}
	for (; fields->key; fields++)
		print_field(dump, fields, (const uint8_t *)record + fields->offset);
	if (dump->record)
		record_end(dump->record);
	else
		fputc('\n', dump->out);
	dump->lines++;
}

void kernel_dump_trace(struct kernel_dump *dump, const struct trace_tables *tables)
{
	if (tables->sched)
		print_line(dump, "sched", sched_fields, tables->sched);
	for (size_t i = 0; i < tables->nr_allocs; i++)
		print_line(dump, "alloc", alloc_fields, &tables->allocs[i]);
}

struct dumped_kind {
	struct kernel_dump *dump;
	const char *name;
	const struct field *fields;
};

static const struct field fault_fields[] = { F(cprof_kernel_fault, time_ns), F(cprof_kernel_fault, tgid), F(cprof_kernel_fault, tid), FIELDS_END };

static struct cprof_error *take_record(void *context, const struct cprof_chunk_header *header, const void *record)
{
	const struct dumped_kind *kind = context;

	(void)header;
	print_line(kind->dump, kind->name, kind->fields, record);
	return NULL;
}

struct cprof_error *kernel_dump_file(struct kernel_dump *dump, struct kernel_file *file, bool records)
{
	static const struct {
		uint16_t kind;
		const char *name;
		const struct field *fields;
	} kinds[] = {
		{ CPROF_CHUNK_KERNEL_SAMPLES, "sample", sample_fields }, { CPROF_CHUNK_KERNEL_OFF_CPU, "off-cpu", off_cpu_fields },
		{ CPROF_CHUNK_KERNEL_SUMS, "sum", sum_fields },		 { CPROF_CHUNK_KERNEL_IO, "io", io_fields },
		{ CPROF_CHUNK_KERNEL_BLOCK, "block", block_fields },	 { CPROF_CHUNK_KERNEL_LOCKS, "lock", lock_fields },
		{ CPROF_CHUNK_KERNEL_FAULTS, "fault", fault_fields },
	};
	const struct kernel_tables *tables = kernel_file_tables(file);
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < tables->nr_sources; i++)
		print_line(dump, "kernel-source", source_fields, &tables->sources[i]);
	for (size_t i = 0; i < tables->nr_processes; i++)
		print_line(dump, "kernel-process", process_fields, &tables->processes[i]);
	for (size_t i = 0; i < tables->nr_threads; i++)
		print_line(dump, "kernel-thread", thread_fields, &tables->threads[i]);
	for (size_t i = 0; i < tables->nr_counters; i++)
		print_line(dump, "kernel-counter", counter_fields, &tables->counters[i]);
	for (size_t i = 0; records && i < sizeof kinds / sizeof *kinds && !error && dump->lines < dump->limit; i++)
		error = kernel_file_each(file, kinds[i].kind, take_record, &(struct dumped_kind){ dump, kinds[i].name, kinds[i].fields });
	if (!error && tables->end)
		print_line(dump, "kernel-end", end_fields, tables->end);
	return error;
}
