/* SPDX-License-Identifier: BSD-2-Clause */
/* Time off the processor by context and reason, with kernel stacks and who woke us. See kernel_views.h. */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "human_ticks.h"
#include "kernel_facts.h"
#include "kernel_views.h"
#include "slots.h"
#include "syscall_names.h"

enum { REASON_RUNQ = CPROF_BLOCKED_COUNT, REASON_STOPPED, NR_REASONS };

struct off_row {
	const struct call_node *node;      /* or */
	const struct fact_place *stranger; /* of a process without a trace, or outside of its calls */
	const struct off_fact *interval;   /* of a stranger: all that is known of it; NULL: it has sums */
	int reason;
	uint64_t ns;
	uint32_t first;                    /* long interval: of the profile's; NO_INTERVAL */
};
#define NO_INTERVAL UINT32_MAX

struct off_rows {
	struct off_row *items;
	size_t nr;
	uint32_t *next; /* of each long interval: the next one of its row */
	uint64_t all_ns;
	uint64_t own_ns; /* the profiler waited: in no row */
};

static const char *reason_name(int reason)
{
	static const char *const names[NR_REASONS] = {
#define CPROF_X(name, number, key, what) [number] = key,
		CPROF_BLOCKED_CLASSES(CPROF_X)
#undef CPROF_X
		[REASON_RUNQ] = "run-queue", [REASON_STOPPED] = "stopped",
	};

	return names[reason];
}

static enum call_metric reason_metric(int reason)
{
	return reason == REASON_RUNQ ? METRIC_RUNQ : reason == REASON_STOPPED ? METRIC_STOPPED : (enum call_metric)(METRIC_BLOCKED_LOCK + reason);
}

static int off_row_compare(const void *left, const void *right)
{
	const struct off_row *a = left, *b = right;

	return a->ns != b->ns ? (a->ns < b->ns ? 1 : -1) : a->reason - b->reason;
}

static size_t rows_most(const struct call_view *view)
{
	size_t nr = view->profile->kernel ? view->profile->kernel->nr_offs + view->profile->kernel->nr_sums : 0, depth = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth))
		for (int reason = 0; node->numbers.metrics && reason < NR_REASONS; reason++)
			nr += node->numbers.metrics->self[reason_metric(reason)] > 0;
	return nr;
}

static void add_stranger(const struct profile *profile, struct off_rows *rows, struct off_row row)
{
	if (!row.ns)
		return;
	if (place_is_profiler(profile, row.stranger))
		rows->own_ns += row.interval ? row.ns : 0; /* those of sums are in the profile's off_own_ns */
	else
		rows->items[rows->nr++] = row;
}

/* Of a process without a trace the sums have all of its waits, short ones, too. */
static bool add_summed(const struct profile *profile, struct off_rows *rows, const struct sum_fact *sum)
{
	int reason = sum->kind == CPROF_SUM_RUN_QUEUE ? REASON_RUNQ : sum->sub < CPROF_BLOCKED_COUNT ? (int)sum->sub : CPROF_BLOCKED_OTHER;

	if ((sum->kind != CPROF_SUM_OFF_CPU && sum->kind != CPROF_SUM_RUN_QUEUE) || sum->place.trace != FACT_NO_TRACE)
		return false;
	add_stranger(profile, rows, (struct off_row){ .stranger = &sum->place, .reason = reason, .ns = sum->ns });
	return true;
}

static bool is_stopped(const struct off_fact *fact)
{
	return fact->state & (4 | 8);
}

