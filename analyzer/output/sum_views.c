/* SPDX-License-Identifier: BSD-2-Clause */
/* Waits for locks, and I/O: tables over the kernel's sums, with latency distributions. See kernel_views.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "calls_scope.h"
#include "kernel_facts.h"
#include "kernel_views.h"
#include "syscall_names.h"

struct latency { /* of facts taken together */
	uint64_t count, ns, max_ns, bytes;
	uint64_t histogram[CPROF_SUM_BUCKETS];
};

struct sum_row {
	struct latency latency;
	const struct sum_fact *fact; /* the first of the row: what they have in common */
};

struct sum_rows {
	struct sum_row *items;
	size_t nr;
	struct latency all;
	struct latency own; /* the profiler's: in no row */
};

static void latency_add(struct latency *latency, const struct sum_fact *fact)
{
	latency->count += fact->count;
	latency->ns += fact->ns;
	latency->max_ns = fact->max_ns > latency->max_ns ? fact->max_ns : latency->max_ns;
	latency->bytes += fact->bytes;
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		latency->histogram[i] += fact->histogram[i];
}

/* The time that so many percent did not exceed: the end of a bucket, which is at most twice too high, or the longest of all. */
static uint64_t latency_percentile(const struct latency *latency, unsigned percent)
{
	uint64_t all = 0, seen = 0;

	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		all += latency->histogram[i];
	for (size_t i = 0; i + 1 < CPROF_SUM_BUCKETS; i++) {
		uint64_t end = (UINT64_C(2) << i) - 1;

		seen += latency->histogram[i];
		if (seen && seen * 100 >= all * percent)
			return end < latency->max_ns ? end : latency->max_ns;
	}
	return latency->max_ns;
}

typedef bool fact_test(const struct sum_fact *fact);
typedef int fact_order(const struct sum_fact *a, const struct sum_fact *b); /* 0: of one row */

static fact_order *sorting_order; /* of the sort that runs: qsort() has no argument for it */

static int compare_facts(const void *left, const void *right)
{
	return sorting_order(*(const struct sum_fact *const *)left, *(const struct sum_fact *const *)right);
}

static int compare_rows(const void *left, const void *right)
{
	const struct sum_row *a = left, *b = right;

	return a->latency.ns != b->latency.ns ? (a->latency.ns < b->latency.ns ? 1 : -1) : a->latency.count < b->latency.count ? 1 : -1;
}

/* Rows of the facts that pass, those that the order takes for equal together, most time first. */
static struct cprof_error *rows_make(const struct profile *profile, fact_test *test, fact_order *order, struct sum_rows *ret)
{
	const struct kernel_facts *facts = profile->kernel;
	size_t most = facts ? facts->nr_sums : 0, nr = 0;
	const struct sum_fact **chosen = calloc(most + 1, sizeof *chosen);
	struct sum_rows rows = { .items = calloc(most + 1, sizeof *rows.items) };

	if (!chosen || !rows.items) {
		free(chosen);
		free(rows.items);
		return &cprof_enomem;
	}
	for (size_t i = 0; i < most; i++) {
		if (!test(&facts->sums[i]))
			continue;
		if (place_is_profiler(profile, &facts->sums[i].place))
			latency_add(&rows.own, &facts->sums[i]);
		else
			chosen[nr++] = &facts->sums[i];
	}
	sorting_order = order;
	qsort(chosen, nr, sizeof *chosen, compare_facts);
	for (size_t i = 0; i < nr; i++) {
		if (!i || order(chosen[i - 1], chosen[i]) != 0)
			rows.items[rows.nr++].fact = chosen[i];
		latency_add(&rows.items[rows.nr - 1].latency, chosen[i]);
		latency_add(&rows.all, chosen[i]);
	}
	qsort(rows.items, rows.nr, sizeof *rows.items, compare_rows);
	free(chosen);
	*ret = rows;
	return NULL;
}

#define ORDER(a, b) do { if ((a) != (b)) return (a) < (b) ? -1 : 1; } while (0)

static int order_place(const struct sum_fact *a, const struct sum_fact *b)
{
	ORDER(a->place.trace, b->place.trace);
	ORDER(a->place.image.kernel, b->place.image.kernel);
	ORDER(a->place.image.tgid, b->place.image.tgid);
	ORDER(a->place.image.generation, b->place.image.generation);
	ORDER(a->place.context, b->place.context);
	ORDER(a->place.stack, b->place.stack);
	return 0;
}

