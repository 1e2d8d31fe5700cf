/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocations by context, and what was never freed; and the hot places of the processor. See kernel_views.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "kernel_facts.h"
#include "kernel_views.h"

struct alloc_row {
	struct fact_place place;
	struct cprof_alloc sums;
	uint64_t live_bytes, live_calls;
	bool detailed;             /* of the interposer: temporaries are known, and peaks as far as the flags say */
};

struct alloc_rows {
	struct alloc_row *items;
	size_t nr;
	uint64_t bytes, calls, live_bytes;
	bool by_live, rough;       /* rough: some peaks are */
};

static void row_finish(struct alloc_row *row)
{
	row->live_bytes = row->sums.bytes > row->sums.freed_bytes ? row->sums.bytes - row->sums.freed_bytes : 0;
	row->live_calls = row->sums.calls > row->sums.freed_calls ? row->sums.calls - row->sums.freed_calls : 0;
}

static struct alloc_row *row_of(struct alloc_rows *rows, const struct fact_place *place)
{
	for (size_t i = 0; i < rows->nr; i++)
		if (memcmp(&rows->items[i].place, place, sizeof *place) == 0)
			return &rows->items[i];
	rows->items[rows->nr].place = *place;
	return &rows->items[rows->nr++];
}

static int by_bytes(const void *left, const void *right)
{
	const struct alloc_row *a = left, *b = right;

	return a->sums.bytes != b->sums.bytes ? (a->sums.bytes < b->sums.bytes ? 1 : -1) : a->sums.calls < b->sums.calls ? 1 : -1;
}

static int by_live(const void *left, const void *right)
{
	const struct alloc_row *a = left, *b = right;

	return a->live_bytes != b->live_bytes ? (a->live_bytes < b->live_bytes ? 1 : -1) : a->sums.bytes < b->sums.bytes ? 1 : -1;
}

static struct cprof_error *alloc_rows_make(const struct profile *profile, bool leaks, struct alloc_rows *ret)
{
	const struct kernel_facts *facts = profile->kernel;
	const struct session *session = profile->kernel_names->session;
	struct alloc_rows rows = { .by_live = leaks };
	size_t most = facts->nr_sums;

	for (size_t i = 0; i < session_nr_traces(session); i++)
		most += trace_tables(session_trace(session, i))->nr_allocs;
	rows.items = calloc(most + 1, sizeof *rows.items);
	if (!rows.items)
		return &cprof_enomem;
	for (uint32_t t = 0; t < session_nr_traces(session); t++) {
		const struct trace_tables *tables = trace_tables(session_trace(session, t));

		for (size_t i = 0; i < tables->nr_allocs; i++) {
			struct alloc_row *row = &rows.items[rows.nr++];

			row->place.trace = t;
			row->place.context = tables->allocs[i].context;
			row->sums = tables->allocs[i];
			row->detailed = true;
			rows.rough |= row->sums.flags & CPROF_ALLOC_PEAK_ROUGH;
		}
	}
	for (size_t i = 0; i < facts->nr_sums; i++) {
		const struct sum_fact *fact = &facts->sums[i];
		struct alloc_row *row;

		if (fact->kind != CPROF_SUM_ALLOC && fact->kind != CPROF_SUM_FREE)
			continue;
		row = row_of(&rows, &fact->place);
		*(fact->kind == CPROF_SUM_ALLOC ? &row->sums.calls : &row->sums.freed_calls) += fact->count;
		*(fact->kind == CPROF_SUM_ALLOC ? &row->sums.bytes : &row->sums.freed_bytes) += fact->bytes;
	}
	for (size_t i = 0; i < rows.nr; i++) {
		row_finish(&rows.items[i]);
		rows.bytes += rows.items[i].sums.bytes;
		rows.calls += rows.items[i].sums.calls;
		rows.live_bytes += rows.items[i].live_bytes;
	}
	qsort(rows.items, rows.nr, sizeof *rows.items, leaks ? by_live : by_bytes);
	while (leaks && rows.nr && !rows.items[rows.nr - 1].live_bytes && !rows.items[rows.nr - 1].live_calls)
		rows.nr--;
	*ret = rows;
	return NULL;
}

/* Not of a process that was killed, nor of one that was probed. */
static bool knows_peaks(const struct alloc_row *row)
{
	return row->detailed && !(row->sums.flags & CPROF_ALLOC_PEAK_UNKNOWN);
}

