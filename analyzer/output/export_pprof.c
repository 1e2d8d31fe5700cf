/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof's profile.proto, written by hand: a sample for each context, leaf first, with calls and self time.
 *
 * A location is a function and the line in it from which the next one was called; for the leaf, the line where the function begins.
 */
#include <stdlib.h>
#include <zlib.h>

#include "exports.h"
#include "proto_writer.h"
#include "sampled_functions.h"

enum { /* field numbers */
	PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE = 2, PROFILE_LOCATION = 4, PROFILE_FUNCTION = 5, PROFILE_STRING = 6, PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10, PROFILE_DEFAULT_SAMPLE_TYPE = 14,
	VALUE_TYPE = 1, VALUE_UNIT = 2,
	SAMPLE_LOCATION_ID = 1, SAMPLE_VALUE = 2,
	LOCATION_ID = 1, LOCATION_LINE = 4,
	LINE_FUNCTION_ID = 1, LINE_LINE = 2,
	FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILENAME = 4, FUNCTION_START_LINE = 5,
};

struct location {
	uint32_t function, line;
};

struct pprof {
	const struct call_view *view;
	struct sampled_functions sampled; /* numbered after the profile's */
	struct proto out, message, part, ids;
	struct location *locations; /* sorted, distinct; the id is the position + 1 */
	size_t nr_locations;
	uint64_t depth;
	uint64_t nr_strings;        /* written so far */
};

static int compare_locations(const void *a_pointer, const void *b_pointer)
{
	const struct location *a = a_pointer, *b = b_pointer;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* Nodes that are no functions have nothing pprof could show but their name; they are left out of the stacks. */
static bool is_frame(const struct call_node *node)
{
	return node->kind == NODE_FUNCTION || node->kind == NODE_SAMPLED;
}

static uint32_t node_function(const struct pprof *pprof, const struct call_node *node)
{
	return node->kind == NODE_FUNCTION ? node->function : (uint32_t)(pprof->view->profile->nr_functions + sampled_functions_find(&pprof->sampled, node));
}

static struct location leaf_location(const struct pprof *pprof, const struct call_node *node)
{
	return (struct location){ node_function(pprof, node), node->kind == NODE_FUNCTION ? pprof->view->profile->functions[node->function].line : 0 };
}

static struct location caller_location(const struct pprof *pprof, const struct call_node *node)
{
	return (struct location){ node_function(pprof, node->parent), node->site_file ? node->site_line : 0 };
}

static struct cprof_error *collect_locations(struct pprof *pprof)
{
	const struct call_view *view = pprof->view;
	size_t depth = 0, count = 0;

	pprof->locations = malloc((2 * view->nodes + 1) * sizeof *pprof->locations);
	if (!pprof->locations)
		return &cprof_enomem;
	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth)) {
		if (!is_frame(node))
			continue;
		pprof->locations[count++] = leaf_location(pprof, node);
		if (is_frame(node->parent))
			pprof->locations[count++] = caller_location(pprof, node);
	}
	qsort(pprof->locations, count, sizeof *pprof->locations, compare_locations);
	for (size_t i = 0; i < count; i++)
		if (!pprof->nr_locations || compare_locations(&pprof->locations[pprof->nr_locations - 1], &pprof->locations[i]) != 0)
			pprof->locations[pprof->nr_locations++] = pprof->locations[i];
	return NULL;
}

static uint64_t location_id(const struct pprof *pprof, struct location location)
{
	const struct location *found = bsearch(&location, pprof->locations, pprof->nr_locations, sizeof location, compare_locations);

	return (uint64_t)(found - pprof->locations) + 1;
}

static void write_sample(struct pprof *pprof, const struct call_node *leaf, bool last)
{
	const struct call_view *view = pprof->view;

	proto_varint(&pprof->ids, location_id(pprof, leaf_location(pprof, leaf)));
	for (const struct call_node *node = leaf; is_frame(node->parent); node = node->parent)
		proto_varint(&pprof->ids, location_id(pprof, caller_location(pprof, node)));
	proto_message(&pprof->message, SAMPLE_LOCATION_ID, &pprof->ids);
	proto_varint(&pprof->ids, leaf->numbers.calls);
	proto_varint(&pprof->ids, profile_ns(view->profile, last ? leaf->numbers.total_ticks : leaf->numbers.self_ticks));
	proto_message(&pprof->message, SAMPLE_VALUE, &pprof->ids);
	proto_message(&pprof->out, PROFILE_SAMPLE, &pprof->message);
}

static void write_samples(struct pprof *pprof)
{
	const struct call_node *root = pprof->view->root;
	size_t depth = 0;

	for (const struct call_node *node = root; node; ) {
		bool last = depth >= pprof->depth;

		if (is_frame(node))
			write_sample(pprof, node, last);
		node = call_node_next(root, node, last, &depth);
	}
}

static uint64_t write_string(struct pprof *pprof, const char *text)
{
	proto_text(&pprof->out, PROFILE_STRING, text);
	return pprof->nr_strings++;
}

