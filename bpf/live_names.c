/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_names.h. Everything found is kept, by text id; everything kept is bounded. */
#include "live_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "bytes.h"
#include "kernel_names.h"
#include "process_modules.h"
#include "process_trace.h"
#include "record_shared.h"
#include "symbolizer.h"

enum {
	LABELS_MAX = 131072,
	TEXTS_MAX = 262144,
	PROCESSES_MAX = 32768,
	MODULES_MAX = 8192,
	TRACES_MAX = 256,
	PATH_DEPTH_MAX = 64,
	TEXT_BYTES = 1024
};

struct text {
	uint64_t hash[2];
	char *text;
};

struct label {
	struct live_key key;
	struct live_label label;
	uint32_t refresh;          /* not known then: asked for again at the next one. 0: final */
	uint32_t reserved;
};

struct range {                 /* of a process: where a file is mapped */
	uint64_t start, end, bias;
	uint32_t module, reserved; /* of the symbolizer */
};

struct process {
	struct live_process_key key;
	struct range *ranges;
	size_t nr_ranges;
	struct process_trace *trace;
	uint32_t *modules;         /* of the trace's modules, by position: the symbolizer's */
	uint32_t modules_refresh, trace_refresh; /* when they were looked for last */
};

struct module_key {
	char path[CPROF_MODULE_PATH_MAX];
	uint8_t build_id[32];
	uint64_t path_bytes, build_id_bytes;
};
struct module {
	struct module_key key;
	uint64_t id;
};

struct live_names {
	const char *trace_path;
	struct symbolizer *symbolizer;
	struct kernel_names kernel;
	bool kernel_read;
	struct live_table texts, labels, processes, modules;
	size_t nr_traces;
	uint32_t refresh;
};

struct cprof_error *live_names_create(const char *trace_path, struct live_names **ret)
{
	struct symbolizer_options options = { .search_paths = NULL };
	struct live_names *names = calloc(1, sizeof *names);
	struct cprof_error *error = names ? symbolizer_create(&options, &names->symbolizer) : &cprof_enomem;

	if (error) {
		free(names);
		return error;
	}
	names->trace_path = trace_path;
	names->texts = (struct live_table)LIVE_TABLE(uint64_t[2], struct text, TEXTS_MAX);
	names->labels = (struct live_table)LIVE_TABLE(struct live_key, struct label, LABELS_MAX);
	names->processes = (struct live_table)LIVE_TABLE(struct live_process_key, struct process, PROCESSES_MAX);
	names->modules = (struct live_table)LIVE_TABLE(struct module_key, struct module, MODULES_MAX);
	names->refresh = 1;
	*ret = names;
	return NULL;
}

void live_names_destroy(struct live_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->texts.count; i++)
		free(((struct text *)live_table_at(&names->texts, i))->text);
	for (size_t i = 0; i < names->processes.count; i++) {
		struct process *process = live_table_at(&names->processes, i);

		free(process->ranges);
		free(process->modules);
		process_trace_destroy(process->trace);
	}
	live_table_deinit(&names->texts);
	live_table_deinit(&names->labels);
	live_table_deinit(&names->processes);
	live_table_deinit(&names->modules);
	kernel_names_deinit(&names->kernel);
	symbolizer_destroy(names->symbolizer);
	free(names);
}

/* 0: "?" */
static uint32_t text_id(struct live_names *names, const char *string)
{
	XXH128_hash_t hash = XXH3_128bits(string, strlen(string));
	uint64_t key[2] = { hash.low64, hash.high64 };
	struct text *text = live_table_put(&names->texts, key);

	if (!text)
		return 0;
	if (!text->text)
		text->text = strdup(string);
	return (uint32_t)(((uint8_t *)text - names->texts.items) / sizeof *text) + 1;
}

const char *live_names_text(const struct live_names *names, uint32_t id)
{
	const struct text *text = id && id <= names->texts.count ? live_table_at(&names->texts, id - 1) : NULL;

	return text && text->text ? text->text : "?";
}

