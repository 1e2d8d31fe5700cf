/* SPDX-License-Identifier: BSD-2-Clause */
#include "tree_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "numbers_json.h"

enum { SITE_COLUMNS = 18, BAR_COLUMNS = 10, BAR_FROM_WIDTH = 100, NAME_LEAST = 8 };

struct tree_text {
	FILE *out;
	const struct text_style *style;
	const struct call_view *view;
	const struct tree_limits *limits;
	struct report_columns columns;
	unsigned name_columns, site_columns, bar_columns;
	unsigned indent;        /* columns per level */
	size_t drawn_levels;    /* deeper nodes start with their depth instead of lines */
	bool wide;              /* say of recursion how much of it there is */
	bool any_recursive, any_sampled; /* a mark has been printed */
	char *more;             /* more[d]: the node of the path at depth d has siblings below it */
	size_t more_capacity;
};

bool tree_shows(const struct call_view *view, const struct tree_limits *limits, const struct call_node *node, size_t depth)
{
	return depth <= limits->depth &&
	       (limits->min_percent <= 0 || 100 * human_fraction(call_node_weight(view, node), call_node_weight(view, view->root)) >= limits->min_percent);
}

struct site_text call_site_text(const struct call_node *node)
{
	struct site_text site = { "" };

	if (node->kind == NODE_SAMPLED) { /* where the frame is, if its name does not say it */
		const char *module = text_base_name(node->site_module);

		if (strncmp(node->name, module, strlen(module)) != 0)
			snprintf(site.text, sizeof site.text, "%.100s", module);
		return site;
	}
	if (node->site_file && node->site_line)
		snprintf(site.text, sizeof site.text, "%.100s:%" PRIu32, text_base_name(node->site_file), node->site_line);
	else if (node->site_file)
		snprintf(site.text, sizeof site.text, "%.120s", text_base_name(node->site_file));
	else if (node->site_module && *node->site_module)
		snprintf(site.text, sizeof site.text, "%.100s+0x%" PRIx64, text_base_name(node->site_module), node->site_address);
	else if (node->site_module && node->site_address)
		snprintf(site.text, sizeof site.text, "0x%" PRIx64, node->site_address);
	return site;
}

static enum text_color heat(double fraction)
{
	return fraction >= 0.2 ? TEXT_HOT : fraction >= 0.05 ? TEXT_WARM : TEXT_PLAIN;
}

/* The lines of the ancestors of a node at depth: "| " where more is to come. Depth 0 and 1 stand at the margin. */
static unsigned print_ancestors(struct tree_text *text, size_t depth)
{
	const char *through = text->style->unicode ? "\u2502" : "|";

	for (size_t level = 2; level < depth; level++) {
		fputs(text->more[level] ? through : " ", text->out);
		text_pad(text->out, text->indent - 1);
	}
	return depth > 2 ? (unsigned)(depth - 2) * text->indent : 0;
}

static bool lines_are_drawn(const struct tree_text *text, size_t depth)
{
	return depth >= 2 && depth - 1 <= text->drawn_levels;
}

/* What stands before a name, and the columns it takes. */
static unsigned print_lines(struct tree_text *text, size_t depth, bool last)
{
	const char *corner = text->style->unicode ? "\u2514" : "`", *branch = text->style->unicode ? "\u251c" : "|",
		   *dash = text->style->unicode ? "\u2500" : "-";
	unsigned used;

	if (depth < 2)
		return 0;
	text_color(text->style, text->out, TEXT_DIM);
	if (!lines_are_drawn(text, depth)) {
		used = (unsigned)fprintf(text->out, "[%zu] ", depth);
	} else {
		used = print_ancestors(text, depth) + text->indent;
		fputs(last ? corner : branch, text->out);
		for (unsigned i = 1; i < text->indent; i++)
			fputs(dash, text->out);
	}
	text_color(text->style, text->out, TEXT_PLAIN);
	return used;
}

static void print_blank_columns(struct tree_text *text)
{
	text_pad(text->out, report_columns_width(&text->columns) + text->bar_columns + 1);
}

static void print_percent(struct tree_text *text, const struct call_node *node, const struct report_column *column)
{
	double fraction = human_fraction(call_node_weight(text->view, node), call_node_weight(text->view, text->view->root));

	text_color(text->style, text->out, heat(fraction));
	fprintf(text->out, "%*s", (int)column->width, report_column_text(text->view, node, &node->numbers, column).text);
	text_color(text->style, text->out, TEXT_PLAIN);
	if (text->bar_columns) {
		fputc(' ', text->out);
		text_color(text->style, text->out, heat(fraction));
		text_bar(text->style, text->out, fraction, text->bar_columns - 1);
		text_color(text->style, text->out, TEXT_PLAIN);
	}
}