static void write_value_type(struct pprof *pprof, uint64_t type, uint64_t unit)
{
	proto_number(&pprof->message, VALUE_TYPE, type);
	proto_number(&pprof->message, VALUE_UNIT, unit);
	proto_message(&pprof->out, PROFILE_SAMPLE_TYPE, &pprof->message);
}

static void write_functions(struct pprof *pprof)
{
	const struct profile *profile = pprof->view->profile;

	for (size_t i = 0; i < profile->nr_functions; i++) {
		const struct call_function *function = &profile->functions[i];
		uint64_t name = write_string(pprof, function->name);
		uint64_t linkage = function->linkage ? write_string(pprof, function->linkage) : name;
		uint64_t file = function->file ? write_string(pprof, function->file) : 0;

		proto_number(&pprof->message, FUNCTION_ID, i + 1);
		proto_number(&pprof->message, FUNCTION_NAME, name);
		proto_number(&pprof->message, FUNCTION_SYSTEM_NAME, linkage);
		proto_number(&pprof->message, FUNCTION_FILENAME, file);
		proto_number(&pprof->message, FUNCTION_START_LINE, function->line);
		proto_message(&pprof->out, PROFILE_FUNCTION, &pprof->message);
	}
	for (size_t i = 0; i < pprof->sampled.count; i++) {
		uint64_t name = write_string(pprof, pprof->sampled.names[i]), file = write_string(pprof, pprof->sampled.nodes[i]->site_module);

		proto_number(&pprof->message, FUNCTION_ID, profile->nr_functions + i + 1);
		proto_number(&pprof->message, FUNCTION_NAME, name);
		proto_number(&pprof->message, FUNCTION_SYSTEM_NAME, name);
		proto_number(&pprof->message, FUNCTION_FILENAME, file);
		proto_message(&pprof->out, PROFILE_FUNCTION, &pprof->message);
	}
	for (size_t i = 0; i < pprof->nr_locations; i++) {
		proto_number(&pprof->part, LINE_FUNCTION_ID, (uint64_t)pprof->locations[i].function + 1);
		proto_number(&pprof->part, LINE_LINE, pprof->locations[i].line);
		proto_number(&pprof->message, LOCATION_ID, i + 1);
		proto_message(&pprof->message, LOCATION_LINE, &pprof->part);
		proto_message(&pprof->out, PROFILE_LOCATION, &pprof->message);
	}
}

/* Without a time in its header: the same profile gives the same bytes. */
static struct cprof_error *write_gzip(FILE *out, const struct proto *proto)
{
	enum { GZIP_WINDOW = 15 + 16, CHUNK = 1 << 16 };
	z_stream stream = { 0 };
	uint8_t *packed = malloc(CHUNK);
	size_t at = 0;
	int status = Z_OK;

	if (!packed || deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(packed);
		return &cprof_enomem;
	}
	while (status != Z_STREAM_END && !ferror(out)) {
		if (!stream.avail_in) {
			size_t count = proto->count - at < CHUNK ? proto->count - at : CHUNK;

			stream.next_in = proto->bytes + at;
			stream.avail_in = (uInt)count;
			at += count;
		}
		stream.next_out = packed;
		stream.avail_out = CHUNK;
		status = deflate(&stream, at == proto->count ? Z_FINISH : Z_NO_FLUSH);
		fwrite(packed, 1, CHUNK - stream.avail_out, out);
	}
	deflateEnd(&stream);
	free(packed);
	return NULL;
}

struct cprof_error *export_pprof(FILE *out, const struct call_view *view, uint64_t depth, uint64_t start_realtime_ns)
{
	struct pprof pprof = { .view = view, .depth = depth };
	struct cprof_error *error = sampled_functions_init(view, &pprof.sampled);

	if (!error)
		error = collect_locations(&pprof);
	if (!error) {
		write_string(&pprof, ""); /* string 0 */
		uint64_t calls = write_string(&pprof, "calls"), count = write_string(&pprof, "count"), wall = write_string(&pprof, "wall"),
			 unit = write_string(&pprof, "nanoseconds");

		write_value_type(&pprof, calls, count);
		write_value_type(&pprof, wall, unit);
		write_samples(&pprof);
		write_functions(&pprof);
		proto_number(&pprof.out, PROFILE_TIME_NANOS, start_realtime_ns);
		proto_number(&pprof.out, PROFILE_DURATION_NANOS, profile_ns(view->profile, view->profile->info.duration_ticks));
		proto_number(&pprof.out, PROFILE_DEFAULT_SAMPLE_TYPE, wall);
		error = pprof.out.failed ? &cprof_enomem : write_gzip(out, &pprof.out);
	}
	free(pprof.locations);
	sampled_functions_deinit(&pprof.sampled);
	proto_deinit(&pprof.out);
	proto_deinit(&pprof.message);
	proto_deinit(&pprof.part);
	proto_deinit(&pprof.ids);
	return error;
}