/* --- what processes have mapped --- */

/* The symbolizer's id; 0: no room for it. */
static uint32_t module_id(struct live_names *names, const struct cprof_module *given)
{
	struct module_key key = { .path_bytes = given->path_bytes < sizeof given->path ? given->path_bytes : sizeof given->path,
				  .build_id_bytes =
					  given->build_id_bytes < sizeof given->build_id ? given->build_id_bytes : sizeof given->build_id };
	char path[CPROF_MODULE_PATH_MAX + 1];
	struct cprof_error *error;
	struct module *module;

	memcpy(key.path, given->path, key.path_bytes);
	memcpy(key.build_id, given->build_id, key.build_id_bytes);
	module = live_table_put(&names->modules, &key);
	if (!module || module->id)
		return module ? (uint32_t)module->id : 0;
	memcpy(path, key.path, key.path_bytes);
	path[key.path_bytes] = '\0';
	error = symbolizer_add_module(names->symbolizer, (uint32_t)names->modules.count, path, key.build_id, key.build_id_bytes);
	if (!error)
		module->id = names->modules.count;
	cprof_error_free(error);
	return (uint32_t)module->id;
}

static const char *module_name(const struct live_names *names, uint32_t id, char *text, size_t bytes)
{
	const struct module *module = live_table_at(&names->modules, id - 1);
	const char *slash = memrchr(module->key.path, '/', module->key.path_bytes), *name = slash ? slash + 1 : module->key.path;

	snprintf(text, bytes, "%.*s", (int)(module->key.path + module->key.path_bytes - name), name);
	return text;
}

static void set_ranges(struct live_names *names, struct process *process, const struct cprof_module *modules, size_t count)
{
	struct range *ranges = calloc(count + 1, sizeof *ranges);

	if (!ranges)
		return;
	for (size_t i = 0; i < count; i++)
		ranges[i] = (struct range){ modules[i].start, modules[i].end, modules[i].bias, module_id(names, &modules[i]), 0 };
	free(process->ranges);
	process->ranges = ranges;
	process->nr_ranges = count;
}

static const struct range *find_range(const struct process *process, uint64_t address)
{
	for (size_t i = process->nr_ranges; i-- > 0;) /* the newest comes last, what was unmapped may still be there */
		if (address >= process->ranges[i].start && address < process->ranges[i].end && process->ranges[i].module)
			return &process->ranges[i];
	return NULL;
}

/* What is mapped later (dlopen) is found when an address is in nothing known; at most once a refresh. */
static const struct range *range_of(struct live_names *names, struct process *process, uint64_t address)
{
	const struct range *range = find_range(process, address);
	struct bytes modules;

	if (range || process->modules_refresh == names->refresh)
		return range;
	process->modules_refresh = names->refresh;
	modules = process_modules_of(process->key.tgid);
	if (modules.used)
		set_ranges(names, process, (const struct cprof_module *)(const void *)modules.data,
			   modules.used / sizeof(struct cprof_module));
	bytes_deinit(&modules);
	return find_range(process, address);
}

/* --- traces --- */

static void map_trace_modules(struct live_names *names, struct process *process)
{
	const struct trace_tables *tables = process_trace_tables(process->trace);
	uint32_t *ids = calloc(tables->nr_modules + 1, sizeof *ids);

	for (size_t i = 0; ids && i < tables->nr_modules; i++)
		ids[i] = module_id(names, &tables->modules[i]);
	free(process->modules);
	process->modules = ids;
}

/* The tables, with the record of id in them if it is there at all. */
static const struct trace_tables *tables_with(struct live_names *names, struct process *process, uint64_t id)
{
	const struct trace_tables *tables = process->trace ? process_trace_tables(process->trace) : NULL;

	if ((tables && id < tables->nr_contexts && tables->contexts[id].function) || process->trace_refresh == names->refresh)
		return process->modules ? tables : NULL;
	process->trace_refresh = names->refresh;
	if (process->trace && process_trace_refresh(process->trace)) {
		map_trace_modules(names, process);
	} else if (!process->trace && names->nr_traces < TRACES_MAX && process->key.generation < RECORD_NO_GENERATION) {
		process->trace = process_trace_create(process->key.tgid, process->key.generation);
		if (!process->trace && names->trace_path)
			process->trace = process_trace_create_ended(names->trace_path, process->key.tgid, process->key.generation);
		if (process->trace) {
			names->nr_traces++;
			map_trace_modules(names, process);
		}
	}
	return process->trace && process->modules ? process_trace_tables(process->trace) : NULL;
}

