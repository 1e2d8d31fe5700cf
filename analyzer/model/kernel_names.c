/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer.h"
#include "vec.h"

void kernel_names_init(struct kernel_names *names, const struct session *session, struct symbolizer *symbolizer, const struct module_map *modules,
		       struct text_store *store)
{
	*names = (struct kernel_names){ .session = session, .symbolizer = symbolizer, .modules = modules, .store = store };
}

void kernel_names_deinit(struct kernel_names *names)
{
	free(names->frames);
	number_map_deinit(&names->frame_of);
	number_map_deinit(&names->frame_at);
	*names = (struct kernel_names){ 0 };
}

/* name and module are copied; those of frame are set here. */
static struct cprof_error *frame_intern(struct kernel_names *names, const char *name, const char *module, struct kernel_frame frame, uint32_t *ret)
{
	struct cprof_error *error = text_store_add(names->store, name, &frame.name);

	if (!error)
		error = text_store_add(names->store, module, &frame.module);
	if (error)
		return error;
	struct number_key key = { (uintptr_t)frame.name, (uintptr_t)frame.module, frame.kernel };
	*ret = number_map_find(&names->frame_of, key);
	if (*ret != NUMBER_MAP_NONE)
		return NULL;
	if (!vec_reserve(&names->frames, &names->frames_capacity, names->nr_frames + 1, sizeof frame))
		return &cprof_enomem;
	error = number_map_add(&names->frame_of, key, (uint32_t)names->nr_frames);
	if (error)
		return error;
	*ret = (uint32_t)names->nr_frames;
	names->frames[names->nr_frames++] = frame;
	return NULL;
}

struct cprof_error *kernel_names_runtime(struct kernel_names *names, uint32_t *ret)
{
	return frame_intern(names, "[cprof runtime]", "", (struct kernel_frame){ .known = true, .runtime = true }, ret);
}

static struct cprof_error *kernel_frame_make(struct kernel_names *names, const struct kernel_file *file, uint64_t address, uint32_t *ret)
{
	const struct cprof_kernel_symbol *symbol = kernel_file_symbol(file, address);
	char text[64];

	if (symbol && symbol->name[0])
		return frame_intern(names, symbol->name, "[kernel]", (struct kernel_frame){ .known = true, .kernel = true }, ret);
	snprintf(text, sizeof text, "[kernel] 0x%" PRIx64, address);
	return frame_intern(names, text, "[kernel]", (struct kernel_frame){ .kernel = true }, ret);
}

static bool is_runtime(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(slash ? slash + 1 : path, "libcprof", strlen("libcprof")) == 0;
}

static struct cprof_error *user_frame_make(struct kernel_names *names, struct kernel_image image, uint64_t address, uint32_t *ret)
{
	const struct kernel_file *file = session_kernel(names->session, image.kernel);
	const struct kernel_module *module = kernel_file_module(file, image.tgid, image.generation, address);
	char path[CPROF_MODULE_PATH_MAX + 1] = "";
	struct symbol_function symbol;
	struct cprof_error *error;

	if (!module) { /* code without a file may have a perf map */
		error = symbolizer_function(names->symbolizer, 0, address, &symbol);
		if (error)
			return error;
		return frame_intern(names, symbol.known ? symbol.name : "[unknown]", "", (struct kernel_frame){ .known = symbol.known }, ret);
	}
	memcpy(path, module->module.path, module->module.path_bytes < CPROF_MODULE_PATH_MAX ? module->module.path_bytes : CPROF_MODULE_PATH_MAX);
	if (is_runtime(path))
		return kernel_names_runtime(names, ret);
	error = symbolizer_function(names->symbolizer, module_map_kernel_id(names->modules, image.kernel, module), address - module->module.bias, &symbol);
	return error ? error : frame_intern(names, symbol.name, path, (struct kernel_frame){ .known = symbol.known }, ret);
}

struct cprof_error *kernel_names_frame(struct kernel_names *names, struct kernel_image image, uint64_t address, enum kernel_address kind, uint32_t *ret)
{
	uint64_t looked_up = kind == ADDRESS_OF_RETURN && address ? address - 1 : address;
	struct number_key key = { (uint64_t)image.kernel << 1 | (kind == ADDRESS_OF_KERNEL),
				  kind == ADDRESS_OF_KERNEL ? 0 : (uint64_t)image.tgid << 32 | image.generation, looked_up };
	struct cprof_error *error;

	*ret = number_map_find(&names->frame_at, key);
	if (*ret != NUMBER_MAP_NONE)
		return NULL;
	if (kind == ADDRESS_OF_KERNEL) /* the table names addresses as they occur */
		error = kernel_frame_make(names, session_kernel(names->session, image.kernel), address, ret);
	else
		error = user_frame_make(names, image, looked_up, ret);
	return error ? error : number_map_add(&names->frame_at, key, *ret);
}

struct cprof_error *kernel_names_stack_is_own(struct kernel_names *names, struct kernel_image image, uint64_t stack, bool *ret)
{
	const struct kernel_stack *found = kernel_file_stack(session_kernel(names->session, image.kernel), stack);
	struct cprof_error *error;
	uint32_t frame;

	*ret = false;
	if (!found || !found->nr_addresses || found->kernel)
		return NULL;
	error = kernel_names_frame(names, image, found->addresses[0], ADDRESS_OF_CODE, &frame);
	if (!error)
		*ret = names->frames[frame].runtime;
	return error;
}

/*
 * Of its trace: they reach over the zeroed memory behind what is in the file, which the kernel does not know as the file's. false: one was there after another, and
 * nobody knows which of them is meant.
 */
static bool trace_module(const struct kernel_names *names, uint32_t trace, uint64_t address, const struct cprof_module **ret)
{
	const struct trace_tables *tables = trace < session_nr_traces(names->session) ? trace_tables(session_trace(names->session, trace)) : NULL;

	*ret = NULL;
	for (size_t i = 0; tables && i < tables->nr_modules; i++) {
		const struct cprof_module *module = &tables->modules[i];

		if (address < module->start || address >= module->end)
			continue;
		if (*ret && ((*ret)->bias != module->bias || (*ret)->path_bytes != module->path_bytes || memcmp((*ret)->path, module->path, sizeof module->path) != 0))
			return false;
		*ret = module;
	}
	return true;
}

struct cprof_error *kernel_names_variable(struct kernel_names *names, struct kernel_image image, uint32_t trace, uint64_t address, struct symbol_variable *ret)
{
	const struct cprof_module *module;
	const struct kernel_module *seen;

	*ret = (struct symbol_variable){ NULL, 0, 0 };
	if (!trace_module(names, trace, address, &module))
		return NULL;
	if (module)
		return symbolizer_variable(names->symbolizer, module_map_id(names->modules, trace, module->id), address - module->bias, ret);
	seen = kernel_file_module_below(session_kernel(names->session, image.kernel), image.tgid, image.generation, address);
	return seen ? symbolizer_variable(names->symbolizer, module_map_kernel_id(names->modules, image.kernel, seen), address - seen->module.bias, ret) : NULL;
}