static void json_latency(struct json_writer *json, const struct latency *latency)
{
	json_u64(json, "count", latency->count);
	json_u64(json, "ns", latency->ns);
	json_u64(json, "bytes", latency->bytes);
	json_u64(json, "max_ns", latency->max_ns);
	json_u64(json, "p50_ns", latency_percentile(latency, 50));
	json_u64(json, "p90_ns", latency_percentile(latency, 90));
	json_u64(json, "p99_ns", latency_percentile(latency, 99));
	json_begin_array(json, "log2_histogram");
	for (size_t i = 0; i < CPROF_SUM_BUCKETS; i++)
		json_u64(json, NULL, latency->histogram[i]);
	json_end_array(json);
}

static void print_more(const struct kernel_view *to, size_t nr)
{
	if (nr > to->limit)
		fprintf(to->out, "(%s more)\n", human_count(nr - to->limit).text);
}

static void print_latency(const struct kernel_view *to, const struct latency *latency, uint64_t all_ns)
{
	fprintf(to->out, "%8s ", human_ns(latency->ns).text);
	fprintf(to->out, "%5s ", human_percent(latency->ns, all_ns).text);
	fprintf(to->out, "%8s ", human_count(latency->count).text);
	fprintf(to->out, "%8s ", human_ns(latency_percentile(latency, 50)).text);
	fprintf(to->out, "%8s ", human_ns(latency_percentile(latency, 99)).text);
	fprintf(to->out, "%8s  ", human_ns(latency->max_ns).text);
}

/* --- locks --- */

const char *lock_class_name(uint32_t class)
{
	static const char *const names[] = { "unknown", "mutex", "rwlock", "condition", "semaphore", "join" };

	return class < sizeof names / sizeof *names ? names[class] : names[0];
}

static bool is_lock(const struct sum_fact *fact)
{
	return fact->kind == CPROF_SUM_LOCK;
}

static int order_lock(const struct sum_fact *a, const struct sum_fact *b)
{
	int order = order_place(a, b);

	if (order)
		return order;
	ORDER(a->sub, b->sub);
	ORDER(a->object, b->object);
	ORDER(a->other, b->other);
	return 0;
}

static struct fact_place holder_of(const struct sum_fact *fact)
{
	struct fact_place place = fact->place;

	place.context = fact->other;
	place.stack = 0;
	return place;
}

/* Its name on a line of its own where there is no room behind the latency. */
static void print_lock(const struct kernel_view *to, const struct sum_fact *fact)
{
	enum { COLUMN = 54 };
	struct lock_text lock = lock_text(to->view->profile, &fact->place, fact->object, fact->sub);
	unsigned column = COLUMN + (unsigned)fprintf(to->out, "%s", lock_class_name(fact->sub)) + 1;

	if (column + text_columns(to->style, lock.text) > to->style->width) {
		fputs("\n   ", to->out);
		column = 4;
	}
	fputc(' ', to->out);
	text_print_name(to->style, to->out, lock.text, to->style->width - column);
	fputc('\n', to->out);
}

struct cprof_error *locks_view(const struct kernel_view *to)
{
	struct sum_rows rows = { 0 };
	struct cprof_error *error = view_needs(to, METRIC_BIT(LOCK_NS), "waits for locks were", "--locks");

	if (!error)
		error = rows_make(to->view->profile, is_lock, order_lock, &rows);
	if (error)
		return error;
	lock_scope_show(to);
	if (to->json)
		json_begin_array(to->json, "locks");
	else
		fputs("  waited     %    times      p50      p99      max  lock\n", to->out);
	for (size_t i = 0; i < rows.nr && i < to->limit && !ferror(to->out); i++) {
		const struct sum_row *row = &rows.items[i];
		struct fact_place holder = holder_of(row->fact);

		if (to->json) {
			struct lock_text lock = lock_text(to->view->profile, &row->fact->place, row->fact->object, row->fact->sub);

			json_line(to->json);
			json_begin_object(to->json, NULL);
			json_text(to->json, "class", lock_class_name(row->fact->sub));
			json_u64(to->json, "address", row->fact->object);
			json_text(to->json, "variable", lock.named ? lock.text : NULL);
			json_latency(to->json, &row->latency);
			place_json(to, "waiter", &row->fact->place);
			if (row->fact->other)
				place_json(to, "holder", &holder);
			else
				json_null(to->json, "holder");
			json_end_object(to->json);
			continue;
		}
		print_latency(to, &row->latency, rows.all.ns);
		print_lock(to, row->fact);
		fputs("    waited in\n", to->out);
		place_text(to, &row->fact->place, 6);
		if (row->fact->other) {
			fputs(row->fact->sub == CPROF_LOCK_JOIN ? "    for a thread that was in\n" : "    while it was held in\n", to->out);
			place_text(to, &holder, 6);
		}
	}
	if (to->json)
		json_end_array(to->json);
	else
		print_more(to, rows.nr);
	if (rows.own.count && to->json)
		json_u64(to->json, "profiler_ns", rows.own.ns);
	else if (rows.own.count)
		fprintf(to->out, "(the profiler's own thread in the process waited %s: left out)\n", human_ns(rows.own.ns).text);
	free(rows.items);
	return NULL;
}