static void print_numbers(struct tree_text *text, const struct call_node *node)
{
	for (size_t i = 0; i < text->columns.nr; i++) {
		const struct report_column *column = &text->columns.items[i];

		if (column->kind == COLUMN_PERCENT)
			print_percent(text, node, column);
		else
			fprintf(text->out, "%*s", (int)column->width, report_column_text(text->view, node, &node->numbers, column).text);
		fputc(' ', text->out);
	}
	fputc(' ', text->out);
}

/* The start of a line of notes below a node. */
static unsigned print_notes_margin(struct tree_text *text, size_t depth, bool last)
{
	const char *through = text->style->unicode ? "\u2502" : "|";
	unsigned used = 0;

	print_blank_columns(text);
	text_color(text->style, text->out, TEXT_DIM);
	if (lines_are_drawn(text, depth)) {
		used = print_ancestors(text, depth) + text->indent;
		fputs(last ? " " : through, text->out);
		text_pad(text->out, text->indent - 1);
	}
	return used + (unsigned)fprintf(text->out, "  ");
}

enum { NOTES_MAX = 5, NOTE_BYTES = 64 };

struct tree_notes { /* what is unusual about a node */
	char texts[NOTES_MAX][NOTE_BYTES];
	size_t count;
	unsigned columns; /* of "(a, b)" */
};

static struct tree_notes make_notes(const struct tree_text *text, const struct call_node *node)
{
	const struct call_numbers *numbers = &node->numbers;
	struct tree_notes notes = { .count = 0 };

	if (node->kind != NODE_FUNCTION)
		return notes;
	if (text->wide && node->recursive_calls)
		snprintf(notes.texts[notes.count++], NOTE_BYTES, "+%s recursive call%s", human_count(node->recursive_calls).text,
			 node->recursive_calls == 1 ? "" : "s");
	if (text->wide && numbers->span_ticks != numbers->total_ticks && !text->view->filtered)
		snprintf(notes.texts[notes.count++], NOTE_BYTES, "span %s", human_ticks(text->view->profile, numbers->span_ticks).text);
	if (text->wide && numbers->suspended_total_ticks)
		snprintf(notes.texts[notes.count++], NOTE_BYTES, "suspended %s", human_ticks(text->view->profile, numbers->suspended_total_ticks).text);
	if (numbers->open)
		snprintf(notes.texts[notes.count++], NOTE_BYTES, "%s not ended", human_count(numbers->open).text);
	if (numbers->repaired)
		snprintf(notes.texts[notes.count++], NOTE_BYTES, "%s without exit", human_count(numbers->repaired).text);
	for (size_t i = 0; i < notes.count; i++)
		notes.columns += (unsigned)strlen(notes.texts[i]) + 2;
	return notes;
}

/* In lines of their own below the node. */
static void print_notes(struct tree_text *text, const struct tree_notes *notes, size_t depth, bool last)
{
	unsigned column = 0;

	for (size_t i = 0; i < notes->count; i++) {
		if (column && column + 2 + strlen(notes->texts[i]) + 1 <= text->name_columns) {
			column += (unsigned)fprintf(text->out, ", %s", notes->texts[i]);
			continue;
		}
		if (i)
			fputs(",\n", text->out);
		column = print_notes_margin(text, depth, last);
		column += (unsigned)fprintf(text->out, "%s%s", i ? "" : "(", notes->texts[i]);
	}
	fputc(')', text->out);
	text_color(text->style, text->out, TEXT_PLAIN);
	fputc('\n', text->out);
}

static void print_notes_inline(struct tree_text *text, const struct tree_notes *notes)
{
	text_color(text->style, text->out, TEXT_DIM);
	for (size_t i = 0; i < notes->count; i++)
		fprintf(text->out, "%s%s", i ? ", " : " (", notes->texts[i]);
	fputc(')', text->out);
	text_color(text->style, text->out, TEXT_PLAIN);
}

/* Heavily recursive trees would be half notes, so that it is recursive must do. */
static unsigned print_recursion_mark(struct tree_text *text)
{
	text_color(text->style, text->out, TEXT_DIM);
	fputs(" *", text->out);
	text_color(text->style, text->out, TEXT_PLAIN);
	text->any_recursive = true;
	return 2;
}

static unsigned print_sampled_mark(struct tree_text *text)
{
	fputs(" ~", text->out);
	text->any_sampled = true;
	return 2;
}

