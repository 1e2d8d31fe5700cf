/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_table_set.h"

#include <stdlib.h>
#include <string.h>

#include "vec.h"

struct stack_place { /* addresses move while they are collected */
	struct kernel_stack stack;
	size_t first;
};

struct file_place {
	struct kernel_path path;
	size_t first;
	struct cprof_file_id last_so_called;
};

#define TERMINATE(array) ((array)[sizeof(array) - 1] = '\0')

/* One more record in an array; NULL: no memory. */
static void *add_record(void *items, size_t *nr, size_t *capacity, const void *record, size_t record_bytes)
{
	uint8_t *base;

	if (!vec_reserve(items, capacity, *nr + 1, record_bytes))
		return NULL;
	memcpy(&base, items, sizeof base);
	memcpy(base + *nr * record_bytes, record, record_bytes);
	return base + (*nr)++ * record_bytes;
}

#define ADD(set, what, record) add_record(&(set)->what, &(set)->nr_##what, &(set)->what##_capacity, record, sizeof *(set)->what)

static struct cprof_error *take_module(struct kernel_table_set *set, const struct cprof_chunk_header *header, const void *record)
{
	struct kernel_module module = { .tgid = header->thread, .generation = header->strand };

	memcpy(&module.module, record, sizeof module.module);
	if (module.module.path_bytes > sizeof module.module.path)
		module.module.path_bytes = sizeof module.module.path;
	if (module.module.build_id_bytes > sizeof module.module.build_id)
		module.module.build_id_bytes = sizeof module.module.build_id;
	return ADD(set, modules, &module) ? NULL : &cprof_enomem;
}

static struct cprof_error *take_table_record(struct kernel_table_set *set, const struct cprof_chunk_header *header, const void *record)
{
	switch (header->kind) {
	case CPROF_CHUNK_MODULES:
		return take_module(set, header, record);
	case CPROF_CHUNK_KERNEL_PROCESSES: {
		struct cprof_kernel_process *process = ADD(set, processes, record);

		if (process)
			TERMINATE(process->name);
		return process ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_THREADS: {
		struct cprof_kernel_thread *thread = ADD(set, threads, record);

		if (thread)
			TERMINATE(thread->name);
		return thread ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_SYMBOLS: {
		struct cprof_kernel_symbol *symbol = ADD(set, symbols, record);

		if (symbol)
			TERMINATE(symbol->name);
		return symbol ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_SOURCES: {
		struct cprof_kernel_source *source = ADD(set, sources, record);

		if (source) {
			TERMINATE(source->name);
			TERMINATE(source->why);
		}
		return source ? NULL : &cprof_enomem;
	}
	case CPROF_CHUNK_KERNEL_LOSSES: {
		struct cprof_kernel_counter *counter = ADD(set, counters, record);

		if (counter)
			TERMINATE(counter->name);
		return counter ? NULL : &cprof_enomem;
	}
	default: /* KERNEL_END: the last one counts */
		memcpy(&set->end, record, sizeof set->end);
		set->has_end = true;
		return NULL;
	}
}

/* Records of different length: stacks and files. */
static struct cprof_error *take_stacks(struct kernel_table_set *set, const uint8_t *payload, uint64_t bytes, const char **why)
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
		struct stack_place place = { { record.key, NULL, record.count, record.flags & 1 }, set->nr_addresses };

		if (!vec_reserve(&set->addresses, &set->addresses_capacity, set->nr_addresses + record.count, sizeof(uint64_t)) ||
		    !ADD(set, stacks, &place))
			return &cprof_enomem;
		if (record.count) /* else there may be no array yet */
			memcpy(set->addresses + set->nr_addresses, payload + at, record.count * sizeof(uint64_t));
		set->nr_addresses += record.count;
		at += record.count * sizeof(uint64_t);
		set->records++;
	}
	return NULL;
}

static struct cprof_error *take_files(struct kernel_table_set *set, const uint8_t *payload, uint64_t bytes, const char **why)
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
		struct file_place place = { { record.id, NULL }, set->names_bytes, record.id };
		const uint8_t *nul = record.path_bytes ? memchr(payload + at, 0, record.path_bytes) : NULL;
		size_t length = nul ? (size_t)(nul - (payload + at)) : record.path_bytes;

		if (!vec_reserve(&set->names, &set->names_capacity, set->names_bytes + length + 1, 1) || !ADD(set, files, &place))
			return &cprof_enomem;
		memcpy(set->names + set->names_bytes, payload + at, length);
		set->names[set->names_bytes + length] = '\0';
		set->names_bytes += length + 1;
		at += padded;
		set->records++;
	}
	return NULL;
}

size_t kernel_record_bytes(uint16_t kind)
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

struct cprof_error *kernel_table_set_take(struct kernel_table_set *set, const struct cprof_chunk_header *header, const uint8_t *payload, const char **why)
{
	size_t record_bytes = kernel_record_bytes(header->kind);
	struct cprof_error *error = NULL;