const struct trace_tables *live_names_tables(struct live_names *names, uint32_t tgid, uint32_t generation)
{
	struct live_process_key key = { tgid, generation };
	struct process *process = live_table_put(&names->processes, &key);

	return process ? tables_with(names, process, UINT64_MAX) : NULL; /* no table has that one: it is read again */
}

static uint32_t symbolizer_module(const struct trace_tables *tables, const uint32_t *ids, uint32_t module)
{
	size_t low = 0, high = tables->nr_modules;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->modules[middle].id < module)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tables->nr_modules && tables->modules[low].id == module ? ids[low] : 0;
}

/* --- names --- */

/* false: only a number. */
static bool function_name(struct live_names *names, uint32_t module, uint64_t address, char *text, size_t bytes)
{
	struct symbol_function function;
	struct cprof_error *error = module ? symbolizer_function(names->symbolizer, module, address, &function) : NULL;
	bool known = module && !error;

	if (known)
		snprintf(text, bytes, "%s", function.name);
	else
		snprintf(text, bytes, "0x%" PRIx64, address);
	cprof_error_free(error);
	return known;
}

/* What does not fit is left out, from the outermost on. */
static void path_add(char *path, size_t bytes, const char *name)
{
	static const char between[] = " < ";
	size_t used = strlen(path), length = strlen(name), mark = used ? strlen(between) : 0;

	if (used + mark + length >= bytes)
		return;
	memcpy(path + used, between, mark);
	memcpy(path + used + mark, name, length + 1);
}

static struct label context_label(struct live_names *names, struct process *process, const struct live_key *key)
{
	struct label label = { .key = *key };
	const struct trace_tables *tables;
	char text[TEXT_BYTES] = "", path[TEXT_BYTES] = "";
	uint64_t id = key->code;

	if (!id) {
		bool traced = key->generation < RECORD_NO_GENERATION;

		label.label.function = label.label.path = text_id(names, traced ? "(outside of every recorded call)" : "(no stack)");
		return label;
	}
	tables = tables_with(names, process, id);
	if (!tables || id >= tables->nr_contexts || !tables->contexts[id].function) {
		snprintf(text, sizeof text, "context %" PRIu64, id);
		label.refresh = names->refresh;
		label.label.function = label.label.path = text_id(names, text);
		return label;
	}
	for (unsigned depth = 0; id && id < tables->nr_contexts && depth < PATH_DEPTH_MAX; depth++) {
		const struct cprof_context *context = &tables->contexts[id];

		function_name(names, symbolizer_module(tables, process->modules, context->function_module), context->function, text,
			      sizeof text);
		if (!depth)
			label.label.function = text_id(names, text);
		path_add(path, sizeof path, text);
		id = context->parent;
	}
	label.label.path = text_id(names, path);
	return label;
}

static void kernel_function(struct live_names *names, uint64_t address, char *text, size_t bytes)
{
	const char *name;
	uint64_t start;

	if (!names->kernel_read) {
		cprof_error_free(kernel_names_read(&names->kernel)); /* without it addresses stay numbers */
		names->kernel_read = true;
	}
	name = kernel_names_find(&names->kernel, address, &start);
	if (name)
		snprintf(text, bytes, "%s [kernel]", name);
	else
		snprintf(text, bytes, "0x%" PRIx64 " [kernel]", address);
}

