/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel half; see kernel_file.h. */
#include "kernel_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chunk_list.h"
#include "kernel_internal.h"
#include "trace_meta.h"
#include "vec.h"

struct stack_place { /* addresses move while they are collected */
	struct kernel_stack stack;
	size_t first;
};

struct file_place {
	struct kernel_path path;
	size_t first;
};

struct kernel_file {
	struct trace_file file;
	struct chunk_list chunks;
	struct frame_buffer buffer;
	struct problems problems;
	struct trace_state state;
	struct trace_meta meta;
	uint8_t *meta_payload;

	struct cprof_kernel_process *processes;
	struct cprof_kernel_thread *threads;
	struct cprof_kernel_source *sources;
	struct cprof_kernel_counter *counters;
	struct cprof_kernel_symbol *symbols;
	struct kernel_module *modules;
	struct stack_place *stacks;
	struct file_place *files;
	uint64_t *addresses;
	char *names;
	size_t nr_processes, processes_capacity, nr_threads, threads_capacity, nr_sources, sources_capacity, nr_counters, counters_capacity;
	size_t nr_symbols, symbols_capacity, nr_modules, modules_capacity, nr_stacks, stacks_capacity, nr_files, files_capacity;
	size_t nr_addresses, addresses_capacity, names_bytes, names_capacity;
	struct cprof_kernel_end end;
	bool has_end;
	uint64_t records;         /* of all kinds met so far, for the check */
	struct kernel_tables tables;
};

#define TERMINATE(array) ((array)[sizeof(array) - 1] = '\0')

/* --- tables --- */

/* One more record in an array of the file; NULL: no memory. */
static void *add_record(void *items, size_t *nr, size_t *capacity, const void *record, size_t record_bytes)
{
	uint8_t *base;

	if (!vec_reserve(items, capacity, *nr + 1, record_bytes))
		return NULL;
	memcpy(&base, items, sizeof base);
	memcpy(base + *nr * record_bytes, record, record_bytes);
	return base + (*nr)++ * record_bytes;
}

#define ADD(file, what, record) add_record(&(file)->what, &(file)->nr_##what, &(file)->what##_capacity, record, sizeof *(file)->what)

static struct cprof_error *take_module(struct kernel_file *file, const struct cprof_chunk_header *header, const void *record)
{
	struct kernel_module module = { .tgid = header->thread, .generation = header->strand };

	memcpy(&module.module, record, sizeof module.module);
	if (module.module.path_bytes > sizeof module.module.path)
		module.module.path_bytes = sizeof module.module.path;
	if (module.module.build_id_bytes > sizeof module.module.build_id)
		module.module.build_id_bytes = sizeof module.module.build_id;
	return ADD(file, modules, &module) ? NULL : &cprof_enomem;
}