static void add_strangers_of(const struct profile *profile, uint32_t kernel, struct off_rows *rows)
{
	const struct kernel_facts *facts = profile->kernel;
	bool summed = false;

	for (size_t i = 0; i < facts->nr_sums; i++)
		if (facts->sums[i].place.image.kernel == kernel)
			summed |= add_summed(profile, rows, &facts->sums[i]);
	for (size_t i = 0; i < facts->nr_offs; i++) {
		const struct off_fact *fact = &facts->offs[i];
		bool stopped = is_stopped(fact);

		if (fact->place.image.kernel == kernel && !place_node(profile, &fact->place) && (stopped || !summed || fact->place.trace != FACT_NO_TRACE))
			add_stranger(profile, rows, (struct off_row){ .stranger = &fact->place, .interval = fact,
								     .reason = stopped ? REASON_STOPPED : fact->blocked_class, .ns = fact->blocked_ns });
	}
}

static void add_strangers(const struct profile *profile, struct off_rows *rows)
{
	for (size_t kernel = 0; kernel < session_nr_kernels(profile->kernel_names->session); kernel++)
		add_strangers_of(profile, (uint32_t)kernel, rows);
}

static int order_places(const struct fact_place *a, const struct fact_place *b)
{
	const uint64_t of_a[] = { a->image.kernel, a->image.tgid, a->image.generation, a->trace, a->context, a->stack };
	const uint64_t of_b[] = { b->image.kernel, b->image.tgid, b->image.generation, b->trace, b->context, b->stack };

	for (size_t i = 0; i < sizeof of_a / sizeof *of_a; i++)
		if (of_a[i] != of_b[i])
			return of_a[i] < of_b[i] ? -1 : 1;
	return 0;
}

static int compare_whose(const void *left, const void *right)
{
	const struct off_row *a = *(struct off_row *const *)left, *b = *(struct off_row *const *)right;
	int order = a->node != b->node ? ((uintptr_t)a->node < (uintptr_t)b->node ? -1 : 1) : a->node ? 0 : order_places(a->stranger, b->stranger);

	return order ? order : a->reason - b->reason;
}

static void chain_interval(const struct profile *profile, struct off_row **order, size_t nr, uint32_t index, uint32_t *next)
{
	const struct off_fact *fact = &profile->kernel->offs[index];
	struct off_row like = { .node = place_node(profile, &fact->place), .stranger = &fact->place, .reason = is_stopped(fact) ? REASON_STOPPED : fact->blocked_class };
	const struct off_row *wanted = &like;
	struct off_row **row = fact->blocked_ns && nr ? bsearch(&wanted, order, nr, sizeof *order, compare_whose) : NULL;

	if (!row)
		return;
	next[index] = (*row)->first;
	(*row)->first = index;
}

/* Each row has its long intervals. */
static struct cprof_error *chain_intervals(const struct profile *profile, struct off_rows *rows)
{
	size_t nr_offs = profile->kernel ? profile->kernel->nr_offs : 0, nr = 0;
	struct off_row **order = calloc(rows->nr + 1, sizeof *order);

	rows->next = calloc(nr_offs + 1, sizeof *rows->next);
	if (!order || !rows->next) {
		free(order);
		return &cprof_enomem;
	}
	for (size_t i = 0; i < rows->nr; i++) {
		rows->items[i].first = NO_INTERVAL;
		if (!rows->items[i].interval)
			order[nr++] = &rows->items[i];
	}
	qsort(order, nr, sizeof *order, compare_whose);
	for (size_t i = nr_offs; i--;)
		chain_interval(profile, order, nr, (uint32_t)i, rows->next);
	free(order);
	return NULL;
}

static void rows_free(struct off_rows *rows)
{
	free(rows->items);
	free(rows->next);
}

static struct cprof_error *rows_make(const struct call_view *view, struct off_rows *ret)
{
	struct off_rows rows = { .items = calloc(rows_most(view) + 1, sizeof *rows.items) };
	struct cprof_error *error;
	size_t depth = 0;