/* Of the C and C++ libraries: not what somebody looks for first. */
static bool is_library_of_all(const char *module)
{
	static const char *const starts[] = { "libc.so", "libc-",     "libc.musl", "ld-",     "libpthread",
					      "libm.so", "libstdc++", "libgcc_s",  "libcprof" };

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(module, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

/* "name [module]". *common: it is in a library that everybody uses. */
static bool code_name(struct live_names *names, struct process *process, uint64_t address, bool is_return, char *text, size_t bytes,
		      bool *common)
{
	const struct range *range = range_of(names, process, address);
	char module[128];

	*common = true;
	if (!range) {
		snprintf(text, bytes, "0x%" PRIx64, address);
		return false;
	}
	module_name(names, range->module, module, sizeof module);
	function_name(names, range->module, address - range->bias - is_return, text, bytes);
	*common = is_library_of_all(module);
	if (!strstr(text, "+0x"))
		snprintf(text + strlen(text), bytes - strlen(text), " [%s]", module);
	return true;
}

static struct label stack_label(struct live_names *names, struct process *process, const struct live_model *model,
				const struct live_key *key)
{
	const struct live_stack *stack = live_table_find(&model->stacks, &key->code);
	struct label label = { .key = *key };
	char text[TEXT_BYTES], path[TEXT_BYTES] = "";
	bool common;

	for (uint32_t i = 0; stack && i < stack->count; i++) {
		if (!code_name(names, process, stack->frames[i], i > 0, text, sizeof text, &common))
			label.refresh = names->refresh;
		path_add(path, sizeof path, text);
		if (!i || (!common && !label.label.function))
			label.label.function = common ? 0 : text_id(names, text);
	}
	if (!path[0]) {
		label.refresh = names->refresh;
		snprintf(path, sizeof path, "(stack %016" PRIx64 ")", key->code);
	}
	label.label.path = text_id(names, path);
	if (!label.label.function) { /* nothing but libraries: the innermost */
		char *end = strstr(path, " < ");

		if (end)
			*end = '\0';
		label.label.function = text_id(names, path);
	}
	return label;
}

static struct label make_label(struct live_names *names, const struct live_model *model, const struct live_key *key)
{
	struct live_process_key process_key = { key->tgid, key->generation };
	struct process *process = live_table_put(&names->processes, &process_key);
	struct label label = { .key = *key, .refresh = names->refresh };
	char text[TEXT_BYTES];
	bool common;

	if (key->kind == LIVE_REST) {
		label.refresh = 0;
		label.label.function = label.label.path = text_id(names, "(all for which the table had no room)");
	} else if (key->kind == LIVE_KERNEL) {
		kernel_function(names, key->code, text, sizeof text);
		label.refresh = 0;
		label.label.function = label.label.path = text_id(names, text);
	} else if (!process) {
		label.label.function = label.label.path = text_id(names, "?");
	} else if (key->kind == LIVE_CONTEXT) {
		label = context_label(names, process, key);
	} else if (key->kind == LIVE_STACK) {
		label = stack_label(names, process, model, key);
	} else {
		label.refresh = code_name(names, process, key->code, false, text, sizeof text, &common) ? 0 : names->refresh;
		label.label.function = label.label.path = text_id(names, text);
	}
	return label;
}

struct live_label live_names_label(struct live_names *names, const struct live_model *model, const struct live_key *key)
{
	struct label *known = live_table_find(&names->labels, key);

	if (known && (!known->refresh || known->refresh == names->refresh))
		return known->label;
	struct label made = make_label(names, model, key);

	known = live_table_put(&names->labels, key);
	if (known)
		*known = made;
	return made.label;
}

void live_names_refresh(struct live_names *names, struct live_model *model)
{
	names->refresh++;
	for (struct live_modules *modules = model->modules; modules; modules = modules->next) {
		struct live_process_key key = { modules->tgid, modules->generation };
		struct process *process = live_table_put(&names->processes, &key);

		if (!process || process->modules_refresh == names->refresh) /* the newest comes first */
			continue;
		process->modules_refresh = names->refresh;
		set_ranges(names, process, modules->modules, modules->count);
	}
}
