/* SPDX-License-Identifier: BSD-2-Clause */
#include "timeline_svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "json_writer.h"
#include "text_style.h"
#include "utf8.h"
#include "xml_text.h"

extern const char timeline_script[]; /* timeline_script.S */

/* Pixels. timeline.js is told of those it needs. */
enum { PLOT = 1200, LEFT = 160, RIGHT = 10, HEADER = 84, ROW = 15, GAP = 9, FOOTER = 46, COLORS = 24, LABEL_MIN = 40, MAX_NAME = 4096 };
enum { LETTER_100 = 665 /* width of a letter, hundredths of a pixel */ };

/* Bars of one color are one path. */
struct color_path {
	FILE *out;
	char *text;
	size_t bytes;
};

struct svg {
	FILE *out;
	const struct timeline_picture *picture;
	const struct timeline *timeline;
	uint64_t first_ticks, span_ns;
	struct color_path paths[COLORS + 1][2]; /* [..][1]: runs. The last color: no function took most of it */
	FILE *labels;
	char *labels_text;
	size_t labels_bytes;
	uint32_t *name_numbers, *site_numbers;  /* as embedded, + 1; by function, by site */
	uint32_t nr_names, nr_sites;
};

static uint64_t ticks_ns(const struct svg *svg, uint64_t ticks)
{
	return svg->picture->hz > 0 ? (uint64_t)((long double)ticks * 1e9L / (long double)svg->picture->hz + 0.5L) : ticks;
}

/* From the left edge of the picture; what reaches out of the range is cut off. */
static uint64_t axis_ns(const struct svg *svg, uint64_t ticks)
{
	uint64_t ns = ticks > svg->first_ticks ? ticks_ns(svg, ticks - svg->first_ticks) : 0;

	return ns < svg->span_ns ? ns : svg->span_ns;
}

/* Hundredths of a pixel. Neighbours share the rounded value, so that bars neither overlap nor leave gaps. */
static uint64_t axis_100(const struct svg *svg, uint64_t ns)
{
	return (uint64_t)(((unsigned __int128)ns * PLOT * 100 + svg->span_ns / 2) / svg->span_ns);
}

static struct human_text human_axis(const struct svg *svg, uint64_t ns)
{
	struct human_text text = human_ns(ns);

	if (!(svg->picture->hz > 0))
		snprintf(text.text, sizeof text.text, "%" PRIu64 " ticks", ns);
	return text;
}

/* A function has one color in every picture. */
static unsigned name_color(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	hash ^= hash >> 15;
	return hash % COLORS;
}

static unsigned function_color(const struct svg *svg, uint32_t function)
{
	return function == FUNCTION_NONE ? COLORS : name_color(session_names_text(svg->picture->names, function));
}

static struct cprof_error *paths_open(struct svg *svg)
{
	for (unsigned color = 0; color <= COLORS; color++)
		for (unsigned run = 0; run < 2; run++)
			if (!(svg->paths[color][run].out = open_memstream(&svg->paths[color][run].text, &svg->paths[color][run].bytes)))
				return &cprof_enomem;
	svg->labels = open_memstream(&svg->labels_text, &svg->labels_bytes);
	return svg->labels ? NULL : &cprof_enomem;
}

static struct cprof_error *paths_close(struct svg *svg)
{
	struct cprof_error *error = NULL;

	for (unsigned color = 0; color <= COLORS; color++) {
		for (unsigned run = 0; run < 2; run++) {
			if (svg->paths[color][run].out && fclose(svg->paths[color][run].out) != 0)
				error = &cprof_enomem;
			svg->paths[color][run].out = NULL;
		}
	}
	if (svg->labels && fclose(svg->labels) != 0)
		error = &cprof_enomem;
	svg->labels = NULL;
	return error;
}

