/* SPDX-License-Identifier: BSD-2-Clause */
#include "overview_report.h"
#include "call_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "kernel_facts.h"
#include "numbers_json.h"
#include "tree_report.h" /* call_site_text */

enum { BAR = 12, BAR_FROM_WIDTH = 90, PATH_INDENT = 4, PATH_ENDS = 6, NAME_LEAST = 16 };

static void print_title(FILE *out, const struct text_style *style, const char *title)
{
	fputc('\n', out);
	text_color(style, out, TEXT_BOLD);
	fputs(title, out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
}

static void print_amount(FILE *out, uint64_t count, const char *one, const char *many)
{
	fprintf(out, "%s %s", human_count(count).text, count == 1 ? one : many);
}

static void print_run(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;

	text_color(style, out, TEXT_BOLD);
	text_print(style, out, *run->command ? run->command : *run->exe ? run->exe : "(unknown command)", style->width);
	text_color(style, out, TEXT_PLAIN);
	if (!info->events && profile->kernel) { /* of programs without a runtime */
		fprintf(out, "\n  recorded by cprof-record, without calls: what the kernel saw, by process and stack\n  %s of records\n",
			human_bytes(info->trace_bytes).text);
		run_info_panel(out, style, run, profile);
		return;
	}
	fprintf(out, "\n  ran %s on ", human_ticks(profile, info->duration_ticks).text);
	print_amount(out, info->threads, "thread", "threads");
	if (info->processes > 1)
		fprintf(out, " of %s processes", human_count(info->processes).text);
	fputs(": ", out);
	print_amount(out, info->calls, "call", "calls");
	fputs(" (", out);
	print_amount(out, info->events, "event", "events");
	fputs(")\n  ", out);
	print_amount(out, profile->nr_functions, "function", "functions");
	fputs(" in ", out);
	print_amount(out, info->contexts, "calling context", "calling contexts");
	fprintf(out, ", %s of trace", human_bytes(info->trace_bytes).text);
	if (info->events)
		fprintf(out, " (%.2f bytes per event)", (double)info->trace_bytes / (double)info->events);
	fputc('\n', out);
	run_info_panel(out, style, run, profile);
}

static void print_share(FILE *out, const struct text_style *style, const struct call_view *view, uint64_t ticks)
{
	double fraction = human_fraction(ticks, view->root->numbers.total_ticks);

	text_color(style, out, fraction >= 0.2 ? TEXT_HOT : fraction >= 0.05 ? TEXT_WARM : TEXT_PLAIN);
	fprintf(out, "%6s ", human_percent(ticks, view->root->numbers.total_ticks).text);
	if (style->bars && style->width >= BAR_FROM_WIDTH) {
		text_bar(style, out, fraction, BAR);
		fputc(' ', out);
	}
	text_color(style, out, TEXT_PLAIN);
	fprintf(out, "%9s", human_ticks(view->profile, ticks).text);
}

static void print_functions(FILE *out, const struct text_style *style, const struct call_view *view, const struct call_row *rows, size_t count)
{
	unsigned bar = style->bars && style->width >= BAR_FROM_WIDTH ? BAR + 1 : 0;
	unsigned used = 6 + 1 + bar + 9 + 1 + 9 + 1 + 13 + 2;

	print_title(out, style, "Functions by self time");
	fprintf(out, " %%self ");
	text_pad(out, bar);
	fprintf(out, "%9s %9s %13s  function\n", "self", "total", "calls");
	for (size_t i = 0; i < count; i++) {
		print_share(out, style, view, rows[i].numbers.self_ticks);
		fprintf(out, " %9s %13s  ", human_ticks(view->profile, rows[i].numbers.total_ticks).text, human_count(rows[i].numbers.calls).text);
		text_print_name(style, out, rows[i].function->name, style->width - used);
		fputc('\n', out);
	}
}

/* One step of a call path with what leads to the next, on a new line when it does not fit. */
static void print_step(FILE *out, const struct text_style *style, const char *name, const char *site, unsigned *column)
{
	unsigned site_columns = *site ? text_columns(style, site) + 3 : 0, room = style->width - PATH_INDENT - 3;
	unsigned columns = text_columns(style, name), with;

	room = room > site_columns + NAME_LEAST ? room - site_columns : NAME_LEAST;
	columns = columns > room ? room : columns;
	with = columns + site_columns;
	if (*column > PATH_INDENT) {
		fputs(" >", out);
		*column += 2;
		if (*column + 1 + with + 2 > style->width) {
			fputc('\n', out);
			text_pad(out, PATH_INDENT);
			*column = PATH_INDENT;
		} else {
			fputc(' ', out);
			++*column;
		}
	}
	*column += text_print_name(style, out, name, columns);
	if (*site) {
		text_color(style, out, TEXT_DIM);
		fputs(" (", out);
		*column += text_print(style, out, site, TEXT_WIDTH_MAX) + 3;
		fputc(')', out);
		text_color(style, out, TEXT_PLAIN);
	}
}

/* The nodes from below the root to this one. NULL: no memory. */
static const struct call_node **path_of(const struct call_node *node, size_t *ret_depth)
{
	const struct call_node **path;
	size_t depth = 0, at = 0;

	for (const struct call_node *up = node; up && up->parent; up = up->parent)
		depth++;
	path = malloc((depth + 1) * sizeof *path);
	for (const struct call_node *up = node; path && up && up->parent; up = up->parent)
		path[depth - 1 - at++] = up;
	*ret_depth = depth;
	return path;
}

/* main > eval (main.c:12) > ...: each function with the place it was called from; long paths without their middle. */
static struct cprof_error *print_path(FILE *out, const struct text_style *style, const struct call_node *node)
{
	size_t depth;
	const struct call_node **path = path_of(node, &depth);
	unsigned column = PATH_INDENT;

	if (!path)
		return &cprof_enomem;
	text_pad(out, PATH_INDENT);
	for (size_t i = 0; i < depth; i++) {
		if (depth > 2 * PATH_ENDS + 1 && i == PATH_ENDS) {
			char left_out[48];

			snprintf(left_out, sizeof left_out, "[%s more]", human_count(depth - 2 * PATH_ENDS).text);
			print_step(out, style, left_out, "", &column);
			i = depth - PATH_ENDS;
		}
		print_step(out, style, path[i]->name, i ? call_site_text(path[i]).text : "", &column);
	}
	fputc('\n', out);
	free(path);
	return NULL;
}

/* The `count` contexts with most self time, most first. Returns how many there are. */
static size_t find_hottest(const struct call_view *view, const struct call_node **hottest, size_t count)
{
	size_t found = 0, depth = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth)) {
		size_t at = found;

		if (node->kind != NODE_FUNCTION || !node->numbers.self_ticks)
			continue;
		while (at && hottest[at - 1]->numbers.self_ticks < node->numbers.self_ticks)
			at--;
		if (at == count)
			continue;
		if (found < count)
			found++;
		memmove(hottest + at + 1, hottest + at, (found - 1 - at) * sizeof *hottest);
		hottest[at] = node;
	}
	return found;
}

