/* SPDX-License-Identifier: BSD-2-Clause */
#include "advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "call_rows.h"
#include "evidence.h"
#include "human_ticks.h"
#include "vec.h"

/* From where on something is said. */
enum {
	HOT_PERCENT = 20,        /* of all time on the processor (or wall time), in one function itself */
	TINY_NS = 200,           /* a call shorter than this costs more to record than it takes */
	TINY_CALLS = 1000, TINY_CALLS_PERCENT = 10,
	CHURN_CALLS = 1000, CHURN_PERCENT = 50,
	LEAK_BYTES = 4096,
	SYNC_CALLS = 10, SYNC_PERCENT = 1,
	SMALL_WRITES = 1000, SMALL_WRITE_BYTES = 512,
	LOCK_PERCENT = 1,
	RUNQ_PERCENT = 10,
	OF_KIND_MAX = 3,         /* are shown, those with most weight */
};

struct finding {
	const char *kind, *advice;
	char text[448], command[96];
	const struct call_node *node; /* or NULL */
	const char *file;             /* or NULL */
	uint64_t weight_ns;           /* for the order */
	uint64_t weight_bytes;        /* between those of equal time */
	double share;                 /* of what its text says */
};

struct findings {
	const struct kernel_view *to;
	struct finding *items;
	size_t nr, capacity;
	uint64_t wall_ns;             /* of all threads */
	bool no_memory;
};

/* NULL: no memory, which is remembered. Valid until the next one. */
static struct finding *finding_add(struct findings *all, const char *kind, uint64_t weight_ns, double share, const char *advice)
{
	if (!vec_reserve(&all->items, &all->capacity, all->nr + 1, sizeof *all->items)) {
		all->no_memory = true;
		return NULL;
	}
	all->items[all->nr] = (struct finding){ .kind = kind, .advice = advice, .weight_ns = weight_ns, .share = share };
	return &all->items[all->nr++];
}

static void CPROF_PRINTF(2, 3) say(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->text, sizeof finding->text, format, arguments);
	va_end(arguments);
}

static void command_focus(struct finding *finding, const char *command, const char *name)
{
	/* A name that a shell would take apart is left out: the command without it shows it, too. */
	bool plain = name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:")] == '\0';

	snprintf(finding->command, sizeof finding->command, "%s%s%.60s", command, plain ? " --focus=" : "", plain ? name : "");
}

static double percent(uint64_t part, uint64_t all)
{
	return 100 * human_fraction(part, all);
}

/* --- the exact half --- */

static uint64_t own_time(const struct call_view *view, const struct call_node *node)
{
	return view->profile->metrics & METRIC_BIT(CPU) ? node->numbers.metrics->self[METRIC_CPU] : node->numbers.self_ticks;
}

static const struct call_node *hottest_of(const struct call_view *view, uint32_t function)
{
	const struct call_node *hottest = NULL;
	size_t depth = 0;

	for (const struct call_node *node = view->root; node; node = call_node_next(view->root, node, false, &depth))
		if (node->kind == NODE_FUNCTION && node->function == function && (!hottest || own_time(view, node) > own_time(view, hottest)))
			hottest = node;
	return hottest;
}

static void find_hot(struct findings *all, const struct call_row *rows, size_t nr)
{
	const struct profile *profile = all->to->view->profile;
	bool times = profile->metrics & METRIC_BIT(CPU);
	uint64_t whole = times ? profile->root->numbers.metrics->total[METRIC_CPU] : all->wall_ns;

	for (size_t i = 0; i < nr; i++) {
		uint64_t own = times ? rows[i].numbers.metrics->self[METRIC_CPU] : profile_ns(profile, rows[i].numbers.self_ticks);
		struct finding *finding;

		if (percent(own, whole) < HOT_PERCENT)
			continue;
		finding = finding_add(all, "hot-function", own, percent(own, whole), "Work less in it, or call it less often from this path.");
		if (!finding)
			return;
		finding->node = hottest_of(all->to->view, (uint32_t)(rows[i].function - profile->functions));
		say(finding, "%.120s itself takes %s, %s %% of all %s, in %s call%s", rows[i].function->name, human_ns(own).text, human_percent(own, whole).text,
		    times ? "time on the processor" : "time", human_count(rows[i].numbers.calls).text, rows[i].numbers.calls == 1 ? "" : "s");
		command_focus(finding, times ? "cpu" : "tree", rows[i].function->name);
	}
}