static void bar_draw(struct svg *svg, unsigned color, bool run, uint64_t left_100, uint64_t right_100, unsigned y)
{
	FILE *out = svg->paths[color][run].out;
	uint64_t width_100 = right_100 > left_100 ? right_100 - left_100 : 0;

	if (width_100 > 300) /* a hair of space between neighbours of one color */
		width_100 -= 30;
	left_100 += LEFT * 100;
	fprintf(out, "M%" PRIu64 ".%02" PRIu64 " %uh%" PRIu64 ".%02" PRIu64 "v%dH%" PRIu64 ".%02" PRIu64 "z", left_100 / 100, left_100 % 100, y,
		width_100 / 100, width_100 % 100, ROW - 1, left_100 / 100, left_100 % 100);
}

static void label_draw(struct svg *svg, const char *name, uint64_t left_100, uint64_t right_100, unsigned y)
{
	static const struct text_style style = { .width = TEXT_WIDTH_MAX, .unicode = true };
	size_t letters = 0, room = (size_t)((right_100 - left_100 - 600) / LETTER_100);
	char text[1024];
	const char *at = name = text_fit_name(&style, name, (unsigned)room, text, sizeof text);

	for (; *at && letters <= room; letters++)
		utf8_next(&at);
	left_100 += LEFT * 100 + 300;
	fprintf(svg->labels, "<text x=\"%" PRIu64 ".%02" PRIu64 "\" y=\"%u\">", left_100 / 100, left_100 % 100, y + 11);
	xml_print_part(svg->labels, name, letters <= room ? SIZE_MAX : room - 1);
	fputs(letters <= room ? "</text>\n" : "\xE2\x80\xA6</text>\n", svg->labels);
}

/* What is narrower than a pixel, merged into the pixels it falls in. */
struct narrow {
	uint64_t from_100, to_100; /* equal: none */
	uint64_t most_ticks;       /* of the item that gives the color */
	uint32_t function;
};

static void narrow_flush(struct svg *svg, struct narrow *narrow, unsigned y)
{
	if (narrow->to_100 > narrow->from_100)
		bar_draw(svg, function_color(svg, narrow->function), true, narrow->from_100, narrow->to_100, y);
	narrow->from_100 = narrow->to_100 = narrow->most_ticks = 0;
}

static void narrow_add(struct svg *svg, struct narrow *narrow, const struct timeline_item *item, uint64_t left_100, uint64_t right_100, unsigned y)
{
	uint64_t pixel = left_100 / 100 * 100, end = (right_100 + 99) / 100 * 100;

	end = end > pixel ? end : pixel + 100;
	if (narrow->to_100 > narrow->from_100 && (left_100 >= narrow->to_100 || item->busy_ticks > narrow->most_ticks * 64))
		narrow_flush(svg, narrow, y);
	if (narrow->to_100 == narrow->from_100)
		narrow->from_100 = pixel;
	narrow->to_100 = end > narrow->to_100 ? end : narrow->to_100;
	if (item->busy_ticks >= narrow->most_ticks) {
		narrow->most_ticks = item->busy_ticks;
		narrow->function = timeline_item_function(item);
	}
}

static void row_draw(struct svg *svg, const struct timeline_row *row, unsigned y)
{
	struct narrow narrow = { .function = FUNCTION_NONE };

	for (size_t i = 0; i < row->nr_items; i++) {
		const struct timeline_item *item = &row->items[i];
		uint64_t left = axis_100(svg, axis_ns(svg, item->start_ticks)), right = axis_100(svg, axis_ns(svg, item->end_ticks));

		if (right - left < 100) {
			narrow_add(svg, &narrow, item, left, right, y);
			continue;
		}
		narrow_flush(svg, &narrow, y);
		uint32_t function = timeline_item_function(item);
		bar_draw(svg, function_color(svg, function), item->calls > 1, left, right, y);
		if (item->calls == 1 && right - left >= LABEL_MIN * 100)
			label_draw(svg, session_names_text(svg->picture->names, function), left, right, y);
	}
	narrow_flush(svg, &narrow, y);
}

static unsigned thread_height(const struct timeline_thread *thread)
{
	return (thread->nr_rows ? (unsigned)thread->nr_rows : 1) * ROW + GAP;
}

static struct cprof_error *calls_draw(struct svg *svg)
{
	unsigned y = HEADER;
	struct cprof_error *error = paths_open(svg);