	if (!rows.items)
		return &cprof_enomem;
	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth))
		for (int reason = 0; node->numbers.metrics && reason < NR_REASONS; reason++)
			if (node->numbers.metrics->self[reason_metric(reason)])
				rows.items[rows.nr++] = (struct off_row){ .node = node, .reason = reason, .ns = node->numbers.metrics->self[reason_metric(reason)] };
	if (view->profile->kernel) {
		rows.own_ns = view->profile->kernel->off_own_ns;
		if (view->whole)
			add_strangers(view->profile, &rows);
	}
	qsort(rows.items, rows.nr, sizeof *rows.items, off_row_compare);
	for (size_t i = 0; i < rows.nr; i++)
		rows.all_ns += rows.items[i].ns;
	error = chain_intervals(view->profile, &rows);
	if (error)
		rows_free(&rows);
	else
		*ret = rows;
	return error;
}

/* Long intervals of a row, one after the other; NULL: none is left. */
static const struct off_fact *row_next(const struct profile *profile, const struct off_rows *rows, const struct off_row *row, const struct off_fact *last)
{
	uint32_t next;

	if (row->interval)
		return last ? NULL : row->interval;
	next = last ? rows->next[last - profile->kernel->offs] : row->first;
	return next == NO_INTERVAL ? NULL : &profile->kernel->offs[next];
}

static const char *kernel_frame_name(const struct profile *profile, const struct off_fact *fact, uint32_t index)
{
	const struct kernel_stack *stack = kernel_file_stack(session_kernel(profile->kernel_names->session, fact->place.image.kernel), fact->kernel_stack);
	struct cprof_error *error;
	uint32_t frame;

	if (!stack || index >= stack->nr_addresses)
		return NULL;
	error = kernel_names_frame(profile->kernel_names, fact->place.image, stack->addresses[index], ADDRESS_OF_KERNEL, &frame);
	cprof_error_free(error);
	return error ? NULL : profile->kernel_names->frames[frame].name;
}

static const char *object_name(const struct profile *profile, const struct off_fact *fact)
{
	return fact->object.device || fact->object.inode ? kernel_file_name(session_kernel(profile->kernel_names->session, fact->place.image.kernel), fact->object) :
							   NULL;
}

static uint32_t lock_class(const struct profile *profile, const struct off_fact *fact)
{
	return kernel_facts_lock_class(profile->kernel, fact->place.image, fact->object.inode);
}

/* The lock that was waited for, as the sums of --locks know it: its class; NULL: it was no lock. */
static const char *lock_name(const struct profile *profile, const struct off_fact *fact)
{
	if (fact->blocked_class != CPROF_BLOCKED_FUTEX || !fact->object.inode || fact->object.device)
		return NULL;
	return lock_class_name(lock_class(profile, fact));
}

/* Who ended it: "thread" of the program, another "process", an "interrupt" (a timer, a device, the network). NULL: it has not ended, or that is not known. */
static const char *waker_kind(const struct off_fact *fact)
{
	if (fact->open)
		return NULL;
	if (!fact->waker.image.tgid)
		return fact->woken_by == CPROF_WOKEN_BY_INTERRUPT ? "interrupt" : NULL;
	return fact->waker.image.tgid == fact->place.image.tgid ? "thread" : "process";
}

static void print_kernel_stack(const struct kernel_view *to, const struct off_fact *fact)
{
	enum { SHOWN = 6 };
	static const char title[] = "      kernel: ";
	struct frame_line line = { .indent = 8, .most = 32, .column = sizeof title - 1 };
	const char *name;

	if (!fact->kernel_stack || !kernel_frame_name(to->view->profile, fact, 0))
		return;
	fputs(title, to->out);
	for (uint32_t i = 0; i <= SHOWN && (name = kernel_frame_name(to->view->profile, fact, i)); i++)
		frame_line_add(to, &line, i == SHOWN ? "..." : name);
	fputc('\n', to->out);
}

