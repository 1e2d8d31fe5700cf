/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_page.h. */
#include "live_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"
#include "vec.h"

struct writing {
	struct live_page *page;
	const struct text_style *style;
	const struct live_snapshot *snapshot;
	const struct live_status *status;
	const struct live_namer *namer;
	struct live_control *control;
};

/* text is ours, name a stranger's, and cut where the line is full: it never breaks the page. */
static void add_name(struct writing *writing, enum live_line_kind kind, const char *text, const char *name)
{
	struct live_page *page = writing->page;
	struct live_line line = { NULL, kind };
	unsigned width = writing->style->width;
	size_t bytes, used = strlen(text) < width ? strlen(text) : width;
	FILE *out = open_memstream(&line.text, &bytes);

	if (!out) {
		page->failed = true;
		return;
	}
	fwrite(text, 1, used, out);
	text_print_name(writing->style, out, name, width - (unsigned)used);
	if (fclose(out) || !line.text || !vec_reserve(&page->lines, &page->capacity, page->count + 1, sizeof line)) {
		free(line.text);
		page->failed = true;
		return;
	}
	page->lines[page->count++] = line;
}

static void add(struct writing *writing, enum live_line_kind kind, const char *text)
{
	add_name(writing, kind, text, "");
}

static void say(struct writing *writing, enum live_line_kind kind, const char *format, ...) CPROF_PRINTF(3, 4);
static void say(struct writing *writing, enum live_line_kind kind, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (text)
		add(writing, kind, text);
	else
		writing->page->failed = true;
	free(text);
}

static void say_time(struct writing *writing, const char *mark)
{
	char text[128];
	bool total = writing->control->choice.total;
	uint64_t window_ns = writing->snapshot->end_ns - writing->snapshot->model.window_start_ns;

	snprintf(text, sizeof text, "%s%s%s  %s%s  ", mark, human_ns(writing->status->elapsed_ns / 1000000 * 1000000).text,
		 writing->status->ended ? ", ended" : "", total ? "since the start" : "last ",
		 total ? "" : human_ns(window_ns / 1000000 * 1000000).text);
	add_name(writing, LIVE_LINE_TITLE, text, writing->status->target);
}

static void say_top(struct writing *writing)
{
	static const char *const groups[] = { "functions", "call paths", "processes" };
	const struct live_control *control = writing->control;
	char tabs[256] = "";

	say_time(writing, "");
	for (unsigned i = 0; i < nr_live_views; i++)
		snprintf(tabs + strlen(tabs), sizeof tabs - strlen(tabs), i == control->choice.view ? "[%u %s] " : " %u %s  ", i + 1,
			 live_views[i].name);
	say(writing, LIVE_LINE_PLAIN, "%s %s%s%s%s%s", tabs, groups[control->choice.group], control->frozen ? "  FROZEN" : "",
	    control->editing || control->filter[0] ? "  filter: " : "", control->filter, control->editing ? "_" : "");
}

static const struct source_state *source_of(const struct live_status *status, const char *name)
{
	return status->sources ? record_source_state((struct source_state *)(uintptr_t)status->sources, name) : NULL;
}

static bool is_on(const struct writing *writing, const char *source)
{
	const struct source_state *state = source_of(writing->status, source);

	return !writing->status->sources || (state && state->on);
}