	for (size_t i = 0; i < svg->timeline->nr_threads && !error; i++) {
		const struct timeline_thread *thread = &svg->timeline->threads[i];

		for (size_t k = 0; k < thread->nr_rows; k++)
			row_draw(svg, &thread->rows[k], y + (unsigned)k * ROW);
		y += thread_height(thread);
	}
	if (!error)
		error = paths_close(svg);
	if (error)
		return error;
	fputs("<g id=\"calls\">\n", svg->out);
	for (unsigned color = 0; color <= COLORS; color++)
		for (unsigned run = 0; run < 2; run++)
			if (svg->paths[color][run].bytes)
				fprintf(svg->out, "<path class=\"c%u%s\" d=\"%s\"/>\n", color, run ? " r" : "", svg->paths[color][run].text);
	fwrite(svg->labels_text, 1, svg->labels_bytes, svg->out);
	fputs("</g>\n", svg->out);
	return NULL;
}

static void thread_name(const struct svg *svg, const struct timeline_thread *thread, char *text, size_t bytes)
{
	const struct trace *trace = session_trace(svg->picture->session, thread->trace);
	const struct cprof_thread *record = &trace_tables(trace)->threads[thread->thread];

	snprintf(text, bytes, "%.16s [%" PRIu32 "]", record->name[0] ? record->name : "thread", record->tid);
}

static void threads_draw(const struct svg *svg)
{
	unsigned y = HEADER;

	fputs("<g id=\"threads\">\n", svg->out);
	for (size_t i = 0; i < svg->timeline->nr_threads; i++) {
		const struct timeline_thread *thread = &svg->timeline->threads[i];
		unsigned height = thread_height(thread);
		char name[64];

		thread_name(svg, thread, name, sizeof name);
		fprintf(svg->out, "<rect class=\"lane\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\"/><text class=\"small\" x=\"%d\" y=\"%u\">", LEFT, y, PLOT,
			height - GAP, RIGHT, y + 11);
		xml_print_part(svg->out, name, 23);
		fputs("</text>\n", svg->out);
		for (size_t k = 0; k < thread->nr_marks; k++) {
			uint64_t x = axis_100(svg, axis_ns(svg, thread->marks[k].ticks)) + LEFT * 100;

			fprintf(svg->out, "<path class=\"mark\" d=\"M%" PRIu64 ".%02" PRIu64 " %uv%u\"/>\n", x / 100, x % 100, y - 2, height - GAP + 4);
		}
		y += height;
	}
	fputs("</g>\n", svg->out);
}

/* 1, 2 or 5 times a power of ten, so that about ten fit. */
static uint64_t tick_step(uint64_t span_ns)
{
	uint64_t step = 1;

	for (unsigned i = 0; span_ns / step > 12 && step < UINT64_MAX / 10; i++)
		step = i % 3 == 1 ? step / 2 * 5 : step * 2;
	return step;
}

static void axis_draw(const struct svg *svg, unsigned height)
{
	uint64_t offset = svg->first_ticks > svg->picture->start_ticks ? ticks_ns(svg, svg->first_ticks - svg->picture->start_ticks) : 0;
	uint64_t step = tick_step(svg->span_ns);

	fputs("<g id=\"axis\">\n", svg->out);
	for (uint64_t at = (offset + step - 1) / step * step; at <= offset + svg->span_ns && at >= offset; at += step) {
		uint64_t x = axis_100(svg, at - offset) + LEFT * 100;

		fprintf(svg->out, "<path class=\"grid\" d=\"M%" PRIu64 ".%02" PRIu64 " %dV%u\"/>", x / 100, x % 100, HEADER - 6, height - FOOTER);
		fprintf(svg->out, "<text class=\"small\" x=\"%" PRIu64 ".%02" PRIu64 "\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x / 100, x % 100, HEADER - 10,
			human_axis(svg, at).text);
	}
	fputs("</g>\n", svg->out);
}