/* "in fsync, on FILE": what the largest waited in and for. */
static void print_object(const struct kernel_view *to, const struct off_fact *fact, bool alone)
{
	const char *file = object_name(to->view->profile, fact), *lock = lock_name(to->view->profile, fact);
	const char *most = alone ? "" : "most ";
	char text[64];
	unsigned column = 6;

	if (fact->syscall == UINT32_MAX && !file && !lock)
		return;
	text_pad(to->out, column);
	if (fact->syscall != UINT32_MAX) {
		syscall_text(fact->syscall, text, sizeof text);
		column += (unsigned)fprintf(to->out, "%sin %s", most, text);
		most = "";
		if (file || lock)
			column += (unsigned)fprintf(to->out, ", ");
	}
	if (lock) {
		column += (unsigned)fprintf(to->out, "%son %s ", most, lock);
		text_print_name(to->style, to->out, lock_text(to->view->profile, &fact->place, fact->object.inode, lock_class(to->view->profile, fact)).text, to->style->width > column + 16 ? to->style->width - column : 16);
	} else if (file) {
		column += (unsigned)fprintf(to->out, "%son ", most);
		text_print(to->style, to->out, file, to->style->width > column + 16 ? to->style->width - column : 16);
	}
	fputc('\n', to->out);
}

/* What the intervals above the threshold say more. The largest of their kinds stand for all. */
static void print_details(const struct kernel_view *to, const struct off_rows *rows, const struct off_row *row)
{
	const struct off_fact *fact = NULL, *largest = NULL, *woken = NULL;
	uint64_t count = 0, max_ns = 0, open = 0, interrupts = 0, tasks = 0;
	bool alone = true;

	while ((fact = row_next(to->view->profile, rows, row, fact))) {
		count += fact->count;
		open += fact->open;
		max_ns = fact->max_ns > max_ns ? fact->max_ns : max_ns;
		alone &= !largest || (memcmp(&fact->object, &largest->object, sizeof fact->object) == 0 && fact->syscall == largest->syscall);
		if (!largest || fact->blocked_ns > largest->blocked_ns)
			largest = fact;
		if (fact->waker.image.tgid && (!woken || fact->blocked_ns > woken->blocked_ns))
			woken = fact;
		tasks += fact->waker.image.tgid ? fact->count : 0;
		if (fact->woken_by == CPROF_WOKEN_BY_INTERRUPT)
			interrupts += fact->count - fact->open;
	}
	if (!largest)
		return;
	text_color(to->style, to->out, TEXT_DIM);
	fprintf(to->out, "      %s long interval%s", human_count(count).text, count == 1 ? "" : "s");
	fprintf(to->out, ", up to %s", human_ns(max_ns).text);
	if (open)
		fprintf(to->out, ", %s not ended", human_count(open).text);
	fputc('\n', to->out);
	print_object(to, largest, alone);
	print_kernel_stack(to, largest);
	if (woken) {
		fprintf(to->out, "      woken (%s) from\n", human_count(woken->count).text);
		place_text(to, &woken->waker, 8);
		if (tasks > woken->count)
			fprintf(to->out, "      woken (%s) from elsewhere\n", human_count(tasks - woken->count).text);
	}
	if (interrupts && row->reason != REASON_STOPPED)
		fprintf(to->out, "      woken (%s) by an interrupt\n", human_count(interrupts).text);
	text_color(to->style, to->out, TEXT_PLAIN);
}

/* Rows that are shown may differ only in a place that a function was called from: which it is. */
static const struct call_node *row_mark(const struct kernel_view *to, const struct off_rows *rows, const struct off_row *row)
{
	const struct call_node *mark = NULL;

	for (size_t i = 0; i < rows->nr && i < to->limit && !mark; i++)
		if (rows->items[i].node)
			mark = place_difference(row->node, rows->items[i].node);
	return mark;
}

static void print_row(const struct kernel_view *to, const struct off_rows *rows, const struct off_row *row)
{
	fprintf(to->out, "%8s ", human_ns(row->ns).text);
	fprintf(to->out, "%5s  %-9s  ", human_percent(row->ns, rows->all_ns).text, reason_name(row->reason));
	if (row->stranger)
		place_text(to, row->stranger, 0);
	else
		text_print_name(to->style, to->out, row->node->name, to->style->width - 27);
	if (!row->stranger) {
		fputc('\n', to->out);
		place_print_marked(to, row->node, row_mark(to, rows, row), 4);
	}
	print_details(to, rows, row);
}

