/* SPDX-License-Identifier: BSD-2-Clause */
#include "context_names.h"

#include <stdlib.h>

struct cprof_error *context_names_init(struct context_names *names, const struct session *session, size_t trace, struct symbolizer *symbolizer)
{
	struct context_names made = { .symbolizer = symbolizer, .trace = trace };
	struct cprof_error *error = module_map_init(&made.map, session);

	if (error)
		return error;
	made.tables = trace_tables(session_trace(session, trace));
	made.names = calloc(made.tables->nr_contexts + 1, sizeof *made.names);
	if (!made.names) {
		module_map_deinit(&made.map);
		return &cprof_enomem;
	}
	*names = made;
	return NULL;
}

void context_names_deinit(struct context_names *names)
{
	free(names->names);
	module_map_deinit(&names->map);
}

const char *context_names_get(struct context_names *names, uint64_t id)
{
	static const char unknown[] = "?";

	if (id == 0 || id >= names->tables->nr_contexts)
		return unknown;
	if (!names->names[id]) {
		const struct cprof_context *context = &names->tables->contexts[id];
		uint32_t module = module_map_id(&names->map, names->trace, context->function_module);
		struct symbol_function function = { .name = unknown };

		if (module != MODULE_UNKNOWN)
			cprof_error_free(symbolizer_function(names->symbolizer, module, context->function, &function));
		names->names[id] = function.name;
	}
	return names->names[id];
}