/* Colors from amber to red and on to violet, all light enough for dark letters. */
static void styles_print(FILE *out)
{
	fputs("<style>\n"
	      "text { font: 11px monospace; fill: #222; }\n"
	      ".title { font: bold 16px sans-serif; }\n"
	      ".small { font: 12px sans-serif; fill: #555; }\n"
	      "#calls text { pointer-events: none; }\n"
	      ".lane { fill: #f4f4f4; }\n"
	      ".grid { stroke: #ccc; stroke-width: 1; fill: none; }\n"
	      ".mark { stroke: #d00; stroke-width: 2; fill: none; }\n"
	      ".r { fill-opacity: .55; }\n"
	      ".match { fill: #b05cd6; }\n"
	      ".gone { display: none; }\n"
	      "#reset { cursor: pointer; }\n"
	      "#reset text { fill: #06c; text-decoration: underline; }\n"
	      "#search { font: 12px sans-serif; width: 170px; box-sizing: border-box; padding: 1px 4px; border: 1px solid #aaa; }\n",
	      out);
	for (unsigned color = 0; color < COLORS; color++)
		fprintf(out, ".c%u { fill: hsl(%u, %u%%, %u%%); }\n", color, (color * 15 + 5) % 360, 55 + color % 3 * 12, 66 + color % 4 * 4);
	fprintf(out, ".c%d { fill: #aab; }\n</style>\n", COLORS);
}

static void head_draw(const struct svg *svg, unsigned height)
{
	const struct timeline *timeline = svg->timeline;
	FILE *out = svg->out;
	unsigned width = LEFT + PLOT + RIGHT;
	uint64_t made = timeline->calls - timeline->inherited_calls;

	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" data-left=\"%d\" data-plot=\"%d\""
		" data-header=\"%d\" data-row=\"%d\" data-gap=\"%d\" data-footer=\"%d\" data-colors=\"%d\">\n",
		width, height, width, height, LEFT, PLOT, HEADER, ROW, GAP, FOOTER, COLORS);
	styles_print(out);
	fprintf(out, "<rect width=\"%u\" height=\"%u\" fill=\"#fff\"/>\n<text class=\"title\" x=\"%d\" y=\"22\">", width, height, RIGHT);
	xml_print_part(out, svg->picture->title, 90);
	fprintf(out, "</text>\n<text class=\"small\" x=\"%d\" y=\"40\">%s %s", RIGHT, human_count(made).text, made == 1 ? "call" : "calls");
	if (timeline->inherited_calls)
		fprintf(out, " (and %s that a parent made)", human_count(timeline->inherited_calls).text);
	fprintf(out, " in %zu %s", timeline->nr_threads, timeline->nr_threads == 1 ? "thread" : "threads");
	fprintf(out, " over %s", human_axis(svg, timeline->nr_threads ? svg->span_ns : 0).text);
	fputs("<tspan id=\"hint\" class=\"gone\">; wheel zooms, drag moves, click zooms to a call, Escape goes back</tspan></text>\n", out);
	fprintf(out,
		"<g id=\"interactive\" class=\"gone\">"
		"<g id=\"reset\" class=\"gone\"><text class=\"small\" x=\"%u\" y=\"22\">reset zoom</text></g>"
		"<text id=\"matched\" class=\"small\" x=\"%u\" y=\"40\" text-anchor=\"end\"></text>"
		"<foreignObject x=\"%u\" y=\"7\" width=\"180\" height=\"24\">"
		"<input xmlns=\"http://www.w3.org/1999/xhtml\" id=\"search\" type=\"search\" placeholder=\"search (Ctrl-F)\"/></foreignObject></g>\n",
		width - RIGHT - 270, width - RIGHT, width - RIGHT - 175);
	fprintf(out, "<text id=\"details\" class=\"small\" x=\"%d\" y=\"57\"></text>\n", RIGHT);
}

/* What the picture does not show one by one, or not at all. */
static void foot_draw(const struct svg *svg, unsigned height)
{
	const struct timeline *timeline = svg->timeline;
	FILE *out = svg->out;

	fprintf(out, "<g id=\"foot\"><text class=\"small\" x=\"%d\" y=\"%u\">", RIGHT, height - 26);
	if (timeline->merged_calls) {
		fprintf(out, "%s calls shorter than ", human_count(timeline->merged_calls).text);
		fprintf(out, "%s are merged into shaded runs (--time=A:B shows a part in more detail)", human_axis(svg, ticks_ns(svg, timeline->resolution_ticks)).text);
	} else {
		fputs(timeline->calls ? "every call is one bar" : "no calls here", out);
	}
	fprintf(out, "</text><text class=\"small\" x=\"%d\" y=\"%u\">", RIGHT, height - 10);
	if (timeline->deep_calls)
		fprintf(out, "not drawn: %s calls deeper than %zu levels. ", human_count(timeline->deep_calls).text, timeline->max_rows);
	if (timeline->hidden_threads)
		fprintf(out, "not drawn: %s more threads (--thread chooses). ", human_count(timeline->hidden_threads).text);
	fputs("</text></g>\n", out);
}