static void find_tiny(struct findings *all, const struct call_row *rows, size_t nr)
{
	const struct profile *profile = all->to->view->profile;

	for (size_t i = 0; i < nr; i++) {
		uint64_t calls = rows[i].numbers.calls, each = profile_ns(profile, call_average_ticks(&rows[i].numbers));
		struct finding *finding;

		if (calls < TINY_CALLS || percent(calls, profile->info.calls) < TINY_CALLS_PERCENT || each >= TINY_NS || !(profile->info.clock_hz > 0))
			continue;
		finding = finding_add(all, "tiny-function", 2 * calls * 18, percent(calls, profile->info.calls),
				      "Leave it out of the instrumentation (-finstrument-functions-exclude-function-list=, or inline it): recording it costs about as much as "
				      "it takes, and makes its callers look slower.");
		if (!finding)
			return;
		finding->node = hottest_of(all->to->view, (uint32_t)(rows[i].function - profile->functions));
		say(finding, "%.120s is called %s times, %s %% of all calls, for %s each", rows[i].function->name, human_count(calls).text,
		    human_percent(calls, profile->info.calls).text, human_ns(each).text);
		snprintf(finding->command, sizeof finding->command, "flat --sort=calls");
	}
}

static struct cprof_error *find_in_rows(struct findings *all)
{
	struct call_row *rows;
	size_t nr;
	struct cprof_error *error = call_rows_create(all->to->view, CALL_SORT_SELF, &rows, &nr);

	if (error)
		return error;
	find_hot(all, rows, nr);
	free(rows);
	error = call_rows_create(all->to->view, CALL_SORT_CALLS, &rows, &nr);
	if (error)
		return error;
	find_tiny(all, rows, nr);
	free(rows);
	return NULL;
}

/* --- the kernel half --- */

static void find_run_queue(struct findings *all)
{
	const struct profile *profile = all->to->view->profile;
	uint64_t runq = profile->metrics & METRIC_BIT(CPU) ? profile->root->numbers.metrics->total[METRIC_RUNQ] : 0;
	struct finding *finding = NULL;

	if (percent(runq, all->wall_ns) >= RUNQ_PERCENT)
		finding = finding_add(all, "run-queue", runq, percent(runq, all->wall_ns),
				      "More threads, of this program or of others, wanted to run than there are processors: use fewer, or expect times to vary with the machine's load.");
	if (!finding)
		return;
	say(finding, "threads were ready to run without a processor for %s, %s %% of their time", human_ns(runq).text, human_percent(runq, all->wall_ns).text);
	snprintf(finding->command, sizeof finding->command, "tree --columns=total,runq,cpu --sort=runq");
}

struct parts_text {
	char text[128];
};

/* ", in 3 processes", or nothing. */
static struct parts_text parts_text(uint32_t nr, const char *name)
{
	struct parts_text parts = { "" };

	if (nr > 1)
		snprintf(parts.text, sizeof parts.text, ", in %s %s", human_count(nr).text, name);
	return parts;
}

/* "once", "1,000 times". */
static struct parts_text times_text(uint64_t count)
{
	struct parts_text times = { "once" };

	if (count != 1)
		snprintf(times.text, sizeof times.text, "%s times", human_count(count).text);
	return times;
}

static const char *name_of(const struct call_node *node)
{
	return node ? node->name : "code outside of every recorded call";
}