/* --- I/O --- */

static bool is_syscall(const struct sum_fact *fact)
{
	return fact->kind == CPROF_SUM_SYSCALL;
}

static bool is_block(const struct sum_fact *fact)
{
	return fact->kind == CPROF_SUM_BLOCK_QUEUE || fact->kind == CPROF_SUM_BLOCK_DEVICE;
}

static int order_file(const struct sum_fact *a, const struct sum_fact *b)
{
	ORDER(a->place.image.kernel, b->place.image.kernel);
	ORDER(a->device, b->device);
	ORDER(a->object, b->object);
	ORDER(a->other, b->other);
	ORDER(a->sub, b->sub);
	return 0;
}

static int order_context(const struct sum_fact *a, const struct sum_fact *b)
{
	int order = order_place(a, b);

	if (order)
		return order;
	ORDER(a->sub, b->sub);
	return 0;
}

static int order_kind(const struct sum_fact *a, const struct sum_fact *b)
{
	ORDER(a->sub, b->sub);
	return 0;
}

static int order_device(const struct sum_fact *a, const struct sum_fact *b)
{
	ORDER(a->device, b->device);
	ORDER(a->sub, b->sub);
	ORDER(a->kind, b->kind);
	return 0;
}

/* "path", or "device 8:1 inode 12", or "-". */
static void file_text(const struct profile *profile, const struct sum_fact *fact, char *text, size_t bytes)
{
	const char *path = kernel_file_name(session_kernel(profile->kernel_names->session, fact->place.image.kernel),
					    (struct cprof_file_id){ fact->object, fact->device, fact->other });

	if (path)
		snprintf(text, bytes, "%s", path);
	else if (fact->object || fact->device)
		snprintf(text, bytes, "device %" PRIu32 ":%" PRIu32 " inode %" PRIu64, fact->device >> 20, fact->device & 0xFFFFF, fact->object);
	else
		snprintf(text, bytes, "-");
}

static void block_op_text(const struct sum_fact *fact, char *text, size_t bytes)
{
	static const char *const ops[] = { "read", "write", "flush", "discard", "other" };
	uint32_t op = fact->sub & ~(uint32_t)CPROF_BLOCK_ASYNC;

	snprintf(text, bytes, "%s%s, %s", ops[op < 5 ? op : 4], fact->sub & CPROF_BLOCK_ASYNC ? " (write-back)" : "",
		 fact->kind == CPROF_SUM_BLOCK_QUEUE ? "queued" : "in the device");
}

enum io_table { IO_BY_CALL, IO_BY_FILE, IO_BY_CONTEXT, IO_BY_DEVICE, NR_IO_TABLES };

static const struct {
	const char *key, *title;
	fact_test *test;
	fact_order *order;
} io_tables[NR_IO_TABLES] = {
	[IO_BY_CALL] = { "by_call", "By system call", is_syscall, order_kind },
	[IO_BY_FILE] = { "by_file", "By file", is_syscall, order_file },
	[IO_BY_CONTEXT] = { "by_context", "By context", is_syscall, order_context },
	[IO_BY_DEVICE] = { "by_device", "Block devices", is_block, order_device },
};

static void io_json_row(const struct kernel_view *to, enum io_table table, const struct sum_row *row)
{
	const struct sum_fact *fact = row->fact;
	char text[512];

	json_line(to->json);
	json_begin_object(to->json, NULL);
	if (table == IO_BY_DEVICE) {
		block_op_text(fact, text, sizeof text);
		json_text(to->json, "operation", text);
		snprintf(text, sizeof text, "%" PRIu32 ":%" PRIu32, fact->device >> 20, fact->device & 0xFFFFF);
		json_text(to->json, "device", text);
	} else {
		syscall_text(fact->sub, text, sizeof text);
		json_text(to->json, "call", text);
	}
	if (table == IO_BY_FILE) {
		file_text(to->view->profile, fact, text, sizeof text);
		json_text(to->json, "file", text);
		json_u64(to->json, "device", fact->device);
		json_u64(to->json, "inode", fact->object);
		json_u64(to->json, "inode_generation", fact->other);
	} else if (table == IO_BY_CONTEXT) {
		place_json(to, "context", &fact->place);
	}
	json_latency(to->json, &row->latency);
	json_end_object(to->json);
}

/* As in off-cpu: what tells paths of equal names apart. */
static const struct call_node *row_mark(const struct kernel_view *to, const struct sum_rows *rows, const struct sum_row *row)
{
	const struct profile *profile = to->view->profile;
	const struct call_node *mark = NULL;

	for (size_t i = 0; i < rows->nr && i < to->limit && !mark; i++)
		mark = place_difference(place_node(profile, &row->fact->place), place_node(profile, &rows->items[i].fact->place));
	return mark;
}