static void print_node(struct tree_text *text, const struct call_node *node, size_t depth, bool last)
{
	struct site_text site = call_site_text(node);
	struct tree_notes notes = make_notes(text, node);
	unsigned site_used = text_columns(text->style, site.text);
	unsigned room = text->name_columns, used;

	print_numbers(text, node);
	used = print_lines(text, depth, last);
	if (site_used > text->site_columns)
		site_used = text->site_columns;
	room = room > used ? room - used : 0;
	if (site_used && room < NAME_LEAST + 1 + site_used) /* deep in the tree: a part of the site is better than a line that is too long */
		site_used = room > NAME_LEAST + 1 + NAME_LEAST ? room - NAME_LEAST - 1 : site_used < NAME_LEAST ? site_used : NAME_LEAST;
	if (site_used)
		room = room > site_used + 1 ? room - site_used - 1 : 0;
	if (room < NAME_LEAST)
		room = NAME_LEAST;
	if (node->kind != NODE_FUNCTION)
		text_color(text->style, text->out, node->kind == NODE_SAMPLED ? TEXT_DIM : TEXT_BOLD);
	bool marked = node->recursive_calls && !text->wide, sampled = node->kind == NODE_SAMPLED;
	unsigned printed = text_print_name(text->style, text->out, node->name, marked || sampled ? room - 2 : room);
	if (marked)
		printed += print_recursion_mark(text);
	if (sampled)
		printed += print_sampled_mark(text);
	if (node->kind != NODE_FUNCTION)
		text_color(text->style, text->out, TEXT_PLAIN);
	if (notes.count && printed + 1 + notes.columns <= room) {
		print_notes_inline(text, &notes);
		printed += 1 + notes.columns;
		notes.count = 0;
	}
	if (site_used) {
		text_pad(text->out, text->style->width < TEXT_WIDTH_MAX && room >= printed ? room - printed + 1 : 2);
		text_color(text->style, text->out, TEXT_DIM);
		text_print(text->style, text->out, site.text, site_used);
		text_color(text->style, text->out, TEXT_PLAIN);
	}
	fputc('\n', text->out);
	if (notes.count)
		print_notes(text, &notes, depth, last);
}

/* The line that stands for the children that limits hide. */
static void print_hidden(struct tree_text *text, size_t depth, uint64_t count, uint64_t ticks)
{
	print_blank_columns(text);
	print_lines(text, depth, true);
	text_color(text->style, text->out, TEXT_DIM);
	fprintf(text->out, "(%s more, %s %%)", human_count(count).text, human_percent(ticks, call_node_weight(text->view, text->view->root)).text);
	text_color(text->style, text->out, TEXT_PLAIN);
	fputc('\n', text->out);
}

static const struct call_node *next_shown(const struct tree_text *text, const struct call_node *node, size_t depth)
{
	while (node && !tree_shows(text->view, text->limits, node, depth))
		node = node->next_sibling;
	return node;
}

/* Whether children at depth are hidden and worth a line: together they take at least a tenth of what makes a node worth one. */
static bool has_hidden_children(const struct tree_text *text, const struct call_node *node, size_t depth, uint64_t *count, uint64_t *ticks)
{
	*count = *ticks = 0;
	for (const struct call_node *child = node->first_child; child; child = child->next_sibling) {
		bool counts = child->kind != NODE_SAMPLED || !text->view->root->numbers.total_ticks; /* else they are in their caller's self */

		if (counts && !tree_shows(text->view, text->limits, child, depth)) {
			++*count;
			*ticks += call_node_weight(text->view, child);
		}
	}
	return *count && 100 * human_fraction(*ticks, call_node_weight(text->view, text->view->root)) >= text->limits->min_percent / 10;
}

static struct cprof_error *reserve_depth(struct tree_text *text, size_t depth)
{
	if (depth < text->more_capacity)
		return NULL;
	size_t capacity = text->more_capacity ? 2 * text->more_capacity : 64;
	char *more = realloc(text->more, capacity);
	if (!more)
		return &cprof_enomem;
	text->more = more;
	text->more_capacity = capacity;
	return NULL;
}

static struct cprof_error *print_tree(struct tree_text *text)
{
	const struct call_node *node = text->view->root;
	uint64_t count, ticks;
	size_t depth = 0;