static void judge_sync(struct findings *all, const struct evidence *evidence)
{
	double share = percent(evidence->ns, all->wall_ns);
	struct finding *finding;

	if (evidence->count < SYNC_CALLS || share < SYNC_PERCENT)
		return;
	finding = finding_add(all, "sync-in-loop", evidence->ns, share,
			      "Collect several changes for one sync, or let another thread do it, if what may be lost at a crash allows it.");
	if (!finding)
		return;
	say(finding, "%.120s syncs %s %s times: %s, %s %% of all time%s", name_of(evidence->node), evidence->objects > 1 ? "files" : "a file",
	    human_count(evidence->count).text, human_ns(evidence->ns).text, human_percent(evidence->ns, all->wall_ns).text,
	    parts_text(evidence->processes, "processes").text);
	finding->node = evidence->node;
	finding->file = evidence->file;
	snprintf(finding->command, sizeof finding->command, "io");
}

static void judge_write(struct findings *all, const struct evidence *evidence)
{
	struct finding *finding;

	if (evidence->count < SMALL_WRITES || evidence->bytes / evidence->count >= SMALL_WRITE_BYTES)
		return;
	finding = finding_add(all, "small-writes", evidence->ns, percent(evidence->ns, all->wall_ns), "Collect them in a buffer.");
	if (!finding)
		return;
	say(finding, "%.120s writes %s times, %s each: %s, %s %% of all time%s", name_of(evidence->node), human_count(evidence->count).text,
	    human_bytes(evidence->bytes / evidence->count).text, human_ns(evidence->ns).text, human_percent(evidence->ns, all->wall_ns).text,
	    parts_text(evidence->processes, "processes").text);
	finding->node = evidence->node;
	finding->file = evidence->file;
	snprintf(finding->command, sizeof finding->command, "io");
}

/* Time that the holder's context, or what it called, did not run for a reason of its own. */
static uint64_t held_off_ns(const struct call_node *holder, uint32_t recorded, uint64_t *io_ns)
{
	const struct call_metrics *metrics = holder ? holder->numbers.metrics : NULL;

	*io_ns = metrics && recorded & METRIC_BIT(IO_NS) ? metrics->total[METRIC_IO_NS] : 0;
	if (!metrics || !(recorded & METRIC_BIT(BLOCKED)))
		return 0;
	return metrics->total[METRIC_BLOCKED_DISK] + metrics->total[METRIC_BLOCKED_FILE] + metrics->total[METRIC_BLOCKED_SLEEP];
}

/* "stats_lock", "several locks (most for stats_lock)", "a lock". */
static struct parts_text locks_text(const struct findings *all, const struct evidence *evidence)
{
	struct lock_text lock = lock_text(all->to->view->profile, &evidence->lock_place, evidence->lock, CPROF_LOCK_MUTEX);
	struct parts_text text;

	if (evidence->objects > 1)
		snprintf(text.text, sizeof text.text, "several locks%s%.80s%s", lock.named ? " (most for " : "", lock.named ? lock.text : "", lock.named ? ")" : "");
	else
		snprintf(text.text, sizeof text.text, "%.110s", lock.named ? lock.text : "a lock");
	return text;
}

static void judge_lock(struct findings *all, const struct evidence *evidence)
{
	const char *waiter = name_of(evidence->node), *holder = evidence->other ? evidence->other->name : "an unknown context";
	double share = percent(evidence->ns, all->wall_ns);
	struct finding *finding;
	uint64_t io_ns, off_ns;

	if (share < LOCK_PERCENT)
		return;
	off_ns = held_off_ns(evidence->other, all->to->view->profile->metrics, &io_ns);
	if (io_ns || off_ns)
		finding = finding_add(all, "lock-held-across-wait", evidence->ns, share, "Let the lock go before waiting: do the I/O or the sleep outside of it.");
	else
		finding = finding_add(all, "lock-contention", evidence->ns, share, "Hold the lock for less, or split what it protects.");
	if (!finding)
		return;
	if (io_ns || off_ns)
		say(finding, "%.80s waited %s (%s) for %s that %.80s held; that one spent %s %s", waiter, human_ns(evidence->ns).text,
		    times_text(evidence->count).text, locks_text(all, evidence).text, holder, human_ns(io_ns > off_ns ? io_ns : off_ns).text,
		    io_ns > off_ns ? "in I/O" : "blocked on files or disks, or asleep");
	else
		say(finding, "%.80s waited %s (%s, %s %% of all time) for %s held by %.80s", waiter, human_ns(evidence->ns).text,
		    times_text(evidence->count).text, human_percent(evidence->ns, all->wall_ns).text, locks_text(all, evidence).text, holder);
	finding->node = evidence->node;
	snprintf(finding->command, sizeof finding->command, "locks");
}