static void io_print_row(const struct kernel_view *to, enum io_table table, const struct sum_rows *rows, const struct sum_row *row)
{
	const struct sum_fact *fact = row->fact;
	char text[512];

	print_latency(to, &row->latency, rows->all.ns);
	fprintf(to->out, "%9s ", row->latency.bytes ? human_bytes(row->latency.bytes).text : "");
	if (table == IO_BY_DEVICE) {
		block_op_text(fact, text, sizeof text);
		fprintf(to->out, " %.*s\n    %" PRIu32 ":%" PRIu32 "%s\n", (int)strcspn(text, " ,"), text, fact->device >> 20, fact->device & 0xFFFFF,
			text + strcspn(text, " ,"));
		return;
	}
	syscall_text(fact->sub, text, sizeof text);
	fprintf(to->out, " %s\n", text);
	if (table == IO_BY_FILE) {
		file_text(to->view->profile, fact, text, sizeof text);
		text_pad(to->out, 4);
		text_print(to->style, to->out, text, to->style->width - 4);
		fputc('\n', to->out);
	} else if (table == IO_BY_CONTEXT) {
		place_text_marked(to, &fact->place, row_mark(to, rows, row), 4);
	}
}

/* Rows of a histogram from its first to its last bucket that is not empty. */
static void io_print_histogram(const struct kernel_view *to, const struct latency *latency)
{
	size_t first = 0, last = CPROF_SUM_BUCKETS;
	uint64_t highest = 1;

	while (first < CPROF_SUM_BUCKETS && !latency->histogram[first])
		first++;
	while (last > first && !latency->histogram[last - 1])
		last--;
	for (size_t i = first; i < last; i++)
		highest = latency->histogram[i] > highest ? latency->histogram[i] : highest;
	for (size_t i = first; i < last; i++) {
		unsigned width = (unsigned)(40 * latency->histogram[i] / highest);

		fprintf(to->out, "  %8s ..", human_ns(UINT64_C(1) << i).text);
		fprintf(to->out, " %10s ", human_count(latency->histogram[i]).text);
		for (unsigned k = 0; k < width + (latency->histogram[i] && !width); k++)
			fputc('#', to->out);
		fputc('\n', to->out);
	}
}

/* What the profiler did to write the trace, in its own thread and in the program's. */
static void io_say_own(const struct kernel_view *to)
{
	const struct fact_total *own = to->view->profile->kernel ? &to->view->profile->kernel->own_io : NULL;

	if (!own || !own->count)
		return;
	if (to->json) {
		json_u64(to->json, "profiler_ns", own->ns);
		json_u64(to->json, "profiler_bytes", own->bytes);
		return;
	}
	fprintf(to->out, "(the profiler itself: %s system calls", human_count(own->count).text);
	fprintf(to->out, ", %s", human_bytes(own->bytes).text);
	fprintf(to->out, ", %s: left out)\n", human_ns(own->ns).text);
}

static struct cprof_error *io_table_show(const struct kernel_view *to, enum io_table table)
{
	struct sum_rows rows = { 0 };
	struct cprof_error *error = rows_make(to->view->profile, io_tables[table].test, io_tables[table].order, &rows);

	if (error)
		return error;
	if (to->json) {
		json_begin_array(to->json, io_tables[table].key);
	} else if (rows.nr) {
		text_color(to->style, to->out, TEXT_BOLD);
		fprintf(to->out, "%s%s\n", table ? "\n" : "", io_tables[table].title);
		text_color(to->style, to->out, TEXT_PLAIN);
		fputs("    time     %    count      p50      p99      max      bytes  call\n", to->out);
	}
	for (size_t i = 0; i < rows.nr && i < to->limit && !ferror(to->out); i++) {
		if (to->json)
			io_json_row(to, table, &rows.items[i]);
		else
			io_print_row(to, table, &rows, &rows.items[i]);
		if (!to->json && table == IO_BY_CALL)
			io_print_histogram(to, &rows.items[i].latency);
	}
	if (to->json)
		json_end_array(to->json);
	else
		print_more(to, rows.nr);
	if (table == IO_BY_CALL)
		io_say_own(to);
	free(rows.items);
	return NULL;
}

struct cprof_error *io_view(const struct kernel_view *to)
{
	struct cprof_error *error = view_needs(to, METRIC_BIT(IO_NS), "I/O was", "--io");

	if (!error)
		io_scope_show(to);
	for (int table = 0; table < NR_IO_TABLES && !error; table++)
		error = io_table_show(to, (enum io_table)table);
	return error;
}