static void alloc_json(const struct kernel_view *to, const struct alloc_row *row)
{
	json_line(to->json);
	json_begin_object(to->json, NULL);
	place_json(to, "context", &row->place);
	json_u64(to->json, "calls", row->sums.calls);
	json_u64(to->json, "bytes", row->sums.bytes);
	json_u64(to->json, "average_bytes", row->sums.calls ? row->sums.bytes / row->sums.calls : 0);
	json_u64(to->json, "freed_calls", row->sums.freed_calls);
	json_u64(to->json, "freed_bytes", row->sums.freed_bytes);
	json_u64(to->json, "leaked_calls", row->live_calls);
	json_u64(to->json, "leaked_bytes", row->live_bytes);
	if (row->detailed)
		json_u64(to->json, "temporary_calls", row->sums.temporary_calls);
	if (knows_peaks(row)) {
		json_u64(to->json, "peak_bytes", row->sums.peak_bytes);
		json_u64(to->json, "bytes_at_peak", row->sums.bytes_at_peak);
		json_text(to->json, "peaks", row->sums.flags & CPROF_ALLOC_PEAK_ROUGH ? "within 4096 bytes per thread" : "exact");
		json_u64(to->json, "failed_calls", row->sums.failed_calls);
	}
	json_end_object(to->json);
}

static void alloc_print(const struct kernel_view *to, const struct alloc_rows *rows, const struct alloc_row *row)
{
	uint64_t part = rows->by_live ? row->live_bytes : row->sums.bytes, calls = rows->by_live ? row->live_calls : row->sums.calls;
	const struct call_node *mark = NULL;
	char peak[64];

	fprintf(to->out, "%9s ", human_bytes(part).text);
	fprintf(to->out, "%5s ", human_percent(part, rows->by_live ? rows->live_bytes : rows->bytes).text);
	fprintf(to->out, "%10s ", human_count(calls).text);
	fprintf(to->out, "%9s ", human_bytes(calls ? part / calls : 0).text);
	snprintf(peak, sizeof peak, "%s%s", row->sums.flags & CPROF_ALLOC_PEAK_ROUGH ? "~" : "", human_bytes(row->sums.peak_bytes).text);
	fprintf(to->out, "%9s ", knows_peaks(row) ? peak : "-");
	if (rows->by_live)
		fprintf(to->out, "%9s\n", human_bytes(row->sums.bytes).text);
	else
		fprintf(to->out, "%9s %6s\n", row->live_bytes ? human_bytes(row->live_bytes).text : "0",
			row->detailed ? human_percent(row->sums.temporary_calls, row->sums.calls).text : "-");
	for (size_t i = 0; i < rows->nr && i < to->limit && !mark; i++)
		mark = place_difference(place_node(to->view->profile, &row->place), place_node(to->view->profile, &rows->items[i].place));
	place_text_marked(to, &row->place, mark, 4);
}

static struct cprof_error *allocations_show(const struct kernel_view *to, bool leaks)
{
	struct alloc_rows rows = { 0 };
	struct cprof_error *error = view_needs(to, METRIC_BIT(ALLOC_BYTES), "allocations were", "--memory");

	if (!error)
		error = alloc_rows_make(to->view->profile, leaks, &rows);
	if (error)
		return error;
	if (to->json) {
		json_begin_array(to->json, leaks ? "leaks" : "allocations");
	} else {
		fprintf(to->out, "%s in ", human_bytes(rows.bytes).text);
		fprintf(to->out, "%s allocations; ", human_count(rows.calls).text);
		fprintf(to->out, "%s never freed\n\n", human_bytes(rows.live_bytes).text);
		fputs(leaks ? "   leaked     %      calls   average      peak allocated\n" : "    bytes     %      calls   average      peak    leaked  temp%\n", to->out);
	}
	for (size_t i = 0; i < rows.nr && i < to->limit && !ferror(to->out); i++) {
		if (to->json)
			alloc_json(to, &rows.items[i]);
		else
			alloc_print(to, &rows, &rows.items[i]);
	}
	if (to->json)
		json_end_array(to->json);
	else if (rows.nr > to->limit)
		fprintf(to->out, "(%s more)\n", human_count(rows.nr - to->limit).text);
	if (!to->json && rows.rough)
		fputs("~: peak, in a process with several threads: exact to 4,096 bytes for each\n", to->out);
	free(rows.items);
	return NULL;
}

struct cprof_error *memory_view(const struct kernel_view *to)
{
	return allocations_show(to, false);
}

struct cprof_error *leaks_view(const struct kernel_view *to)
{
	return allocations_show(to, true);
}

/* --- cpu: leaves of the tree by the processor's time --- */