/* --- allocations --- */

static void judge_churn(struct findings *all, const struct evidence *evidence)
{
	double share = percent(evidence->temporary, evidence->count);
	struct finding *finding;

	if (evidence->count < CHURN_CALLS || share < CHURN_PERCENT)
		return;
	finding = finding_add(all, "allocation-churn", evidence->temporary * 20, share, "Keep one buffer instead of allocating it again each time.");
	if (!finding)
		return;
	say(finding, "%.120s allocates %s times (%s), %s %% of it freed by the same thread before its next allocation%s", name_of(evidence->node),
	    human_count(evidence->count).text, human_bytes(evidence->bytes).text, human_percent(evidence->temporary, evidence->count).text,
	    parts_text(evidence->processes, "processes").text);
	finding->node = evidence->node;
	snprintf(finding->command, sizeof finding->command, "memory");
}

static void judge_leak(struct findings *all, const struct evidence *evidence)
{
	struct finding *finding;

	if (evidence->left_bytes < LEAK_BYTES || evidence->left_count < 2 || !evidence->node)
		return;
	finding = finding_add(all, "leak", 0, percent(evidence->left_bytes, evidence->bytes), "Free it, or say that it is meant to live as long as the process.");
	if (!finding)
		return;
	say(finding, "%.120s left %s in %s allocations unfreed, %s %% of what it allocated%s", name_of(evidence->node), human_bytes(evidence->left_bytes).text,
	    human_count(evidence->left_count).text, human_percent(evidence->left_bytes, evidence->bytes).text,
	    parts_text(evidence->processes, "processes").text);
	finding->weight_bytes = evidence->left_bytes;
	finding->node = evidence->node;
	snprintf(finding->command, sizeof finding->command, "leaks");
}

static struct cprof_error *find_in_facts(struct findings *all)
{
	struct evidence_list list;
	struct cprof_error *error = evidence_collect(all->to->view->profile, &list);

	if (error)
		return error;
	find_run_queue(all);
	for (size_t i = 0; i < list.nr; i++) {
		const struct evidence *evidence = &list.items[i];

		switch (evidence->kind) {
		case EVIDENCE_SYNC:
			judge_sync(all, evidence);
			break;
		case EVIDENCE_WRITE:
			judge_write(all, evidence);
			break;
		case EVIDENCE_LOCK:
			judge_lock(all, evidence);
			break;
		case EVIDENCE_ALLOCATION:
			judge_churn(all, evidence);
			judge_leak(all, evidence);
			break;
		}
	}
	evidence_deinit(&list);
	return NULL;
}

/* --- showing --- */

static int compare_findings(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	if (a->weight_ns != b->weight_ns)
		return a->weight_ns < b->weight_ns ? 1 : -1;
	if (a->weight_bytes != b->weight_bytes)
		return a->weight_bytes < b->weight_bytes ? 1 : -1;
	return strcmp(a->text, b->text);
}

/* In order; of each kind those with most weight. */
static void findings_choose(struct findings *all)
{
	size_t kept = 0;

	if (all->nr)
		qsort(all->items, all->nr, sizeof *all->items, compare_findings);
	for (size_t i = 0; i < all->nr; i++) {
		size_t of_kind = 0;

		for (size_t j = 0; j < kept; j++)
			of_kind += strcmp(all->items[j].kind, all->items[i].kind) == 0;
		if (of_kind < OF_KIND_MAX)
			all->items[kept++] = all->items[i];
	}
	all->nr = kept;
}