	while (node) {
		const struct call_node *sibling = depth ? next_shown(text, node->next_sibling, depth) : NULL;
		struct cprof_error *error = reserve_depth(text, depth + 1);

		if (error)
			return error;
		text->more[depth] = sibling || (depth && has_hidden_children(text, node->parent, depth, &count, &ticks));
		print_node(text, node, depth, !text->more[depth]);

		const struct call_node *child = next_shown(text, node->first_child, depth + 1);
		if (child) {
			node = child;
			depth++;
			continue;
		}
		if (has_hidden_children(text, node, depth + 1, &count, &ticks))
			print_hidden(text, depth + 1, count, ticks);
		while (depth && !(sibling = next_shown(text, node->next_sibling, depth))) {
			if (has_hidden_children(text, node->parent, depth, &count, &ticks))
				print_hidden(text, depth, count, ticks);
			node = node->parent;
			depth--;
		}
		if (ferror(text->out))
			return NULL; /* said when the output is closed */
		node = depth ? sibling : NULL;
	}
	return NULL;
}

/* Numbers and indentation are as wide as what is shown needs. */
static void lay_out(struct tree_text *text)
{
	size_t depth = 0, deepest = 0;
	unsigned widest_site = 0;

	for (const struct call_node *node = text->view->root; node; ) {
		bool shown = !depth || tree_shows(text->view, text->limits, node, depth);

		if (shown) {
			unsigned site = text_columns(text->style, call_site_text(node).text);

			for (size_t i = 0; i < text->columns.nr; i++)
				report_column_widen(&text->columns.items[i], report_column_text(text->view, node, &node->numbers, &text->columns.items[i]).text);
			widest_site = site > widest_site ? site : widest_site;
			deepest = depth > deepest ? depth : deepest;
		}
		node = call_node_next(text->view->root, node, !shown, &depth);
	}
	bool percent = false;

	for (size_t i = 0; i < text->columns.nr; i++)
		percent |= text->columns.items[i].kind == COLUMN_PERCENT;
	text->bar_columns = percent && text->style->bars && text->style->width >= BAR_FROM_WIDTH ? BAR_COLUMNS : 0;
	unsigned numbers = report_columns_width(&text->columns) + text->bar_columns + 1;
	text->name_columns = text->style->width > numbers + 20 ? text->style->width - numbers : 20;
	text->site_columns = text->style->width >= TEXT_WIDTH_MAX ? TEXT_WIDTH_MAX : text->name_columns / 3 > SITE_COLUMNS ? text->name_columns / 3 : SITE_COLUMNS;
	text->site_columns = widest_site < text->site_columns ? widest_site : text->site_columns;
	text->indent = deepest * 2 <= text->name_columns / 2 ? 2 : 1;
	text->drawn_levels = text->name_columns / 2 / text->indent;
}

static void print_header(struct tree_text *text)
{
	unsigned site = text->site_columns;

	text_color(text->style, text->out, TEXT_BOLD);
	for (size_t i = 0; i < text->columns.nr; i++) {
		const struct report_column *column = &text->columns.items[i];
		char head[32];

		fprintf(text->out, "%*s ", (int)column->width, report_column_head(column, head, sizeof head));
		if (column->kind == COLUMN_PERCENT)
			text_pad(text->out, text->bar_columns);
	}
	fputs(" function", text->out);
	if (site >= 11 && text->style->width < TEXT_WIDTH_MAX && text->name_columns > 8 + 11) {
		text_pad(text->out, text->name_columns - 8 - 11);
		fputs("called from", text->out);
	}
	text_color(text->style, text->out, TEXT_PLAIN);
	fputc('\n', text->out);
}

void tree_report_columns(const struct profile *profile, unsigned width, struct report_columns *ret)
{
	static const enum call_metric more[] = { METRIC_RUNQ, METRIC_ALLOC_BYTES, METRIC_IO_BYTES, METRIC_SAMPLES };
	bool wall = profile->root->numbers.total_ticks > 0, times = profile->metrics & METRIC_BIT(CPU);
	unsigned left = width > 100 ? width - 100 : 0;

	ret->nr = 0;
	if (wall) {
		report_columns_add(ret, COLUMN_TOTAL);
		report_columns_add(ret, COLUMN_PERCENT);
		report_columns_add(ret, COLUMN_SELF);
	}
	if (wall && times) {
		report_columns_add_metric(ret, METRIC_CPU, false);
		report_columns_add_metric(ret, METRIC_BLOCKED, false);
	} else if (profile->metrics & METRIC_BIT(SAMPLES)) {
		report_columns_add_metric(ret, METRIC_SAMPLED, false);
		report_columns_add_metric(ret, METRIC_SAMPLES, false);
	}
	for (size_t i = 0; i < sizeof more / sizeof *more && left >= 10; i++) {
		if (!(profile->metrics & 1u << more[i]) || (!(wall && times) && more[i] == METRIC_SAMPLES))
			continue;
		report_columns_add_metric(ret, more[i], false);
		left -= 10;
	}
	if (wall || !ret->nr)
		report_columns_add(ret, COLUMN_CALLS);
}