static struct cprof_error *print_paths(FILE *out, const struct text_style *style, const struct call_view *view, size_t count)
{
	struct cprof_error *error = NULL;

	count = count < view->nodes ? count : view->nodes;
	const struct call_node **hottest = malloc((count + 1) * sizeof *hottest);
	if (!hottest)
		return &cprof_enomem;
	size_t found = find_hottest(view, hottest, count);
	if (found)
		print_title(out, style, "Hottest call paths by self time of the last function (in brackets: call sites)");
	for (size_t i = 0; i < found && !error; i++) {
		print_share(out, style, view, hottest[i]->numbers.self_ticks);
		fputs("  ", out);
		print_amount(out, hottest[i]->numbers.calls, "call", "calls");
		fputs(" of ", out);
		text_color(style, out, TEXT_BOLD);
		text_print_name(style, out, hottest[i]->name, style->width - 42);
		text_color(style, out, TEXT_PLAIN);
		fputc('\n', out);
		error = print_path(out, style, hottest[i]);
	}
	free(hottest);
	return error;
}

static struct cprof_error *path_json(struct json_writer *json, const struct call_view *view, const struct call_node *node)
{
	size_t depth;
	const struct call_node **path = path_of(node, &depth);

	if (!path)
		return &cprof_enomem;
	json_line(json);
	json_begin_object(json, NULL);
	numbers_json(json, view->profile, &node->numbers);
	json_double(json, "fraction", human_fraction(node->numbers.self_ticks, view->root->numbers.total_ticks));
	json_begin_array(json, "path");
	for (size_t i = 0; i < depth; i++) {
		json_begin_object(json, NULL);
		json_text(json, "name", path[i]->name);
		json_text(json, "file", path[i]->site_file);
		if (path[i]->site_file) {
			json_u64(json, "line", path[i]->site_line);
			json_u64(json, "column", path[i]->site_column);
		}
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
	free(path);
	return NULL;
}

struct cprof_error *overview_report_paths_json(struct json_writer *json, const char *key, const struct call_view *view, size_t paths)
{
	struct cprof_error *error = NULL;