static struct cprof_error *take_table_record(struct kernel_file *file, const struct cprof_chunk_header *header, const void *record)
{
	switch (header->kind) {
	case CPROF_CHUNK_MODULES:
		return take_module(file, header, record);
	case CPROF_CHUNK_KERNEL_PROCESSES: {
		struct cprof_kernel_process *process = ADD(file, processes, record);

		if (process)
			TERMINATE(process->name);
		return process ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_THREADS: {
		struct cprof_kernel_thread *thread = ADD(file, threads, record);

		if (thread)
			TERMINATE(thread->name);
		return thread ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_SYMBOLS: {
		struct cprof_kernel_symbol *symbol = ADD(file, symbols, record);

		if (symbol)
			TERMINATE(symbol->name);
		return symbol ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_SOURCES: {
		struct cprof_kernel_source *source = ADD(file, sources, record);

		if (source) {
			TERMINATE(source->name);
			TERMINATE(source->why);
		}
		return source ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_LOSSES: {
		struct cprof_kernel_counter *counter = ADD(file, counters, record);

		if (counter)
			TERMINATE(counter->name);
		return counter ? NULL : &cprof_enomem;
	}
	default: /* KERNEL_END: the last one counts */
		memcpy(&file->end, record, sizeof file->end);
		file->has_end = true;
		return NULL;
	}
}

/* Records of different length: stacks and files. */
static struct cprof_error *take_stacks(struct kernel_file *file, const uint8_t *payload, uint64_t bytes, const char **why)
{
	for (uint64_t at = 0; at < bytes;) {
		struct cprof_kernel_stack record;

		if (bytes - at < sizeof record) {
			*why = "a stack is cut off";
			return NULL;
		}
		memcpy(&record, payload + at, sizeof record);
		at += sizeof record;
		if (record.count > CPROF_STACK_DEPTH_MAX || record.count > (bytes - at) / sizeof(uint64_t)) {
			*why = "a stack is longer than its chunk, or than stacks can be";
			return NULL;
		}
		struct stack_place place = { { record.key, NULL, record.count, record.flags & 1 }, file->nr_addresses };

		if (!vec_reserve(&file->addresses, &file->addresses_capacity, file->nr_addresses + record.count, sizeof(uint64_t)) ||
		    !ADD(file, stacks, &place))
			return &cprof_enomem;
		if (record.count) /* else there may be no array yet */
			memcpy(file->addresses + file->nr_addresses, payload + at, record.count * sizeof(uint64_t));
		file->nr_addresses += record.count;
		at += record.count * sizeof(uint64_t);
		file->records++;
	}
	return NULL;
}

static struct cprof_error *take_files(struct kernel_file *file, const uint8_t *payload, uint64_t bytes, const char **why)
{
	for (uint64_t at = 0; at < bytes;) {
		struct cprof_kernel_file record;
		uint64_t padded;

		if (bytes - at < sizeof record) {
			*why = "the name of a file is cut off";
			return NULL;
		}
		memcpy(&record, payload + at, sizeof record);
		at += sizeof record;
		padded = ((uint64_t)record.path_bytes + 7) / 8 * 8;
		if (padded > bytes - at) {
			*why = "the name of a file is longer than its chunk";
			return NULL;
		}
		struct file_place place = { { record.inode, record.device, NULL }, file->names_bytes };
		const uint8_t *nul = record.path_bytes ? memchr(payload + at, 0, record.path_bytes) : NULL;
		size_t length = nul ? (size_t)(nul - (payload + at)) : record.path_bytes;

		if (!vec_reserve(&file->names, &file->names_capacity, file->names_bytes + length + 1, 1) || !ADD(file, files, &place))
			return &cprof_enomem;
		memcpy(file->names + file->names_bytes, payload + at, length);
		file->names[file->names_bytes + length] = '\0';
		file->names_bytes += length + 1;
		at += padded;
		file->records++;
	}
	return NULL;
}

static size_t record_bytes_of(uint16_t kind)
{
	switch (kind) {
	case CPROF_CHUNK_MODULES:
		return sizeof(struct cprof_module);
#define CPROF_X(name, type) \
	case CPROF_CHUNK_##name: \
		return sizeof(struct type);
	CPROF_KERNEL_ARRAYS(CPROF_X)
#undef CPROF_X
	case CPROF_CHUNK_KERNEL_END:
		return sizeof(struct cprof_kernel_end);
	}
	return 0;
}

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

static struct cprof_error *take_table(struct kernel_file *file, const struct payload *payload, const char **why)
{
	const struct cprof_chunk_header *header = &payload->header;
	size_t record_bytes = record_bytes_of(header->kind);
	struct cprof_error *error = NULL;

	if (header->kind == CPROF_CHUNK_META)
		return take_meta(file, payload, why);
	if (header->kind == CPROF_CHUNK_KERNEL_STACKS)
		return take_stacks(file, payload->bytes, header->payload_bytes, why);
	if (header->kind == CPROF_CHUNK_KERNEL_FILES)
		return take_files(file, payload->bytes, header->payload_bytes, why);
	if (!record_bytes)
		return NULL;
	if (header->payload_bytes % record_bytes)
		*why = "length of a table is not a multiple of its records'";
	for (uint64_t at = 0; at < header->payload_bytes && !*why && !error; at += record_bytes, file->records++)
		error = take_table_record(file, header, payload->bytes + at);
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
		if (!error && !why)
			error = take_table(file, &payload, &why);
		if (!error && why)
			error = add_damage(file, place, why);
	}
	if (!error && nr_unknown)
		error = problems_add(&file->problems, PROBLEM_OF_TRACE(FINDING_NOTE), "%" PRIu64 " chunks of unknown kind are not used", nr_unknown);
	return error;
}

struct cprof_error *kernel_file_each(struct kernel_file *file, uint16_t kind, kernel_file_take *take, void *context)
{
	size_t record_bytes = record_bytes_of(kind);

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

	*records = file->records;
	for (uint16_t kind = CPROF_CHUNK_KERNEL_PROCESSES; kind <= CPROF_CHUNK_KERNEL_FAULTS && !error; kind++)
		if (kind_is_streamed(kind))
			error = kernel_file_each(file, kind, count_record, records);
	return error;
}

/* --- order --- */

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* As ids of processes: tgid and generation in one number. */
static uint64_t image_key(uint32_t tgid, uint32_t generation)
{
	return (uint64_t)tgid << 32 | generation;
}

static int compare_modules(const void *left, const void *right)
{
	const struct kernel_module *a = left, *b = right;
	int order = compare_u64(image_key(a->tgid, a->generation), image_key(b->tgid, b->generation));

	return order ? order : compare_u64(a->module.start, b->module.start);
}

static int compare_stacks(const void *left, const void *right)
{
	const struct stack_place *a = left, *b = right;
	int order = compare_u64(a->stack.key, b->stack.key);

	return order ? order : compare_u64(a->first, b->first);
}

static int compare_file_ids(const struct kernel_path *a, const struct kernel_path *b)
{
	return a->device != b->device ? (a->device < b->device ? -1 : 1) : compare_u64(a->inode, b->inode);
}

static int compare_files(const void *left, const void *right)
{
	const struct file_place *a = left, *b = right;
	int order = compare_file_ids(&a->path, &b->path);

	return order ? order : compare_u64(a->first, b->first);
}

static int compare_symbols(const void *left, const void *right)
{
	const struct cprof_kernel_symbol *a = left, *b = right;

	return compare_u64(a->address, b->address);
}

static int compare_processes(const void *left, const void *right)
{
	const struct cprof_kernel_process *a = left, *b = right;

	return compare_u64(image_key(a->tgid, a->generation), image_key(b->tgid, b->generation));
}

struct ordered_process {
	struct cprof_kernel_process process;
	size_t position; /* in the file: of several records of an image the last one counts */
};

static int compare_ordered(const void *left, const void *right)
{
	const struct ordered_process *a = left, *b = right;
	int order = compare_processes(&a->process, &b->process);

	return order ? order : a->position < b->position ? 1 : -1;
}

static struct cprof_error *finish_processes(struct kernel_file *file)
{
	struct ordered_process *order = malloc((file->nr_processes + 1) * sizeof *order);
	size_t nr = 0;

	if (!order)
		return &cprof_enomem;
	for (size_t i = 0; i < file->nr_processes; i++)
		order[i] = (struct ordered_process){ file->processes[i], i };
	qsort(order, file->nr_processes, sizeof *order, compare_ordered);
	for (size_t i = 0; i < file->nr_processes; i++)
		if (!nr || compare_processes(&file->processes[nr - 1], &order[i].process) != 0)
			file->processes[nr++] = order[i].process;
	file->nr_processes = nr;
	free(order);
	return NULL;
}

static void sort(void *items, size_t nr, size_t bytes, int (*compare)(const void *, const void *))
{
	if (nr)
		qsort(items, nr, bytes, compare);
}

static struct cprof_error *finish_tables(struct kernel_file *file)
{
	struct cprof_error *error = finish_processes(file);

	if (error)
		return error;
	sort(file->modules, file->nr_modules, sizeof *file->modules, compare_modules);
	sort(file->symbols, file->nr_symbols, sizeof *file->symbols, compare_symbols);
	sort(file->stacks, file->nr_stacks, sizeof *file->stacks, compare_stacks);
	sort(file->files, file->nr_files, sizeof *file->files, compare_files);
	for (size_t i = 0; i < file->nr_stacks; i++)
		file->stacks[i].stack.addresses = file->addresses ? file->addresses + file->stacks[i].first : NULL; /* if all are empty */
	for (size_t i = 0; i < file->nr_files; i++)
		file->files[i].path.path = file->names + file->files[i].first;
	file->tables = (struct kernel_tables){ file->processes, file->nr_processes, file->threads, file->nr_threads, file->sources, file->nr_sources,
					       file->counters, file->nr_counters, file->modules, file->nr_modules, file->has_end ? &file->end : NULL };
	return NULL;
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
	if (!error && !file->has_end && !file->state.active)
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
		error = finish_tables(file);
	if (error) {
		kernel_file_close(file);
		return error;
	}
	file->state.clean = file->has_end && file->meta_payload && !file->state.damaged_bytes;
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
	free(file->processes);
	free(file->threads);
	free(file->sources);
	free(file->counters);
	free(file->symbols);
	free(file->modules);
	free(file->stacks);
	free(file->files);
	free(file->addresses);
	free(file->names);
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
	return &file->tables;
}

const struct trace_state *kernel_file_state(const struct kernel_file *file)
{
	return &file->state;
}

size_t kernel_file_nr_chunks(const struct kernel_file *file)
{
	return file->chunks.nr;
}

static const void *find(const void *key, const void *items, size_t nr, size_t bytes, int (*compare)(const void *, const void *))
{
	return nr ? bsearch(key, items, nr, bytes, compare) : NULL;
}

const struct cprof_kernel_process *kernel_file_process(const struct kernel_file *file, uint32_t tgid, uint32_t generation)
{
	const struct cprof_kernel_process key = { .tgid = tgid, .generation = generation };

	return find(&key, file->processes, file->nr_processes, sizeof key, compare_processes);
}

static int compare_stack_keys(const void *left, const void *right)
{
	return compare_u64(((const struct stack_place *)left)->stack.key, ((const struct stack_place *)right)->stack.key);
}

const struct kernel_stack *kernel_file_stack(const struct kernel_file *file, uint64_t key)
{
	const struct stack_place wanted = { .stack = { .key = key } };
	const struct stack_place *place = key ? find(&wanted, file->stacks, file->nr_stacks, sizeof wanted, compare_stack_keys) : NULL;

	return place ? &place->stack : NULL;
}

const struct kernel_module *kernel_file_module(const struct kernel_file *file, uint32_t tgid, uint32_t generation, uint64_t address)
{
	size_t low = 0, high = file->nr_modules;

	while (low < high) { /* the first one behind it */
		size_t middle = low + (high - low) / 2;
		const struct kernel_module *module = &file->modules[middle];
		int order = compare_u64(image_key(module->tgid, module->generation), image_key(tgid, generation));

		if (order < 0 || (order == 0 && module->module.start <= address))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	const struct kernel_module *module = &file->modules[low - 1];

	return module->tgid == tgid && module->generation == generation && address >= module->module.start && address < module->module.end ? module : NULL;
}

static int compare_file_keys(const void *left, const void *right)
{
	return compare_file_ids(&((const struct file_place *)left)->path, &((const struct file_place *)right)->path);
}

const char *kernel_file_name(const struct kernel_file *file, uint32_t device, uint64_t inode)
{
	const struct file_place wanted = { .path = { inode, device, NULL } };
	const struct file_place *place = find(&wanted, file->files, file->nr_files, sizeof wanted, compare_file_keys);

	return place ? place->path.path : NULL;
}

const struct cprof_kernel_symbol *kernel_file_symbol(const struct kernel_file *file, uint64_t address)
{
	const struct cprof_kernel_symbol key = { .address = address };

	return find(&key, file->symbols, file->nr_symbols, sizeof key, compare_symbols);
}

bool kernel_file_is_last_word(const struct kernel_file *file, const struct cprof_kernel_off_cpu *off)
{
	return off->open != 2 || (!file->has_end && off->time_ns + off->blocked_ns + off->runq_ns == file->state.end_tsc);
}

bool kernel_file_has_source(const struct kernel_file *file, const char *name, uint32_t *value)
{
	for (size_t i = 0; i < file->nr_sources; i++) {
		if (!file->sources[i].on || strcmp(file->sources[i].name, name) != 0)
			continue;
		if (value)
			*value = file->sources[i].value;
		return true;
	}
	return false;
}

struct problems *kernel_file_problems(struct kernel_file *file)
{
	return &file->problems;
}
