/* SPDX-License-Identifier: BSD-2-Clause */
/* speedscope's file format: https://www.speedscope.app/file-format-schema.json */
#include <inttypes.h>
#include <stdlib.h>

#include "exports.h"
#include "human.h"
#include "sampled_functions.h"

static bool is_function(const struct call_node *node)
{
	return node->kind == NODE_FUNCTION || node->kind == NODE_SAMPLED;
}

/* Frames are the functions, those of samples, then a frame for each node that is neither (threads, processes). */
static void write_frames(struct json_writer *json, const struct call_view *view, const struct sampled_functions *sampled)
{
	size_t depth = 0;

	json_begin_object(json, "shared");
	json_begin_array(json, "frames");
	for (size_t i = 0; i < view->profile->nr_functions; i++) {
		const struct call_function *function = &view->profile->functions[i];

		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", function->name);
		if (function->file) {
			json_text(json, "file", function->file);
			json_u64(json, "line", function->line);
		}
		json_end_object(json);
	}
	for (size_t i = 0; i < sampled->count; i++) {
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", sampled->names[i]);
		json_end_object(json);
	}
	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, is_function(node), &depth)) {
		if (is_function(node) || node == view->root)
			continue;
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", node->name);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void write_event(struct json_writer *json, const struct call_view *view, char type, uint64_t ticks, uint64_t frame)
{
	const char name[2] = { type, 0 };

	json_line(json);
	json_begin_object(json, NULL);
	json_text(json, "type", name);
	json_u64(json, "at", profile_ns(view->profile, ticks));
	json_u64(json, "frame", frame);
	json_end_object(json);
}

struct open_frame {
	const struct call_node *node;
	uint64_t frame, end_ticks;
	uint64_t next_ticks; /* where its next child begins */
};

static struct cprof_error *too_large(uint64_t max_bytes)
{
	return cprof_error_create(CPROF_ERROR_UNSUPPORTED,
				  "the file would be larger than %s bytes, which is more than its viewers open (--max-size=0 writes it all the same); "
				  "--filter, --focus and --depth choose fewer contexts",
				  human_count(max_bytes).text);
}

static struct cprof_error *write_events(struct json_writer *json, const struct call_view *view, const struct sampled_functions *sampled, uint64_t depth_limit,
					uint64_t max_bytes)
{
	enum { CHECK_EVERY = 256 };
	size_t capacity = 64, depth = 0;
	uint64_t others = view->profile->nr_functions + sampled->count; /* the frame of the next node that is no function */
	struct open_frame *open = malloc(capacity * sizeof *open);
	const struct call_node *node = view->root->first_child;

	if (!open)
		return &cprof_enomem;
	open[0] = (struct open_frame){ view->root, 0, view->root->numbers.total_ticks, 0 };
	for (uint64_t written = 0; node && !ferror(json->out); written++) {
		uint64_t start = open[depth].next_ticks, end = start + node->numbers.total_ticks;
		uint64_t frame;

		if (node->kind == NODE_FUNCTION)
			frame = node->function;
		else if (node->kind == NODE_SAMPLED)
			frame = view->profile->nr_functions + sampled_functions_find(sampled, node);
		else
			frame = others++;

		if (max_bytes && written % CHECK_EVERY == 0 && ftello(json->out) > (off_t)max_bytes) {
			free(open);
			return too_large(max_bytes);
		}
		open[depth].next_ticks = end;
		if (++depth == capacity) {
			struct open_frame *grown = realloc(open, 2 * capacity * sizeof *open);

			if (!grown) {
				free(open);
				return &cprof_enomem;
			}
			open = grown;
			capacity *= 2;
		}
		open[depth] = (struct open_frame){ node, frame, end, start };
		write_event(json, view, 'O', start, frame);
		if (node->first_child && depth < depth_limit) {
			node = node->first_child;
			continue;
		}
		while (depth) {
			const struct call_node *sibling = open[depth].node->next_sibling;

			write_event(json, view, 'C', open[depth].end_ticks, open[depth].frame);
			depth--;
			node = sibling;
			if (sibling)
				break;
		}
	}
	free(open);
	return NULL;
}

struct cprof_error *export_speedscope(FILE *out, const struct call_view *view, uint64_t depth, uint64_t max_bytes, const char *title)
{
	struct sampled_functions sampled;
	struct json_writer json;
	struct cprof_error *error = sampled_functions_init(view, &sampled);

	if (error)
		return error;
	json_init(&json, out);
	json_begin_object(&json, NULL);
	json_text(&json, "$schema", "https://www.speedscope.app/file-format-schema.json");
	json_text(&json, "exporter", "cprof");
	json_text(&json, "name", title);
	json_u64(&json, "activeProfileIndex", 0);
	write_frames(&json, view, &sampled);
	json_begin_array(&json, "profiles");
	json_begin_object(&json, NULL);
	json_text(&json, "type", "evented");
	json_text(&json, "name", "call tree (contexts, not in order of time)");
	json_text(&json, "unit", view->profile->info.clock_hz > 0 ? "nanoseconds" : "none");
	json_u64(&json, "startValue", 0);
	json_u64(&json, "endValue", profile_ns(view->profile, view->root->numbers.total_ticks));
	json_begin_array(&json, "events");
	error = write_events(&json, view, &sampled, depth, max_bytes);
	json_end_array(&json);
	json_end_object(&json);
	json_end_array(&json);
	json_end_object(&json);
	json_finish(&json);
	sampled_functions_deinit(&sampled);
	return error;
}