/* What is not recorded is not said to be 0. */
static void say_sums(struct writing *writing)
{
	const struct live_model *model = &writing->snapshot->model;
	bool total = writing->control->choice.total;
	const struct live_numbers *all = total ? &model->total : &model->now;
	uint64_t window_ns = writing->snapshot->end_ns - (total ? model->start_ns : model->window_start_ns);
	double seconds = (double)window_ns / 1e9;
	char cpu[64] = "", off_cpu[96] = "", faults[64] = "", memory[64] = "", io[96] = "", locks[64] = "";

	if (is_on(writing, "cpu"))
		snprintf(cpu, sizeof cpu, "CPU %.1f %% sampled (%" PRIu64 ")  ", window_ns ? (double)all->sampled_ns / 1e7 / seconds : 0,
			 all->samples);
	if (is_on(writing, "off-cpu"))
		snprintf(off_cpu, sizeof off_cpu, "off-CPU %s  run queue %s  ", human_ns(all->off_cpu_ns).text,
			 human_ns(all->runq_ns).text);
	if (is_on(writing, "faults"))
		snprintf(faults, sizeof faults, "faults %s  ", human_count(all->faults).text);
	if (is_on(writing, "memory"))
		snprintf(memory, sizeof memory, "alloc %.2f MB/s  ", window_ns ? (double)all->alloc_bytes / 1e6 / seconds : 0);
	if (is_on(writing, "io"))
		snprintf(io, sizeof io, "I/O %s calls %s  ", human_count(all->io_calls).text, human_bytes(all->io_bytes).text);
	if (is_on(writing, "locks"))
		snprintf(locks, sizeof locks, "locks %s", human_ns(all->wait_ns).text);
	say(writing, LIVE_LINE_DIM, "%s%s%s%s%s%s", cpu, off_cpu, faults, memory, io, locks);
}

/* A view without its source says why, instead of zeros. */
static void say_view(struct writing *writing, const struct live_view *view)
{
	const struct source_state *source = source_of(writing->status, view->needs);

	if (writing->status->sources && (!source || !source->on))
		say(writing, LIVE_LINE_BAD, "%s: not recorded: %s", view->name, source && source->why[0] ? source->why : "no such source");
	else
		say(writing, LIVE_LINE_DIM, "%s: %s", view->name, view->what);
}

static const char *text_of(const struct writing *writing, uint32_t id)
{
	return writing->namer->text(writing->namer->context, id);
}

/* Names get a third of the line; columns that find no room then are left out, from the right. */
static unsigned columns_shown(const struct writing *writing, const struct live_view *view, const struct live_rows *rows)
{
	unsigned columns = live_view_columns(view), width = writing->style->width, used = (rows->several ? 24 : 1) + width / 3, shown = 0;

	while (shown < columns && used + view->columns[shown].width + 2 <= width)
		used += view->columns[shown++].width + 2;
	return shown;
}

static void say_columns(struct writing *writing, const struct live_view *view, const struct live_rows *rows)
{
	unsigned columns = columns_shown(writing, view, rows), sorted = writing->control->choice.sorted;
	char text[512] = "";

	for (unsigned i = 0; i < columns; i++) {
		const struct live_column *column = &view->columns[i];
		char title[32];

		snprintf(title, sizeof title, "%s%s", i == sorted ? "*" : "", column->title);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%*s ", (int)column->width + 1, title);
	}
	say(writing, LIVE_LINE_HEAD, "%s%s%s", text, rows->several ? "    pid process         " : " ",
	    view->source == LIVE_FILES                          ? "kind      file"
	    : view->source == LIVE_LOCKS                        ? "who waits for what"
	    : writing->control->choice.group == LIVE_BY_PROCESS ? ""
	    : writing->control->choice.group == LIVE_BY_PATH    ? "function < callers"
								: "function");
}

static void say_row(struct writing *writing, const struct live_view *view, const struct live_rows *rows, const struct live_row *row)
{
	unsigned columns = columns_shown(writing, view, rows);
	bool by_process = view->source == LIVE_PLACES && writing->control->choice.group == LIVE_BY_PROCESS;
	char text[512] = "", process[32] = "";

	for (unsigned i = 0; i < columns; i++) {
		char value[32];

		live_column_print(&view->columns[i], &row->shown, &row->total, rows->window_ns, value, sizeof value);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%*s ", (int)view->columns[i].width + 1, value);
	}
	if (rows->several || by_process)
		snprintf(process, sizeof process, " %6u %-15s", row->tgid, row->process);
	for (char *at = process; *at; at++)
		*at = *at >= ' ' && *at < 0x7F ? *at : '?';
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", process);
	add_name(writing, LIVE_LINE_PLAIN, text, by_process ? "" : row->text ? row->text : text_of(writing, row->name));
}

/* --- latencies --- */

static const struct live_latency *latency_of(const struct writing *writing, unsigned group)
{
	const struct live_io *io = &writing->snapshot->model.io[group];

	return writing->control->choice.total ? &io->total : &io->now;
}