/* The items for timeline.js. */

static struct cprof_error *data_text(const struct svg *svg, const char *text)
{
	char *escaped = NULL, *cut = strndup(text, MAX_NAME);
	size_t bytes = 0;
	FILE *memory = cut ? open_memstream(&escaped, &bytes) : NULL;

	if (memory)
		json_print_escaped(memory, cut);
	free(cut);
	if (!memory || fclose(memory) != 0) {
		free(escaped);
		return &cprof_enomem;
	}
	fputc('"', svg->out);
	xml_print(svg->out, escaped);
	fputc('"', svg->out);
	free(escaped);
	return NULL;
}

static uint32_t number_of(uint32_t *numbers, uint32_t *count, size_t index)
{
	if (!numbers[index])
		numbers[index] = ++*count;
	return numbers[index];
}

static uint32_t site_index(const struct svg *svg, const struct timeline_thread *thread, const struct timeline_item *item)
{
	const struct call_site *site = session_names_site(svg->picture->names, thread->trace, item->id);

	return site ? (uint32_t)(site - svg->picture->names->registry.sites) : 0;
}

static void item_data(struct svg *svg, const struct timeline_thread *thread, const struct timeline_item *item, uint64_t *at_ns)
{
	uint64_t start = axis_ns(svg, item->start_ticks), end = axis_ns(svg, item->end_ticks);
	uint32_t function = timeline_item_function(item), name = 0, site = site_index(svg, thread, item);

	if (function != FUNCTION_NONE)
		name = number_of(svg->name_numbers, &svg->nr_names, function);
	fprintf(svg->out, "%" PRIu64 ",%" PRIu64 ",", start - *at_ns, end - start);
	*at_ns = end;
	if (item->calls == 1) {
		fprintf(svg->out, "%" PRIu32 ",%" PRIu32, name, (site ? number_of(svg->site_numbers, &svg->nr_sites, site) : 0) * 4 + item->end);
		return;
	}
	fprintf(svg->out, "-%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64, item->calls, ticks_ns(svg, item->busy_ticks), name,
		ticks_ns(svg, item->shares[0].ticks), ticks_ns(svg, item->longest_ticks));
}

static struct cprof_error *threads_data(struct svg *svg)
{
	for (size_t i = 0; i < svg->timeline->nr_threads; i++) {
		const struct timeline_thread *thread = &svg->timeline->threads[i];
		struct cprof_error *error;
		char name[64];

		thread_name(svg, thread, name, sizeof name);
		fputs(i ? ",\n{\"name\":" : "\n{\"name\":", svg->out);
		error = data_text(svg, name);
		if (error)
			return error;
		fputs(",\"marks\":[", svg->out);
		for (size_t k = 0; k < thread->nr_marks; k++)
			fprintf(svg->out, "%s%" PRIu64 ",%" PRIu64, k ? "," : "", axis_ns(svg, thread->marks[k].ticks), thread->marks[k].lost_events);
		fputs("],\"rows\":[", svg->out);
		for (size_t k = 0; k < thread->nr_rows; k++) {
			uint64_t at_ns = 0;

			fputs(k ? ",\n[" : "\n[", svg->out);
			for (size_t m = 0; m < thread->rows[k].nr_items; m++) {
				if (m)
					fputc(',', svg->out);
				item_data(svg, thread, &thread->rows[k].items[m], &at_ns);
			}
			fputc(']', svg->out);
		}
		fputs("]}", svg->out);
	}
	return NULL;
}

