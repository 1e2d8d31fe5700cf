/* SPDX-License-Identifier: BSD-2-Clause */
#include "advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "call_rows.h"
#include "human_ticks.h"
#include "kernel_facts.h"

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
	FINDINGS_MAX = 64, OF_KIND_MAX = 3,
};

struct finding {
	const char *kind, *advice;
	char text[320], command[96];
	const struct call_node *node; /* or NULL */
	const char *file;             /* or NULL */
	uint64_t weight_ns;           /* for the order */
	double share;                 /* of what its text says */
};

struct findings {
	const struct kernel_view *to;
	struct finding items[FINDINGS_MAX];
	size_t nr;
	uint64_t wall_ns;             /* of all threads */
};

/* NULL when there are enough. */
static struct finding *finding_add(struct findings *all, const char *kind, uint64_t weight_ns, double share, const char *advice)
{
	size_t of_kind = 0;

	for (size_t i = 0; i < all->nr; i++)
		of_kind += strcmp(all->items[i].kind, kind) == 0;
	if (all->nr == FINDINGS_MAX || of_kind == OF_KIND_MAX)
		return NULL;
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
				      "More threads want to run than there are processors: use fewer, or expect times to vary with the machine's load.");
	if (!finding)
		return;
	say(finding, "threads were ready to run without a processor for %s, %s %% of their time", human_ns(runq).text, human_percent(runq, all->wall_ns).text);
	snprintf(finding->command, sizeof finding->command, "tree --columns=total,runq,cpu --sort=runq");
}

enum { SYSCALL_WRITE = 1, SYSCALL_PWRITE = 18, SYSCALL_FSYNC = 74, SYSCALL_FDATASYNC = 75 };

static const char *file_of(const struct profile *profile, const struct sum_fact *fact)
{
	return kernel_file_name(session_kernel(profile->kernel_names->session, fact->place.image.kernel), fact->device, fact->object);
}

static const char *name_of(const struct call_node *node)
{
	return node ? node->name : "code outside of every recorded call";
}