static void say_latency(struct writing *writing, const char *title, const unsigned *groups, unsigned nr,
			uint64_t (*value)(const struct live_latency *), bool times)
{
	char text[512];

	snprintf(text, sizeof text, "%-19s", title);
	for (unsigned i = 0; i < nr; i++) {
		const struct live_latency *latency = latency_of(writing, groups[i]);
		uint64_t number = value(latency);

		snprintf(text + strlen(text), sizeof text - strlen(text), " %10s",
			 !number ? "-"
			 : times ? human_ns(number).text
				 : human_count(number).text);
	}
	add(writing, LIVE_LINE_PLAIN, text);
}

static uint64_t latency_count(const struct live_latency *latency) { return latency->count; }
static uint64_t latency_slow(const struct live_latency *latency) { return latency->slow; }
static uint64_t latency_max(const struct live_latency *latency) { return latency->max_ns; }
static uint64_t latency_p50(const struct live_latency *latency) { return live_latency_percentile(latency, 50); }
static uint64_t latency_p90(const struct live_latency *latency) { return live_latency_percentile(latency, 90); }
static uint64_t latency_p99(const struct live_latency *latency) { return live_latency_percentile(latency, 99); }
static uint64_t latency_average(const struct live_latency *latency) { return latency->count ? latency->ns / latency->count : 0; }

static void say_bucket(struct writing *writing, unsigned bucket, const unsigned *groups, unsigned nr)
{
	char text[512];

	snprintf(text, sizeof text, "%8s .. %-7s", bucket ? human_ns(1ull << bucket).text : "0",
		 bucket == CPROF_SUM_BUCKETS - 1 ? "" : human_ns(2ull << bucket).text);
	for (unsigned i = 0; i < nr; i++) {
		uint64_t count = latency_of(writing, groups[i])->buckets[bucket];

		snprintf(text + strlen(text), sizeof text - strlen(text), " %10s", count ? human_count(count).text : "-");
	}
	add(writing, LIVE_LINE_PLAIN, text);
}

static void say_latencies(struct writing *writing, bool buckets)
{
	unsigned groups[LIVE_IO_COUNT], nr = 0, first = CPROF_SUM_BUCKETS, last = 0;
	char head[256];

	snprintf(head, sizeof head, "%-19s", "");
	for (unsigned group = 0; group < LIVE_IO_COUNT; group++) {
		if (!latency_of(writing, group)->count && !latency_of(writing, group)->slow)
			continue;
		groups[nr++] = group;
		snprintf(head + strlen(head), sizeof head - strlen(head), " %10s", live_io_names[group]);
		for (unsigned bucket = 0; bucket < CPROF_SUM_BUCKETS; bucket++) {
			if (!latency_of(writing, group)->buckets[bucket])
				continue;
			first = bucket < first ? bucket : first;
			last = bucket > last ? bucket : last;
		}
	}
	if (!nr) {
		add(writing, LIVE_LINE_PLAIN, "  no I/O");
		return;
	}
	add(writing, LIVE_LINE_HEAD, head);
	say_latency(writing, "count", groups, nr, latency_count, false);
	say_latency(writing, "average", groups, nr, latency_average, true);
	say_latency(writing, "p50, at most", groups, nr, latency_p50, true);
	say_latency(writing, "p90, at most", groups, nr, latency_p90, true);
	say_latency(writing, "p99, at most", groups, nr, latency_p99, true);
	say_latency(writing, "longest", groups, nr, latency_max, true);
	if (writing->status->slow_exact)
		say_latency(writing, ">= 10 ms", groups, nr, latency_slow, false);
	else
		add(writing, LIVE_LINE_DIM, ">= 10 ms            not recorded one by one: --io-threshold is above it");
	for (unsigned bucket = first; buckets && bucket <= last; bucket++)
		say_bucket(writing, bucket, groups, nr);
}

/* --- the page --- */