struct cprof_error *tree_report_text(FILE *out, const struct text_style *style, const struct call_view *view, const struct tree_limits *limits,
				    const struct report_columns *columns, bool wide)
{
	struct tree_text text = { .out = out, .style = style, .view = view, .limits = limits, .wide = wide };
	struct cprof_error *error;

	if (columns)
		text.columns = *columns;
	else
		tree_report_columns(view->profile, style->width, &text.columns);
	lay_out(&text);
	print_header(&text);
	error = print_tree(&text);
	if (text.any_recursive)
		fputs("* called again from deeper in its own path, which counts here (--wide: how often)\n", out);
	if (text.any_sampled)
		fputs("~ met by samples below the recorded function above it, in whose self its time is\n", out);
	free(text.more);
	return error;
}

static const char *kind_name(enum call_node_kind kind)
{
	static const char *const names[] = { "root", "process", "thread", "function", "overflow", "sampled" };

	return names[kind];
}

static void json_site(struct json_writer *json, const struct call_node *node)
{
	if (node->site_file) {
		json_begin_object(json, "site");
		json_text(json, "file", node->site_file);
		json_u64(json, "line", node->site_line);
		json_u64(json, "column", node->site_column);
		json_end_object(json);
	} else if (node->kind == NODE_SAMPLED) {
		json_begin_object(json, "site"); /* of the frame itself: who called it is not known */
		json_text(json, "module", node->site_module);
		json_end_object(json);
	} else if (node->kind == NODE_FUNCTION && node->site_module) {
		json_begin_object(json, "site");
		json_text(json, "module", node->site_module);
		json_u64(json, "offset", node->site_address);
		json_end_object(json);
	} else {
		json_null(json, "site");
	}
}

static void json_open_node(struct json_writer *json, const char *key, const struct call_view *view, const struct call_node *node)
{
	json_begin_object(json, key);
	json_text(json, "name", node->name);
	json_text(json, "kind", kind_name(node->kind));
	json_site(json, node);
	numbers_json(json, view->profile, &node->numbers);
	if (node->recursive_calls)
		json_u64(json, "recursive_calls", node->recursive_calls);
	json_double(json, "fraction", human_fraction(node->numbers.total_ticks, view->root->numbers.total_ticks));
	json_begin_array(json, "children");
}

static void json_close_node(struct json_writer *json)
{
	json_end_array(json);
	json_end_object(json);
}

void tree_report_json(struct json_writer *json, const char *key, const struct call_view *view, const struct tree_limits *limits)
{
	const struct call_node *node = view->root;
	size_t depth = 0, open = 0; /* open: nodes whose object is not ended */

	while (node && !ferror(json->out)) {
		bool shown = !depth || tree_shows(view, limits, node, depth);

		for (; open > depth; open--)
			json_close_node(json);
		if (shown) {
			if (depth)
				json_line(json);
			json_open_node(json, depth ? NULL : key, view, node);
			open++;
		}
		node = call_node_next(view->root, node, !shown, &depth);
	}
	while (open--)
		json_close_node(json);
}

void tree_report_csv(FILE *out, const struct call_view *view, const struct tree_limits *limits)
{
	size_t depth = 0;

	fputs("depth,kind,name,site_file,site_line,site_column," NUMBERS_CSV_HEADER ",recursive_calls,fraction", out);
	metrics_csv_header(out, view->profile->metrics);
	fputs("\r\n", out);
	for (const struct call_node *node = view->root; node && !ferror(out); ) {
		bool shown = !depth || tree_shows(view, limits, node, depth);

		if (shown) {
			fprintf(out, "%zu,%s,", depth, kind_name(node->kind));
			csv_text(out, node->name);
			fputc(',', out);
			csv_text(out, node->site_file ? node->site_file : node->site_module);
			fprintf(out, ",%" PRIu32 ",%" PRIu32 ",", node->site_file ? node->site_line : 0, node->site_file ? node->site_column : 0);
			numbers_csv(out, view->profile, &node->numbers);
			fprintf(out, ",%" PRIu64 ",%.10g", node->recursive_calls,
				human_fraction(node->numbers.total_ticks, view->root->numbers.total_ticks));
			metrics_csv(out, view->profile->metrics, node->numbers.metrics);
			fputs("\r\n", out);
		}
		node = call_node_next(view->root, node, !shown, &depth);
	}
}
