/* SPDX-License-Identifier: BSD-2-Clause */
#include "flamegraph.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "tree_report.h" /* call_site_text */
#include "text_style.h"
#include "utf8.h"
#include "xml_text.h"

extern const char flamegraph_script[]; /* flamegraph_script.S */

enum { MARGIN = 10, FRAME = 17, HEADER = 62, FOOTER = 28, LETTER_100 = 725 /* width of a letter, hundredths of a pixel */ };

struct flamegraph {
	FILE *out;
	const struct call_view *view;
	const struct flamegraph_options *options;
	uint64_t total;
	uint64_t min_ticks;
	size_t depth_limit;
	size_t deepest;        /* of the frames drawn */
	uint64_t hidden_nodes; /* outermost nodes that are not drawn, and their time */
	uint64_t hidden_ticks;
	bool any_sampled;      /* a sampled frame is drawn */
};

static size_t count_letters(const char *text)
{
	size_t letters = 0;

	for (; *text; letters++)
		utf8_next(&text);
	return letters;
}

/* Sampled frames are hatched, those of the kernel in another color. */
static void print_patterns(FILE *out)
{
	static const struct {
		const char *id, *color, *line;
	} patterns[] = { { "sampled", "#cfe3d0", "#8fb898" }, { "kernel", "#c9dcec", "#88aacb" } };

	fputs("<defs>\n", out);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		fprintf(out,
			"<pattern id=\"%s\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
			"<rect width=\"6\" height=\"6\" fill=\"%s\"/><path d=\"M0 0V6\" stroke=\"%s\" stroke-width=\"2\"/></pattern>\n",
			patterns[i].id, patterns[i].color, patterns[i].line);
	fputs("</defs>\n", out);
}