static void json_lock(const struct kernel_view *to, const struct off_fact *fact)
{
	const char *name = lock_name(to->view->profile, fact);
	struct lock_text lock;

	if (!name) {
		json_null(to->json, "lock");
		return;
	}
	lock = lock_text(to->view->profile, &fact->place, fact->object.inode, lock_class(to->view->profile, fact));
	json_begin_object(to->json, "lock");
	json_text(to->json, "class", name);
	json_u64(to->json, "address", fact->object.inode);
	json_text(to->json, "variable", lock.named ? lock.text : NULL);
	json_end_object(to->json);
}

static void json_row(const struct kernel_view *to, const struct off_rows *rows, const struct off_row *row)
{
	const struct off_fact *fact = NULL;
	char text[64];

	json_line(to->json);
	json_begin_object(to->json, NULL);
	json_text(to->json, "reason", reason_name(row->reason));
	json_u64(to->json, "ns", row->ns);
	if (row->stranger)
		place_json(to, "context", row->stranger);
	else
		path_json(to->json, "path", row->node);
	json_begin_array(to->json, "intervals");
	while ((fact = row_next(to->view->profile, rows, row, fact))) {
		json_begin_object(to->json, NULL);
		json_u64(to->json, "count", fact->count);
		json_u64(to->json, "blocked_ns", fact->blocked_ns);
		json_u64(to->json, "runq_ns", fact->runq_ns);
		json_u64(to->json, "max_ns", fact->max_ns);
		json_u64(to->json, "open", fact->open);
		if (fact->syscall == UINT32_MAX) {
			json_null(to->json, "syscall");
		} else {
			syscall_text(fact->syscall, text, sizeof text);
			json_text(to->json, "syscall", text);
		}
		json_text(to->json, "file", object_name(to->view->profile, fact));
		json_lock(to, fact);
		json_begin_array(to->json, "kernel_stack");
		for (uint32_t i = 0; kernel_frame_name(to->view->profile, fact, i); i++)
			json_text(to->json, NULL, kernel_frame_name(to->view->profile, fact, i));
		json_end_array(to->json);
		if (fact->waker.image.tgid)
			place_json(to, "waker", &fact->waker);
		else
			json_null(to->json, "waker");
		json_text(to->json, "woken_by", waker_kind(fact));
		json_end_object(to->json);
	}
	json_end_array(to->json);
	json_end_object(to->json);
}

struct cprof_error *off_cpu_view(const struct kernel_view *to)
{
	const struct kernel_facts *facts = to->view->profile->kernel;
	struct off_rows rows = { 0 };
	struct cprof_error *error = facts && (facts->nr_offs || facts->has_off_cpu) ? NULL : view_needs(to, METRIC_BIT(BLOCKED), "time off the processor was", "--off-cpu");

	if (!error)
		error = rows_make(to->view, &rows);
	if (error)
		return error;
	if (to->json)
		json_begin_array(to->json, "off_cpu");
	else
		fputs("off-CPU      %  reason     in\n", to->out);
	for (size_t i = 0; i < rows.nr && i < to->limit && !ferror(to->out); i++) {
		if (to->json)
			json_row(to, &rows, &rows.items[i]);
		else
			print_row(to, &rows, &rows.items[i]);
	}
	if (to->json)
		json_end_array(to->json);
	else if (rows.nr > to->limit)
		fprintf(to->out, "(%s more)\n", human_count(rows.nr - to->limit).text);
	if (rows.own_ns && to->json)
		json_u64(to->json, "profiler_ns", rows.own_ns);
	else if (rows.own_ns)
		fprintf(to->out, "(the profiler's own threads in the processes waited %s: left out)\n", human_ns(rows.own_ns).text);
	rows_free(&rows);
	return NULL;
}