/* Wrapped at the style's width. */
static void print_text(FILE *out, const struct text_style *style, const char *lead, const char *text)
{
	unsigned column = (unsigned)fprintf(out, "%s", lead);
	unsigned indent = column;

	while (*text) {
		size_t length = strcspn(text, " ");
		char word[256];

		snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, text);
		if (column > indent && column + 1 + text_columns(style, word) > style->width) {
			fputc('\n', out);
			text_pad(out, indent);
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		column += text_print(style, out, word, style->width - indent);
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}

static void finding_print(const struct kernel_view *to, size_t number, const struct finding *finding, const struct run_info *run)
{
	char lead[32];

	snprintf(lead, sizeof lead, "%2zu. ", number);
	text_color(to->style, to->out, TEXT_BOLD);
	print_text(to->out, to->style, lead, finding->text);
	text_color(to->style, to->out, TEXT_PLAIN);
	if (finding->node)
		place_print(to, finding->node, 6);
	if (finding->file) {
		text_pad(to->out, 6);
		text_print(to->style, to->out, finding->file, to->style->width - 6);
		fputc('\n', to->out);
	}
	print_text(to->out, to->style, "    ", finding->advice);
	text_color(to->style, to->out, TEXT_DIM);
	fprintf(to->out, "    more: cprof-analyze %s", finding->command);
	run_info_operands(to->out, to->style, run);
	text_color(to->style, to->out, TEXT_PLAIN);
	fputs("\n\n", to->out);
}

static void finding_json(const struct kernel_view *to, const struct finding *finding)
{
	json_line(to->json);
	json_begin_object(to->json, NULL);
	json_text(to->json, "kind", finding->kind);
	json_text(to->json, "text", finding->text);
	json_double(to->json, "share_percent", finding->share);
	json_u64(to->json, "weight_ns", finding->weight_ns);
	path_json(to->json, "path", finding->node);
	json_text(to->json, "file", finding->file);
	json_text(to->json, "advice", finding->advice);
	json_text(to->json, "command", finding->command);
	json_end_object(to->json);
}

/* What could not be judged. */
static void print_unjudged(const struct kernel_view *to)
{
	uint32_t metrics = to->view->profile->metrics;
	const char *names[] = { metrics & METRIC_BIT(BLOCKED) ? NULL : "waiting", metrics & METRIC_BIT(IO_NS) ? NULL : "I/O", metrics & METRIC_BIT(LOCK_NS) ? NULL : "locks" };
	const char *before = "Not judged: ";

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!names[i])
			continue;
		fprintf(to->out, "%s%s", before, names[i]);
		before = ", ";
	}
	if (before[0] == ',')
		fputs(" (to record: cprof-record --all -- PROGRAM).\n", to->out);
	if (!(metrics & METRIC_BIT(ALLOC_BYTES)))
		fputs("Not judged: allocations (to record them: cprof-record --memory -- PROGRAM).\n", to->out);
}

static struct cprof_error *find_all(struct findings *all)
{
	struct cprof_error *error = find_in_rows(all);

	if (!error)
		error = find_in_facts(all);
	return error || !all->no_memory ? error : &cprof_enomem;
}

struct cprof_error *advice_show(const struct kernel_view *to, const struct run_info *run)
{
	struct findings all = { .to = to, .wall_ns = profile_ns(to->view->profile, to->view->profile->root->numbers.total_ticks) };
	struct cprof_error *error = find_all(&all);

	if (error) {
		free(all.items);
		return error;
	}
	findings_choose(&all);
	if (to->json)
		json_begin_array(to->json, "findings");
	else if (!all.nr)
		fputs(all.wall_ns ? "Nothing stands out.\n" : "No calls were recorded: there is nothing to judge (cpu, off-cpu, io and locks show what the kernel saw).\n", to->out);
	for (size_t i = 0; i < all.nr && i < to->limit && !ferror(to->out); i++) {
		if (to->json)
			finding_json(to, &all.items[i]);
		else
			finding_print(to, i + 1, &all.items[i], run);
	}
	if (to->json)
		json_end_array(to->json);
	else if (all.wall_ns)
		print_unjudged(to);
	free(all.items);
	return NULL;
}