static void say_bottom(struct writing *writing, bool keys)
{
	const struct live_status *status = writing->status;
	const uint64_t *qualities = writing->snapshot->model.qualities;
	uint64_t exact = qualities[CPROF_QUALITY_SLOT] + qualities[CPROF_QUALITY_TLS] + qualities[CPROF_QUALITY_SAVED], all = 0;
	char contexts[128] = "no events";

	for (unsigned i = 0; i < 8; i++)
		all += qualities[i];
	if (all)
		snprintf(contexts, sizeof contexts, "context exact: %s %% of %s", human_percent(exact, all).text, human_count(all).text);
	say(writing, status->lost || writing->snapshot->model.dropped ? LIVE_LINE_BAD : LIVE_LINE_DIM,
	    "lost %s%s%s%s  not kept here %s  %s  recorder %.2f %% of a CPU", human_count(status->lost).text,
	    status->lost ? " (most: " : "", status->lost ? status->lost_most : "", status->lost ? ")" : "",
	    human_count(writing->snapshot->model.dropped).text, contexts,
	    status->own_wall_ns ? 100.0 * (double)status->own_cpu_ns / (double)status->own_wall_ns : 0);
	if (keys)
		add(writing, LIVE_LINE_DIM, live_control_keys);
}

static void say_rows(struct writing *writing, size_t most)
{
	const struct live_view *view = &live_views[writing->control->choice.view];
	struct live_control *control = writing->control;
	struct live_rows rows;
	size_t lines = 0;

	if (!live_rows_build(writing->snapshot, writing->namer, &control->choice, &rows)) {
		writing->page->failed = true;
		return;
	}
	say_columns(writing, view, &rows);
	control->page = most ? most : 1;
	if (control->scroll >= rows.count)
		control->scroll = rows.count ? rows.count - 1 : 0;
	for (size_t i = control->scroll; i < rows.count && lines < most; i++, lines++)
		say_row(writing, view, &rows, &rows.rows[i]);
	if (!rows.count)
		add(writing, LIVE_LINE_DIM, control->filter[0] ? "  nothing that the filter lets through" : "  nothing yet");
	live_rows_deinit(&rows);
}

static void make_terminal(struct writing *writing, unsigned height)
{
	const struct live_view *view = &live_views[writing->control->choice.view];
	enum { BOTTOM = 2 };

	say_top(writing);
	say_sums(writing);
	say_view(writing, view);
	if (writing->control->help) {
		for (const char *const *line = live_control_help; *line; line++)
			add(writing, LIVE_LINE_PLAIN, *line);
	} else if (view->source == LIVE_LATENCIES) {
		say_latencies(writing, true);
	} else {
		size_t used = writing->page->count + 1 + BOTTOM;

		say_rows(writing, height > used ? height - used : 0);
	}
	while (writing->page->count + BOTTOM > height && writing->page->count > 1)
		free(writing->page->lines[--writing->page->count].text);
	while (writing->page->count + BOTTOM < height && !writing->page->failed)
		add(writing, LIVE_LINE_PLAIN, "");
	say_bottom(writing, true);
}

static void make_text(struct writing *writing, size_t most)
{
	struct live_control *control = writing->control;

	say_time(writing, "--- ");
	say_sums(writing);
	for (unsigned i = 0; i < nr_live_views; i++) {
		const struct source_state *source = source_of(writing->status, live_views[i].needs);

		if (writing->status->sources && (!source || !source->on))
			continue;
		control->choice.view = i;
		control->choice.sorted = live_views[i].sorted;
		control->scroll = 0;
		say_view(writing, &live_views[i]);
		if (live_views[i].source == LIVE_LATENCIES)
			say_latencies(writing, most >= CPROF_SUM_BUCKETS / 4);
		else
			say_rows(writing, most);
	}
	say_bottom(writing, false);
}

void live_page_make(struct live_page *page, const struct text_style *style, unsigned height, size_t rows,
		    const struct live_snapshot *snapshot, const struct live_status *status, const struct live_namer *namer,
		    struct live_control *control)
{
	struct writing writing = { page, style, snapshot, status, namer, control };

	if (height)
		make_terminal(&writing, height);
	else
		make_text(&writing, rows);
}

void live_page_deinit(struct live_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->lines[i].text);
	free(page->lines);
	*page = (struct live_page){ .lines = NULL };
}