/* Warm and calm, from the name alone, so that a function has one color in every picture. */
static unsigned name_color(const struct call_node *node)
{
	uint32_t hash = 2166136261u;

	if (node->kind != NODE_FUNCTION)
		return 0xB8C4D6;
	for (const char *at = node->name; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	hash ^= hash >> 15;
	unsigned red = 222 + hash % 32, green = 120 + (hash >> 8) % 100, blue = 60 + (hash >> 16) % 44;
	return red << 16 | green << 8 | blue;
}

/* Hundredths of a pixel from the left edge. Neighbours share the rounded value, so that frames neither overlap nor leave gaps. */
static uint64_t pixel_100(const struct flamegraph *graph, uint64_t ticks)
{
	return (uint64_t)(((unsigned __int128)ticks * FLAMEGRAPH_WIDTH * 100 + graph->total / 2) / graph->total);
}

static void print_pixels(FILE *out, const char *attribute, uint64_t hundredths)
{
	fprintf(out, " %s=\"%" PRIu64 ".%02" PRIu64 "\"", attribute, hundredths / 100, hundredths % 100);
}

/* Of a node's time, the part that is drawn above it in sampled frames. */
static uint64_t sampled_ticks(const struct call_node *node)
{
	uint64_t ticks = 0;

	for (const struct call_node *child = node->first_child; child; child = child->next_sibling)
		ticks += child->kind == NODE_SAMPLED ? child->numbers.total_ticks : 0;
	return ticks;
}

/* What a sampled frame's width is worth: of how many samples. */
static void print_samples(const struct flamegraph *graph, const struct call_node *node)
{
	const struct call_node *recorded = call_node_recorded(node);
	uint64_t samples = node->numbers.metrics->total[METRIC_SAMPLES];
	FILE *out = graph->out;

	if (graph->view->only_samples) {
		fprintf(out, "\n%s %s", human_count(samples).text, samples == 1 ? "sample" : "samples");
	} else {
		fprintf(out, "\n%s of the ", human_count(samples).text);
		fprintf(out, "%s samples in ", human_count(call_node_sampled(recorded, METRIC_SAMPLES)).text);
		xml_print(out, recorded->name);
		fputs(", that share of its own time on a processor", out);
	}
	if (node->kind == NODE_SAMPLED && *call_site_text(node).text) {
		fputs("\n", out);
		xml_print(out, call_site_text(node).text);
	}
}

static void print_frame_title(const struct flamegraph *graph, const struct call_node *node)
{
	const struct call_numbers *numbers = &node->numbers;
	const struct profile *profile = graph->view->profile;
	bool sampled = node->kind == NODE_SAMPLED, shared = !sampled && graph->view->sampled && !graph->view->only_samples;
	uint64_t shared_ticks = shared ? sampled_ticks(node) : 0;
	FILE *out = graph->out;

	fputs("<title>", out);
	xml_print(out, node->name);
	fprintf(out, "\n%s%s %%, total %s", sampled ? "sampled: " : "", human_percent(numbers->total_ticks, graph->total).text,
		human_ticks(profile, numbers->total_ticks).text);
	fprintf(out, ", self %s", human_ticks(profile, numbers->self_ticks + shared_ticks).text);
	if (shared_ticks)
		fprintf(out, ", of it %s in sampled frames", human_ticks(profile, shared_ticks).text);
	if (sampled || graph->view->only_samples)
		print_samples(graph, node);
	if (node->kind == NODE_FUNCTION) {
		fprintf(out, "\n%s %s", human_count(numbers->calls).text, numbers->calls == 1 ? "call" : "calls");
		if (node->recursive_calls)
			fprintf(out, ", %s of them recursive", human_count(node->recursive_calls).text);
		if (*call_site_text(node).text) {
			fputs(", called from ", out);
			xml_print(out, call_site_text(node).text);
		}
	}
	fputs("</title>", out);
}

static void print_label(const struct flamegraph *graph, const struct call_node *node, uint64_t left_100, uint64_t width_100, unsigned y)
{
	static const struct text_style style = { .width = TEXT_WIDTH_MAX, .unicode = true };
	size_t room = width_100 > 600 ? (size_t)((width_100 - 600) / LETTER_100) : 0;
	char text[1024];
	const char *name = room >= 3 ? text_fit_name(&style, node->name, (unsigned)room, text, sizeof text) : node->name;

	fputs("<text", graph->out);
	print_pixels(graph->out, "x", left_100 + 300);
	fprintf(graph->out, " y=\"%u\">", y + 13);
	if (count_letters(name) <= room) {
		xml_print(graph->out, name);
	} else if (room >= 3) {
		xml_print_part(graph->out, name, room - 1);
		fputs("\xE2\x80\xA6", graph->out);
	}
	fputs("</text>", graph->out);
}

static void print_frame(const struct flamegraph *graph, const struct call_node *node, size_t depth, uint64_t start)
{
	uint64_t left = pixel_100(graph, start) + MARGIN * 100, right = pixel_100(graph, start + node->numbers.total_ticks) + MARGIN * 100;
	size_t row = graph->options->icicle ? depth : graph->deepest - depth;
	unsigned y = HEADER + (unsigned)row * FRAME;

	fprintf(graph->out, "<g class=\"f\" data-s=\"%" PRIu64 "\" data-t=\"%" PRIu64 "\">", start, node->numbers.total_ticks);
	print_frame_title(graph, node);
	fputs("<rect", graph->out);
	print_pixels(graph->out, "x", left);
	print_pixels(graph->out, "width", right - left);
	fprintf(graph->out, " y=\"%u\" height=\"%d\"", y, FRAME - 1);
	if (node->kind != NODE_SAMPLED) {
		fprintf(graph->out, " fill=\"#%06x\"/>", name_color(node));
	} else { /* neighbours look alike: a line between them, where there is room */
		const char *line = right - left >= 500 ? " stroke=\"#fff\" stroke-width=\".6\"" : "";

		fprintf(graph->out, " fill=\"url(#%s)\"%s/>", call_node_in_kernel(node) ? "kernel" : "sampled", line);
	}
	print_label(graph, node, left, right - left, y);
	fputs("</g>\n", graph->out);
}

/* In preorder; a child starts where its elder siblings end, after no gap: the caller's own time is at the right. */
static struct cprof_error *visit_frames(struct flamegraph *graph, bool draw)
{
	const struct call_node *node = graph->view->root;
	size_t depth = 0, capacity = 64;
	uint64_t *starts = malloc(capacity * sizeof *starts); /* starts[d]: where the next node of depth d begins */

	if (!starts)
		return &cprof_enomem;
	starts[0] = 0;
	while (node) {
		uint64_t start = starts[depth], ticks = node->numbers.total_ticks;
		bool shown = !depth || (depth <= graph->depth_limit && ticks >= graph->min_ticks);

		starts[depth] = start + ticks;
		if (depth + 1 == capacity) {
			uint64_t *grown = realloc(starts, 2 * capacity * sizeof *starts);

			if (!grown) {
				free(starts);
				return &cprof_enomem;
			}
			starts = grown;
			capacity *= 2;
		}
		starts[depth + 1] = start;
		if (shown && draw) {
			print_frame(graph, node, depth, start);
		} else if (shown) {
			graph->deepest = depth > graph->deepest ? depth : graph->deepest;
			graph->any_sampled |= node->kind == NODE_SAMPLED;
		} else if (!draw) {
			graph->hidden_nodes++;
			graph->hidden_ticks += ticks;
		}
		node = call_node_next(graph->view->root, node, !shown, &depth);
		if (ferror(graph->out))
			break;
	}
	free(starts);
	return NULL;
}

static void print_head(const struct flamegraph *graph, unsigned height)
{
	FILE *out = graph->out;
	unsigned width = FLAMEGRAPH_WIDTH + 2 * MARGIN;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" data-width=\"%d\""
		" data-margin=\"%d\" data-total=\"%" PRIu64 "\">\n",
		width, height, width, height, FLAMEGRAPH_WIDTH, MARGIN, graph->total);
	fputs("<style>\n"
	      "text { font: 12px monospace; fill: #222; }\n"
	      ".title { font: bold 16px sans-serif; }\n"
	      ".small { font: 12px sans-serif; fill: #555; }\n"
	      "g.f { cursor: pointer; }\n"
	      "g.f text { pointer-events: none; }\n"
	      "g.f:hover rect { stroke: #222; stroke-width: 1; }\n"
	      "g.above rect { opacity: .45; }\n"
	      "g.match rect { fill: #b05cd6; }\n"
	      ".gone { display: none; }\n"
	      "#reset { cursor: pointer; }\n"
	      "#reset text { fill: #06c; text-decoration: underline; }\n"
	      "#search { font: 12px sans-serif; width: 170px; box-sizing: border-box; padding: 1px 4px; border: 1px solid #aaa; }\n"
	      "</style>\n",
	      out);
	if (graph->any_sampled)
		print_patterns(out);
	fprintf(out, "<rect x=\"0\" y=\"0\" width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n", width, height);
	fprintf(out, "<text class=\"title\" x=\"%d\" y=\"22\">", MARGIN);
	xml_print_part(out, graph->options->title, 90);
	fprintf(out, "</text>\n<text class=\"small\" x=\"%d\" y=\"40\">width: %s, all threads together: %s; root at the %s%s</text>\n", MARGIN,
		graph->view->only_samples ? "CPU time by samples" : "exact time", human_ticks(graph->view->profile, graph->total).text,
		graph->options->icicle ? "top" : "bottom", graph->any_sampled && !graph->view->only_samples ? "; hatched: by samples (blue: in the kernel)" : "");
	fprintf(out,
		"<g id=\"interactive\" class=\"gone\">"
		"<g id=\"reset\" class=\"gone\"><text class=\"small\" x=\"%u\" y=\"22\">reset zoom</text></g>"
		"<text id=\"matched\" class=\"small\" x=\"%u\" y=\"40\" text-anchor=\"end\"></text>"
		"<foreignObject x=\"%u\" y=\"7\" width=\"180\" height=\"24\">"
		"<input xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"search\" placeholder=\"search (Ctrl-F)\"/></foreignObject></g>\n",
		width - MARGIN - 270, width - MARGIN, width - MARGIN - 175);
	fprintf(out, "<text id=\"details\" class=\"small\" x=\"%d\" y=\"56\"></text>\n", MARGIN);
}