/* Texts by their numbers, of which there are count; numbers[index] is the number of index. */
static struct cprof_error *texts_data(const struct svg *svg, const char *key, const uint32_t *numbers, size_t nr_numbers, uint32_t count, bool sites)
{
	const struct session_names *names = svg->picture->names;
	size_t *indices = calloc((size_t)count + 1, sizeof *indices);
	struct cprof_error *error = indices ? NULL : &cprof_enomem;

	for (size_t i = 0; !error && i < nr_numbers; i++)
		if (numbers[i])
			indices[numbers[i] - 1] = i;
	fprintf(svg->out, ",\n\"%s\":[", key);
	for (uint32_t i = 0; !error && i < count; i++) {
		const struct call_site *site = &names->registry.sites[sites ? indices[i] : 0];
		char text[512];

		if (!sites)
			snprintf(text, sizeof text, "%.500s", session_names_text(names, (uint32_t)indices[i]));
		else if (site->file)
			snprintf(text, sizeof text, "%.400s:%" PRIu32, text_base_name(site->file), site->line);
		else
			snprintf(text, sizeof text, "%.400s%s0x%" PRIx64, text_base_name(site->module), *site->module ? "+" : "", site->address);
		fputs(i ? ",\n" : "\n", svg->out);
		error = data_text(svg, text);
	}
	fputs("]", svg->out);
	free(indices);
	return error;
}

static struct cprof_error *data_write(struct svg *svg)
{
	const struct call_registry *registry = &svg->picture->names->registry;
	uint64_t offset = svg->first_ticks > svg->picture->start_ticks ? ticks_ns(svg, svg->first_ticks - svg->picture->start_ticks) : 0;
	struct cprof_error *error;

	svg->name_numbers = calloc(registry->nr_functions + 1, sizeof *svg->name_numbers);
	svg->site_numbers = calloc(registry->nr_sites + 1, sizeof *svg->site_numbers);
	if (!svg->name_numbers || !svg->site_numbers)
		return &cprof_enomem;
	fprintf(svg->out, "<script id=\"data\" type=\"application/json\">{\"unit\":\"%s\",\"span\":%" PRIu64 ",\"offset\":%" PRIu64 ",\"threads\":[",
		svg->picture->hz > 0 ? "ns" : "ticks", svg->span_ns, offset);
	error = threads_data(svg);
	fputs("]", svg->out);
	if (!error)
		error = texts_data(svg, "names", svg->name_numbers, registry->nr_functions, svg->nr_names, false);
	if (!error)
		error = texts_data(svg, "sites", svg->site_numbers, registry->nr_sites, svg->nr_sites, true);
	fputs("}</script>\n", svg->out);
	return error;
}

static void svg_deinit(struct svg *svg)
{
	cprof_error_free(paths_close(svg));
	for (unsigned color = 0; color <= COLORS; color++)
		for (unsigned run = 0; run < 2; run++)
			free(svg->paths[color][run].text);
	free(svg->labels_text);
	free(svg->name_numbers);
	free(svg->site_numbers);
}

struct cprof_error *timeline_svg_write(FILE *out, const struct timeline_picture *picture)
{
	const struct timeline *timeline = picture->timeline;
	struct svg svg = { .out = out, .picture = picture, .timeline = timeline };
	unsigned height = HEADER + FOOTER;
	struct cprof_error *error;

	for (size_t i = 0; i < timeline->nr_threads; i++)
		height += thread_height(&timeline->threads[i]);
	if (timeline->first_ticks <= timeline->last_ticks) {
		svg.first_ticks = timeline->first_ticks;
		svg.span_ns = ticks_ns(&svg, timeline->last_ticks - timeline->first_ticks);
	}
	svg.span_ns = svg.span_ns ? svg.span_ns : 1;
	head_draw(&svg, height);
	threads_draw(&svg);
	axis_draw(&svg, height);
	error = calls_draw(&svg);
	if (!error) {
		foot_draw(&svg, height);
		error = data_write(&svg);
	}
	if (!error) {
		fputs("<script type=\"text/javascript\"><![CDATA[\n", out);
		fputs(timeline_script, out);
		fputs("]]></script>\n</svg>\n", out);
	}
	svg_deinit(&svg);
	return error;
}