struct leaf_row {
	const struct call_node *node; /* the one with most of it */
	const char *name;
	bool sampled;
	uint64_t samples, sampled_ns, cpu_ns, top_ns;
};

static int leaf_by_name(const void *left, const void *right)
{
	const struct leaf_row *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : (int)a->sampled - (int)b->sampled;
}

static int leaf_by_weight(const void *left, const void *right)
{
	const struct leaf_row *a = left, *b = right;

	if (a->sampled_ns != b->sampled_ns)
		return a->sampled_ns < b->sampled_ns ? 1 : -1;
	return a->cpu_ns != b->cpu_ns ? (a->cpu_ns < b->cpu_ns ? 1 : -1) : strcmp(a->name, b->name);
}

static size_t leaves_make(const struct call_view *view, struct leaf_row *rows)
{
	size_t nr = 0, kept = 0, depth = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth)) {
		const struct call_metrics *metrics = node->numbers.metrics;
		uint64_t cpu_ns = metrics && view->profile->metrics & METRIC_BIT(CPU) ? metrics->self[METRIC_CPU] : 0;

		if (metrics && (metrics->self[METRIC_SAMPLES] || cpu_ns))
			rows[nr++] = (struct leaf_row){ node, node->name, node->kind == NODE_SAMPLED, metrics->self[METRIC_SAMPLES],
							metrics->self[METRIC_SAMPLED], cpu_ns, metrics->self[METRIC_SAMPLED] + cpu_ns };
	}
	qsort(rows, nr, sizeof *rows, leaf_by_name);
	for (size_t i = 0; i < nr; i++) {
		struct leaf_row *last = kept ? &rows[kept - 1] : NULL;

		if (!last || leaf_by_name(last, &rows[i]) != 0) {
			rows[kept++] = rows[i];
			continue;
		}
		last->samples += rows[i].samples;
		last->sampled_ns += rows[i].sampled_ns;
		last->cpu_ns += rows[i].cpu_ns;
		if (rows[i].top_ns > last->top_ns) {
			last->top_ns = rows[i].top_ns;
			last->node = rows[i].node;
		}
	}
	qsort(rows, kept, sizeof *rows, leaf_by_weight);
	return kept;
}

static void leaf_show(const struct kernel_view *to, const struct leaf_row *row, uint64_t all_samples)
{
	bool times = to->view->profile->metrics & METRIC_BIT(CPU);

	if (to->json) {
		json_line(to->json);
		json_begin_object(to->json, NULL);
		json_text(to->json, "name", row->name);
		json_text(to->json, "kind", row->sampled ? "sampled" : "function");
		json_u64(to->json, "samples", row->samples);
		json_u64(to->json, "sampled_ns", row->sampled_ns);
		if (times && !row->sampled)
			json_u64(to->json, "cpu_ns", row->cpu_ns);
		path_json(to->json, "hottest_path", row->node);
		json_end_object(to->json);
		return;
	}
	fprintf(to->out, "%8s %5s ", human_count(row->samples).text, human_percent(row->samples, all_samples).text);
	fprintf(to->out, "%8s ", human_ns(row->sampled_ns).text);
	fprintf(to->out, "%8s  ", times && !row->sampled ? human_ns(row->cpu_ns).text : "");
	text_print_name(to->style, to->out, row->name, to->style->width - 36);
	fputs(row->sampled ? " ~\n" : "\n", to->out);
	place_print(to, row->node, 4);
}

struct cprof_error *cpu_view(const struct kernel_view *to)
{
	struct cprof_error *error = view_needs(to, METRIC_BIT(SAMPLES) | METRIC_BIT(CPU), "time on the processor was", "--cpu");
	struct leaf_row *rows;
	uint64_t samples = 0;
	size_t nr;

	if (error)
		return error;
	rows = calloc(to->view->nodes + 1, sizeof *rows);
	if (!rows)
		return &cprof_enomem;
	nr = leaves_make(to->view, rows);
	for (size_t i = 0; i < nr; i++)
		samples += rows[i].samples;
	if (to->json)
		json_begin_array(to->json, "leaves");
	else
		fputs(" samples     %  sampled   on-CPU  where (and the path with most of it)\n", to->out);
	for (size_t i = 0; i < nr && i < to->limit && !ferror(to->out); i++)
		leaf_show(to, &rows[i], samples);
	if (to->json)
		json_end_array(to->json);
	else if (nr > to->limit)
		fprintf(to->out, "(%s more)\n", human_count(nr - to->limit).text);
	free(rows);
	return NULL;
}