	paths = paths < view->nodes ? paths : view->nodes;
	const struct call_node **hottest = malloc((paths + 1) * sizeof *hottest);
	if (!hottest)
		return &cprof_enomem;
	size_t found = find_hottest(view, hottest, paths);
	json_begin_array(json, key);
	for (size_t i = 0; i < found && !error; i++)
		error = path_json(json, view, hottest[i]);
	json_end_array(json);
	free(hottest);
	return error;
}

enum needs { NEEDS_NOTHING, NEEDS_CALLS, NEEDS_PATHS, NEEDS_ADVICE, NEEDS_WAITS, NEEDS_SAMPLES_ALONE, NEEDS_IO_ALONE };

/* ALONE: there are no calls, in which it would be told. */
static bool has(const struct profile *profile, enum needs needs)
{
	bool calls = profile->info.calls, samples = profile->metrics & METRIC_BIT(SAMPLES);

	switch (needs) {
	case NEEDS_NOTHING:
		return true;
	case NEEDS_CALLS:
		return calls;
	case NEEDS_PATHS:
		return calls || samples;
	case NEEDS_ADVICE:
		return calls && profile->kernel;
	case NEEDS_WAITS:
		return profile->kernel && (profile->metrics & METRIC_BIT(BLOCKED) || profile->kernel->nr_offs || profile->kernel->has_off_cpu);
	case NEEDS_SAMPLES_ALONE:
		return samples && !calls;
	case NEEDS_IO_ALONE:
		return profile->metrics & METRIC_BIT(IO_NS) && !calls;
	}
	return false;
}

static void print_next(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile)
{
	static const struct {
		const char *command, *what;
		enum needs needs;
	} steps[] = {
		{ "check", "what is damaged", NEEDS_NOTHING },
		{ "advise", "what is worth a change", NEEDS_ADVICE },
		{ "tree", "all of it, by call path", NEEDS_PATHS },
		{ "cpu", "what ran, by samples", NEEDS_SAMPLES_ALONE },
		{ "off-cpu", "who waited, and for what", NEEDS_WAITS },
		{ "io", "files, and how long they took", NEEDS_IO_ALONE },
		{ "flat --sort=total", "all functions", NEEDS_CALLS },
		{ "flamegraph -o flame.svg", "for the browser", NEEDS_PATHS },
	};
	enum { COMMAND_COLUMNS = 24 };
	bool titled = false;

	for (size_t i = run->nr_problems ? 0 : 1; i < sizeof steps / sizeof steps[0]; i++) {
		if (!has(profile, steps[i].needs))
			continue;
		if (!titled)
			print_title(out, style, "Next");
		titled = true;

		int padding = COMMAND_COLUMNS - (int)strlen(steps[i].command);

		fprintf(out, "  cprof-analyze %s", steps[i].command);
		run_info_operands(out, style, run);
		text_color(style, out, TEXT_DIM);
		fprintf(out, "%*s# %s\n", padding > 0 ? padding + 1 : 2, "", steps[i].what);
		text_color(style, out, TEXT_PLAIN);
	}
}

struct cprof_error *overview_report_text(FILE *out, const struct text_style *style, const struct run_info *run, const struct call_view *view,
					 size_t functions, size_t paths)
{
	struct call_row *rows;
	size_t count;
	struct cprof_error *error = call_rows_create(view, CALL_SORT_SELF, &rows, &count);

	if (error)
		return error;
	print_run(out, style, run, view->profile);
	if (count)
		print_functions(out, style, view, rows, count < functions ? count : functions);
	free(rows);
	error = print_paths(out, style, view, paths);
	if (error)
		return error;
	print_next(out, style, run, view->profile);
	return NULL;
}
