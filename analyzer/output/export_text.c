/* SPDX-License-Identifier: BSD-2-Clause */
/* Exports that are lines of text: folded stacks and callgrind. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exports.h"

/* ';' separates frames and a newline ends the line; neither may be in a name. */
static void print_folded_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc(*name == ';' ? ':' : (unsigned char)*name < 0x20 ? ' ' : *name, out);
}

/* The frames from the one below the root to node, which is at depth. */
static struct cprof_error *print_folded_path(FILE *out, const struct call_node *node, size_t depth)
{
	const struct call_node **path = malloc((depth + 1) * sizeof *path);

	if (!path)
		return &cprof_enomem;
	for (size_t i = depth; i > 0; i--, node = node->parent)
		path[i - 1] = node;
	for (size_t i = 0; i < depth; i++) {
		if (i)
			fputc(';', out);
		print_folded_name(out, path[i]->name);
		fputs(call_node_suffix(path[i]), out);
	}
	free(path);
	return NULL;
}

struct cprof_error *export_folded(FILE *out, const struct call_view *view, uint64_t depth_limit)
{
	size_t depth = 0;

	for (const struct call_node *node = view->root; node && !ferror(out); ) {
		bool last = depth >= depth_limit;
		uint64_t ns = profile_ns(view->profile, last ? node->numbers.total_ticks : node->numbers.self_ticks);

		if (depth && ns) {
			struct cprof_error *error = print_folded_path(out, node, depth);

			if (error)
				return error;
			fprintf(out, " %" PRIu64 "\n", ns);
		}
		node = call_node_next(view->root, node, last, &depth);
	}
	return NULL;
}

/* "(id) name" at the first use, "(id)" after it. */
static void print_callgrind_name(FILE *out, const char *key, size_t id, bool *seen, const char *name)
{
	fprintf(out, "%s=(%zu)", key, id + 1);
	if (!seen[id]) {
		fputc(' ', out);
		for (; *name; name++)
			fputc((unsigned char)*name < 0x20 ? ' ' : *name, out);
		seen[id] = true;
	}
	fputc('\n', out);
}

struct callgrind {
	FILE *out;
	const struct call_edges *edges;
	bool *name_seen, *file_seen, *module_seen; /* by function: the file's id is the function's that has it first */
	size_t *file_ids, *module_ids;
};

static void print_callgrind_place(struct callgrind *state, const char *module_key, const char *file_key, const char *name_key, uint32_t index)
{
	const struct call_function *function = &state->edges->profile->functions[index];

	print_callgrind_name(state->out, module_key, state->module_ids[index], state->module_seen, function->module);
	print_callgrind_name(state->out, file_key, state->file_ids[index], state->file_seen, function->file ? function->file : "???");
	print_callgrind_name(state->out, name_key, index, state->name_seen, function->name);
}

/* edges->by_caller from *at on: those of this function. */
static void print_callgrind_function(struct callgrind *state, uint32_t index, size_t *at)
{
	const struct profile *profile = state->edges->profile;
	const struct call_function *function = &profile->functions[index];

	fputc('\n', state->out);
	print_callgrind_place(state, "ob", "fl", "fn", index);
	fprintf(state->out, "%" PRIu32 " %" PRIu64 "\n", function->line, profile_ns(profile, function->numbers.self_ticks));
	for (; *at < state->edges->count && state->edges->by_caller[*at].caller == index; ++*at) {
		const struct call_edge *edge = &state->edges->by_caller[*at];

		if (!edge->calls)
			continue;
		print_callgrind_place(state, "cob", "cfi", "cfn", edge->callee);
		fprintf(state->out, "calls=%" PRIu64 " %" PRIu32 "\n", edge->calls, profile->functions[edge->callee].line);
		fprintf(state->out, "%" PRIu32 " %" PRIu64 "\n", function->line, profile_ns(profile, edge->total_ticks));
	}
}

static int compare_texts(const void *a_pointer, const void *b_pointer)
{
	const char *const *a = a_pointer, *const *b = b_pointer;

	return strcmp(*a, *b);
}

/* ids[i]: position of texts[i] among the distinct ones in sorted order. */
static bool number_texts(const char *const *texts, size_t count, size_t *ids)
{
	const char **sorted = malloc((count + 1) * sizeof *sorted);
	size_t distinct = 0;

	if (!sorted)
		return false;
	memcpy(sorted, texts, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_texts);
	for (size_t i = 0; i < count; i++)
		if (!distinct || strcmp(sorted[distinct - 1], sorted[i]) != 0)
			sorted[distinct++] = sorted[i];
	for (size_t i = 0; i < count; i++)
		ids[i] = (size_t)((const char **)bsearch(&texts[i], sorted, distinct, sizeof *sorted, compare_texts) - sorted);
	free(sorted);
	return true;
}

static bool number_places(struct callgrind *state, size_t count)
{
	const struct call_function *functions = state->edges->profile->functions;
	const char **texts = calloc(count + 1, sizeof *texts);
	bool done = texts != NULL;

	for (size_t i = 0; done && i < count; i++)
		texts[i] = functions[i].file ? functions[i].file : "???";
	done = done && number_texts(texts, count, state->file_ids);
	for (size_t i = 0; done && i < count; i++)
		texts[i] = functions[i].module;
	done = done && number_texts(texts, count, state->module_ids);
	free(texts);
	return done;
}

struct cprof_error *export_callgrind(FILE *out, const struct call_edges *edges, const char *command)
{
	size_t functions = edges->profile->nr_functions, at = 0;
	struct callgrind state = { .out = out, .edges = edges };
	uint64_t self_ns = 0;
	struct cprof_error *error = NULL;

	state.name_seen = calloc(3 * (functions + 1), sizeof *state.name_seen);
	state.file_ids = calloc(2 * (functions + 1), sizeof *state.file_ids);
	if (!state.name_seen || !state.file_ids) {
		error = &cprof_enomem;
		goto out;
	}
	state.file_seen = state.name_seen + functions + 1;
	state.module_seen = state.file_seen + functions + 1;
	state.module_ids = state.file_ids + functions + 1;
	if (!number_places(&state, functions)) {
		error = &cprof_enomem;
		goto out;
	}
	fputs("# callgrind format\nversion: 1\ncreator: cprof\ncmd: ", out);
	print_folded_name(out, command);
	fputs("\npart: 1\npositions: line\nevent: Ns : wall time in ns\nevents: Ns\n", out);
	for (uint32_t i = 0; i < functions && !ferror(out); i++) {
		print_callgrind_function(&state, i, &at);
		self_ns += profile_ns(edges->profile, edges->profile->functions[i].numbers.self_ticks);
	}
	fprintf(out, "\ntotals: %" PRIu64 "\n", self_ns);
out:
	free(state.name_seen);
	free(state.file_ids);
	return error;
}