static void find_io(struct findings *all, const struct sum_fact *fact)
{
	const struct profile *profile = all->to->view->profile;
	const struct call_node *node = place_node(profile, &fact->place);
	bool sync = fact->sub == SYSCALL_FSYNC || fact->sub == SYSCALL_FDATASYNC, write = fact->sub == SYSCALL_WRITE || fact->sub == SYSCALL_PWRITE;
	struct finding *finding = NULL;

	if (sync && fact->count >= SYNC_CALLS && percent(fact->ns, all->wall_ns) >= SYNC_PERCENT) {
		finding = finding_add(all, "sync-in-loop", fact->ns, percent(fact->ns, all->wall_ns),
				      "Collect several changes for one sync, or let another thread do it, if what may be lost at a crash allows it.");
		if (finding)
			say(finding, "%.120s syncs a file %s times: %s, %s %% of all time", name_of(node), human_count(fact->count).text, human_ns(fact->ns).text,
			    human_percent(fact->ns, all->wall_ns).text);
	} else if (write && fact->count >= SMALL_WRITES && fact->bytes / fact->count < SMALL_WRITE_BYTES) {
		finding = finding_add(all, "small-writes", fact->ns, percent(fact->ns, all->wall_ns), "Collect them in a buffer.");
		if (finding)
			say(finding, "%.120s writes %s times, %s each: %s, %s %% of all time", name_of(node), human_count(fact->count).text,
			    human_bytes(fact->bytes / fact->count).text, human_ns(fact->ns).text, human_percent(fact->ns, all->wall_ns).text);
	}
	if (!finding)
		return;
	finding->node = node;
	finding->file = file_of(profile, fact);
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

static void find_lock(struct findings *all, const struct sum_fact *fact)
{
	const struct profile *profile = all->to->view->profile;
	const struct call_node *waiter = place_node(profile, &fact->place), *holder;
	struct fact_place place = fact->place;
	struct finding *finding;
	uint64_t io_ns, off_ns;

	if ((fact->sub != CPROF_LOCK_MUTEX && fact->sub != CPROF_LOCK_RWLOCK) || percent(fact->ns, all->wall_ns) < LOCK_PERCENT)
		return;
	place.context = fact->other;
	holder = fact->other ? place_node(profile, &place) : NULL;
	off_ns = held_off_ns(holder, profile->metrics, &io_ns);
	if (io_ns || off_ns) {
		finding = finding_add(all, "lock-held-across-wait", fact->ns, percent(fact->ns, all->wall_ns), "Let the lock go before waiting: do the I/O or the sleep outside of it.");
		if (finding)
			say(finding, "%.80s waited %s (%s times) for a lock that %.80s held; that one spent %s %s", name_of(waiter),
			    human_ns(fact->ns).text, human_count(fact->count).text, name_of(holder), human_ns(io_ns > off_ns ? io_ns : off_ns).text,
			    io_ns > off_ns ? "in I/O" : "blocked on files or disks, or asleep");
	} else {
		finding = finding_add(all, "lock-contention", fact->ns, percent(fact->ns, all->wall_ns), "Hold the lock for less, or split what it protects.");
		if (finding)
			say(finding, "%.80s waited %s (%s times, %s %% of all time) for a lock held by %.80s", name_of(waiter), human_ns(fact->ns).text,
			    human_count(fact->count).text, human_percent(fact->ns, all->wall_ns).text, holder ? holder->name : "an unknown context");
	}
	if (!finding)
		return;
	finding->node = waiter;
	snprintf(finding->command, sizeof finding->command, "locks");
}

/* --- allocations --- */

static void find_allocations(struct findings *all, uint32_t trace, const struct cprof_alloc *alloc)
{
	const struct profile *profile = all->to->view->profile;
	const struct fact_place place = { .trace = trace, .context = alloc->context };
	const struct call_node *node = place_node(profile, &place);
	uint64_t live = alloc->bytes > alloc->freed_bytes ? alloc->bytes - alloc->freed_bytes : 0;
	struct finding *finding;

	if (alloc->calls >= CHURN_CALLS && percent(alloc->temporary_calls, alloc->calls) >= CHURN_PERCENT) {
		finding = finding_add(all, "allocation-churn", alloc->temporary_calls * 20, percent(alloc->temporary_calls, alloc->calls),
				      "Keep one buffer instead of allocating it again each time.");
		if (finding) {
			say(finding, "%.120s allocates %s times (%s), %s %% of it freed by the same thread before its next allocation", name_of(node),
			    human_count(alloc->calls).text, human_bytes(alloc->bytes).text, human_percent(alloc->temporary_calls, alloc->calls).text);
			finding->node = node;
			snprintf(finding->command, sizeof finding->command, "memory");
		}
	}
	if (live < LEAK_BYTES || alloc->calls <= alloc->freed_calls + 1 || !alloc->context)
		return;
	finding = finding_add(all, "leak", 0, percent(live, alloc->bytes), "Free it, or say that it is meant to live as long as the process.");
	if (!finding)
		return;
	say(finding, "%.120s left %s in %s allocations unfreed, %s %% of what it allocated", name_of(node), human_bytes(live).text,
	    human_count(alloc->calls - alloc->freed_calls).text, human_percent(live, alloc->bytes).text);
	finding->node = node;
	snprintf(finding->command, sizeof finding->command, "leaks");
}

static void find_in_facts(struct findings *all)
{
	const struct profile *profile = all->to->view->profile;
	const struct kernel_facts *facts = profile->kernel;
	const struct session *session = facts ? profile->kernel_names->session : NULL;

	find_run_queue(all);
	for (size_t i = 0; facts && i < facts->nr_sums; i++) {
		const struct sum_fact *fact = &facts->sums[i];

		if (fact->place.trace == FACT_NO_TRACE)
			continue;
		if (fact->kind == CPROF_SUM_SYSCALL && fact->count)
			find_io(all, fact);
		else if (fact->kind == CPROF_SUM_LOCK)
			find_lock(all, fact);
	}
	for (uint32_t t = 0; facts && t < session_nr_traces(session); t++) {
		const struct trace_tables *tables = trace_tables(session_trace(session, t));

		for (size_t i = 0; i < tables->nr_allocs; i++)
			find_allocations(all, t, &tables->allocs[i]);
	}
}

/* --- showing --- */

static int compare_findings(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	return a->weight_ns != b->weight_ns ? (a->weight_ns < b->weight_ns ? 1 : -1) : strcmp(a->text, b->text);
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

static void finding_print(const struct kernel_view *to, size_t number, const struct finding *finding, const char *const *traces, size_t nr_traces)
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
	for (size_t i = 0; i < nr_traces; i++) {
		fputc(' ', to->out);
		text_print_shell_word(to->style, to->out, traces[i]);
	}
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

	if (!(metrics & METRIC_BIT(BLOCKED)))
		fputs("Not judged: waiting, I/O and locks (to record them: cprof-record --all -- PROGRAM).\n", to->out);
	else if (!(metrics & METRIC_BIT(IO_NS)) || !(metrics & METRIC_BIT(LOCK_NS)))
		fprintf(to->out, "Not judged: %s%s%s (to record: cprof-record --all -- PROGRAM).\n", metrics & METRIC_BIT(IO_NS) ? "" : "I/O",
			!(metrics & METRIC_BIT(IO_NS)) && !(metrics & METRIC_BIT(LOCK_NS)) ? ", " : "", metrics & METRIC_BIT(LOCK_NS) ? "" : "locks");
	if (!(metrics & METRIC_BIT(ALLOC_BYTES)))
		fputs("Not judged: allocations (to record them: cprof-record --memory -- PROGRAM).\n", to->out);
}

struct cprof_error *advice_show(const struct kernel_view *to, const char *const *traces, size_t nr_traces)
{
	struct findings *all = calloc(1, sizeof *all);
	struct cprof_error *error;

	if (!all)
		return &cprof_enomem;
	all->to = to;
	all->wall_ns = profile_ns(to->view->profile, to->view->profile->root->numbers.total_ticks);
	error = find_in_rows(all);
	if (error) {
		free(all);
		return error;
	}
	find_in_facts(all);
	qsort(all->items, all->nr, sizeof *all->items, compare_findings);
	if (to->json)
		json_begin_array(to->json, "findings");
	else if (!all->nr)
		fputs(all->wall_ns ? "Nothing stands out.\n" : "No calls were recorded: there is nothing to judge (cpu, off-cpu, io and locks show what the kernel saw).\n", to->out);
	for (size_t i = 0; i < all->nr && i < to->limit && !ferror(to->out); i++) {
		if (to->json)
			finding_json(to, &all->items[i]);
		else
			finding_print(to, i + 1, &all->items[i], traces, nr_traces);
	}
	if (to->json)
		json_end_array(to->json);
	else if (all->wall_ns)
		print_unjudged(to);
	free(all);
	return NULL;
}