	if (header->kind == CPROF_CHUNK_KERNEL_STACKS)
		return take_stacks(set, payload, header->payload_bytes, why);
	if (header->kind == CPROF_CHUNK_KERNEL_FILES)
		return take_files(set, payload, header->payload_bytes, why);
	if (!record_bytes)
		return NULL;
	if (header->payload_bytes % record_bytes)
		*why = "length of a table is not a multiple of its records'";
	for (uint64_t at = 0; at < header->payload_bytes && !*why && !error; at += record_bytes, set->records++)
		error = take_table_record(set, header, payload + at);
	return error;
}

void kernel_table_set_deinit(struct kernel_table_set *set)
{
	free(set->processes);
	free(set->threads);
	free(set->sources);
	free(set->counters);
	free(set->symbols);
	free(set->modules);
	free(set->stacks);
	free(set->files);
	free(set->addresses);
	free(set->names);
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

static int compare_file_ids(const struct cprof_file_id *a, const struct cprof_file_id *b)
{
	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return compare_u64(a->generation, b->generation);
}

static int compare_files(const void *left, const void *right)
{
	const struct file_place *a = left, *b = right;
	int order = compare_file_ids(&a->path.id, &b->path.id);

	return order ? order : compare_u64(b->first, a->first); /* the last one that was said is first */
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

static struct cprof_error *finish_processes(struct kernel_table_set *set)
{
	struct ordered_process *order = malloc((set->nr_processes + 1) * sizeof *order);
	size_t nr = 0;

	if (!order)
		return &cprof_enomem;
	for (size_t i = 0; i < set->nr_processes; i++)
		order[i] = (struct ordered_process){ set->processes[i], i };
	qsort(order, set->nr_processes, sizeof *order, compare_ordered);
	for (size_t i = 0; i < set->nr_processes; i++)
		if (!nr || compare_processes(&set->processes[nr - 1], &order[i].process) != 0)
			set->processes[nr++] = order[i].process;
	set->nr_processes = nr;
	free(order);
	return NULL;
}

static void sort(void *items, size_t nr, size_t bytes, int (*compare)(const void *, const void *))
{
	if (nr)
		qsort(items, nr, bytes, compare);
}

static bool is_of_process(const struct kernel_module *module, uint32_t tgid, uint32_t generation)
{
	return module->tgid == tgid && module->generation == generation;
}

static void set_reaches(struct kernel_module *modules, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct kernel_module *before = i && is_of_process(&modules[i - 1], modules[i].tgid, modules[i].generation) ? &modules[i - 1] : NULL;

		modules[i].reach = before && before->reach > modules[i].module.end ? before->reach : modules[i].module.end;
	}
}

/* A file that was renamed is said again. */
static void keep_last_names(struct kernel_table_set *set)
{
	size_t nr = 0;

	sort(set->files, set->nr_files, sizeof *set->files, compare_files);
	for (size_t i = 0; i < set->nr_files; i++)
		if (!nr || compare_file_ids(&set->files[nr - 1].path.id, &set->files[i].path.id) != 0)
			set->files[nr++] = set->files[i];
	set->nr_files = nr;
	for (size_t i = 0; i < nr; i++)
		set->files[i].path.path = set->names + set->files[i].first;
}

static int compare_names(const void *left, const void *right)
{
	const struct file_place *a = *(struct file_place *const *)left, *b = *(struct file_place *const *)right;
	int order = a->path.id.device != b->path.id.device ? compare_u64(a->path.id.device, b->path.id.device) : strcmp(a->path.path, b->path.path);

	return order ? order : compare_u64(b->first, a->first);
}

/* Files of one whole path: who makes a file anew each time calls it one file. */
static struct cprof_error *unite_names(struct kernel_table_set *set)
{
	struct file_place **order = malloc((set->nr_files + 1) * sizeof *order);

	if (!order)
		return &cprof_enomem;
	for (size_t i = 0; i < set->nr_files; i++)
		order[i] = &set->files[i];
	sort(order, set->nr_files, sizeof *order, compare_names);
	for (size_t i = 1; i < set->nr_files; i++)
		if (order[i]->path.path[0] == '/' && order[i]->path.id.device == order[i - 1]->path.id.device && strcmp(order[i]->path.path, order[i - 1]->path.path) == 0)
			order[i]->last_so_called = order[i - 1]->last_so_called;
	free(order);
	return NULL;
}

struct cprof_error *kernel_table_set_finish(struct kernel_table_set *set)
{
	struct cprof_error *error = finish_processes(set);

	if (error)
		return error;
	sort(set->modules, set->nr_modules, sizeof *set->modules, compare_modules);
	set_reaches(set->modules, set->nr_modules);
	sort(set->symbols, set->nr_symbols, sizeof *set->symbols, compare_symbols);
	sort(set->stacks, set->nr_stacks, sizeof *set->stacks, compare_stacks);
	for (size_t i = 0; i < set->nr_stacks; i++)
		set->stacks[i].stack.addresses = set->addresses ? set->addresses + set->stacks[i].first : NULL; /* if all are empty */
	keep_last_names(set);
	error = unite_names(set);
	if (error)
		return error;
	set->tables = (struct kernel_tables){ set->processes, set->nr_processes, set->threads, set->nr_threads, set->sources, set->nr_sources,
					       set->counters, set->nr_counters, set->modules, set->nr_modules, set->has_end ? &set->end : NULL };
	return NULL;
}

/* --- asking --- */

static const void *find(const void *key, const void *items, size_t nr, size_t bytes, int (*compare)(const void *, const void *))
{
	return nr ? bsearch(key, items, nr, bytes, compare) : NULL;
}

const struct cprof_kernel_process *kernel_table_set_process(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation)
{
	const struct cprof_kernel_process key = { .tgid = tgid, .generation = generation };

	return find(&key, set->processes, set->nr_processes, sizeof key, compare_processes);
}

static int compare_stack_keys(const void *left, const void *right)
{
	return compare_u64(((const struct stack_place *)left)->stack.key, ((const struct stack_place *)right)->stack.key);
}

const struct kernel_stack *kernel_table_set_stack(const struct kernel_table_set *set, uint64_t key)
{
	const struct stack_place wanted = { .stack = { .key = key } };
	const struct stack_place *place = key ? find(&wanted, set->stacks, set->nr_stacks, sizeof wanted, compare_stack_keys) : NULL;

	return place ? &place->stack : NULL;
}

const struct kernel_module *kernel_table_set_module_below(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation, uint64_t address)
{
	size_t low = 0, high = set->nr_modules;

	while (low < high) { /* the first one behind it */
		size_t middle = low + (high - low) / 2;
		const struct kernel_module *module = &set->modules[middle];
		int order = compare_u64(image_key(module->tgid, module->generation), image_key(tgid, generation));

		if (order < 0 || (order == 0 && module->module.start <= address))
			low = middle + 1;
		else
			high = middle;
	}
	return low && is_of_process(&set->modules[low - 1], tgid, generation) ? &set->modules[low - 1] : NULL;
}

enum { MODULES_LOOKED_AT = 4096 }; /* for one address: more than lie over each other in any file that a recorder wrote */

static bool is_same_file(const struct cprof_module *a, const struct cprof_module *b)
{
	return a->bias == b->bias && a->path_bytes == b->path_bytes && memcmp(a->path, b->path, a->path_bytes < sizeof a->path ? a->path_bytes : sizeof a->path) == 0;
}

/* What was unmapped is not taken back: where one was mapped in the place of another, nobody knows which of them an address was of. */
const struct kernel_module *kernel_table_set_module(const struct kernel_table_set *set, uint32_t tgid, uint32_t generation, uint64_t address)
{
	const struct kernel_module *module = kernel_table_set_module_below(set, tgid, generation, address), *found = NULL;

	for (unsigned looked_at = 0; module && address < module->reach; module--) {
		if (++looked_at > MODULES_LOOKED_AT)
			return NULL;
		if (address < module->module.end) {
			if (found && !is_same_file(&found->module, &module->module))
				return NULL;
			found = module;
		}
		if (module == set->modules || !is_of_process(module - 1, tgid, generation))
			break;
	}
	return found;
}

static int compare_file_keys(const void *left, const void *right)
{
	return compare_file_ids(&((const struct file_place *)left)->path.id, &((const struct file_place *)right)->path.id);
}

static const struct file_place *find_file(const struct kernel_table_set *set, struct cprof_file_id id)
{
	const struct file_place wanted = { .path = { id, NULL } };

	return find(&wanted, set->files, set->nr_files, sizeof wanted, compare_file_keys);
}

const char *kernel_table_set_name(const struct kernel_table_set *set, struct cprof_file_id id)
{
	const struct file_place *place = find_file(set, id);

	return place ? place->path.path : NULL;
}

struct cprof_file_id kernel_table_set_last_so_called(const struct kernel_table_set *set, struct cprof_file_id id)
{
	const struct file_place *place = find_file(set, id);

	return place ? place->last_so_called : id;
}

const struct cprof_kernel_symbol *kernel_table_set_symbol(const struct kernel_table_set *set, uint64_t address)
{
	const struct cprof_kernel_symbol key = { .address = address };

	return find(&key, set->symbols, set->nr_symbols, sizeof key, compare_symbols);
}

bool kernel_table_set_source(const struct kernel_table_set *set, const char *name, uint32_t *value)
{
	for (size_t i = 0; i < set->nr_sources; i++) {
		if (!set->sources[i].on || strcmp(set->sources[i].name, name) != 0)
			continue;
		if (value)
			*value = set->sources[i].value;
		return true;
	}
	return false;
}