static void print_foot(const struct flamegraph *graph, unsigned height)
{
	FILE *out = graph->out;

	uint64_t outside = graph->view->samples_outside;

	if (graph->hidden_nodes || outside)
		fprintf(out, "<text class=\"small\" x=\"%d\" y=\"%u\">not drawn: ", MARGIN, height - 10);
	if (graph->hidden_nodes) {
		fprintf(out, "%s %s (too narrow or too deep), ", human_count(graph->hidden_nodes).text,
			graph->hidden_nodes == 1 ? "context with what is below it" : "contexts with what is below them");
		fprintf(out, "%s %% of the time%s", human_percent(graph->hidden_ticks, graph->total).text, outside ? "; " : "");
	}
	if (outside)
		fprintf(out, "%s %s outside of every recorded call", human_count(outside).text, outside == 1 ? "sample" : "samples");
	if (graph->hidden_nodes || outside)
		fputs("</text>\n", out);
	fputs("<script type=\"text/javascript\"><![CDATA[\n", out);
	fputs(flamegraph_script, out);
	fputs("]]></script>\n</svg>\n", out);
}

struct cprof_error *flamegraph_write(FILE *out, const struct call_view *view, const struct flamegraph_options *options)
{
	struct flamegraph graph = { .out = out, .view = view, .options = options };
	double min_ticks;
	struct cprof_error *error;

	graph.total = view->root->numbers.total_ticks ? view->root->numbers.total_ticks : 1;
	min_ticks = (double)graph.total * options->min_pixels / FLAMEGRAPH_WIDTH;
	if (min_ticks < (double)graph.total * options->min_percent / 100)
		min_ticks = (double)graph.total * options->min_percent / 100;
	graph.min_ticks = min_ticks < 1 ? 1 : (uint64_t)min_ticks; /* what took no time has no width */
	graph.depth_limit = options->depth < FLAMEGRAPH_MAX_DEPTH ? (size_t)options->depth : FLAMEGRAPH_MAX_DEPTH;
	error = visit_frames(&graph, false);
	if (error)
		return error;

	unsigned height = HEADER + (unsigned)(graph.deepest + 1) * FRAME + FOOTER;
	print_head(&graph, height);
	error = visit_frames(&graph, true);
	if (!error)
		print_foot(&graph, height);
	return error;
}
