/* SPDX-License-Identifier: BSD-2-Clause */
#include "causes_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "human.h"

enum { CALLEES_SHOWN = 10, CAUSES_MAX = 2 + CPROF_BLOCKED_COUNT + 1 };

struct cause { /* a part of a call's time, in both groups, ns of all calls together */
	const char *name;
	uint64_t ns[NR_CALL_GROUPS];
};

static uint64_t to_ns(const struct causes_report *report, uint64_t ticks)
{
	return report->hz > 0 ? (uint64_t)((long double)ticks * 1e9L / (long double)report->hz + 0.5L) : ticks;
}

/* What is left when the scheduler's part is taken away; never less than nothing. */
static uint64_t cpu_ns(const struct causes_report *report, const struct cause_sums *sums)
{
	uint64_t wall = to_ns(report, sums->wall_ticks - sums->unknown_ticks), off = sums->runq_ns;

	for (size_t c = 0; c < CPROF_BLOCKED_COUNT; c++)
		off += sums->blocked_ns[c];
	return wall > off ? wall - off : 0;
}

static const char *const blocked_names[CPROF_BLOCKED_COUNT] = {
#define CPROF_X(name, number, key, what) [number] = "blocked: " key,
	CPROF_BLOCKED_CLASSES(CPROF_X)
#undef CPROF_X
};

static size_t causes_make(const struct causes_report *report, const struct cause_sums *sums, struct cause *causes)
{
	size_t nr = 0;

	causes[nr++] = (struct cause){ "on-CPU", { cpu_ns(report, &sums[0]), cpu_ns(report, &sums[1]) } };
	causes[nr++] = (struct cause){ "run queue", { sums[0].runq_ns, sums[1].runq_ns } };
	for (size_t c = 0; c < CPROF_BLOCKED_COUNT; c++)
		causes[nr++] = (struct cause){ blocked_names[c], { sums[0].blocked_ns[c], sums[1].blocked_ns[c] } };
	causes[nr++] = (struct cause){ "not known", { to_ns(report, sums[0].unknown_ticks), to_ns(report, sums[1].unknown_ticks) } };
	return nr;
}

static uint64_t per_call(uint64_t value, uint64_t calls)
{
	return calls ? value / calls + (value % calls >= calls - calls / 2) : 0;
}

static const char *callee_name(const struct causes_report *report, const struct cause_callee *callee)
{
	return callee->function == FUNCTION_NONE ? report->function : session_names_text(report->names, callee->function);
}

/* --- text --- */

static void print_difference(FILE *out, uint64_t slow, uint64_t rest)
{
	char text[40];

	if (slow == rest)
		snprintf(text, sizeof text, "0");
	else
		snprintf(text, sizeof text, "%c%s", slow > rest ? '+' : '-', human_ns(slow > rest ? slow - rest : rest - slow).text);
	fprintf(out, " %10s", text);
}

static void print_line(FILE *out, const struct text_style *style, const char *name, unsigned indent, uint64_t slow, uint64_t rest, uint64_t difference)
{
	text_pad(out, indent);
	text_pad(out, 32 - indent - text_print_name(style, out, name, 31 - indent));
	fprintf(out, "%10s", human_ns(slow).text);
	fprintf(out, " %10s", human_ns(rest).text);
	print_difference(out, slow, rest);
	if (difference && slow > rest)
		fprintf(out, "  %5s", human_percent(slow - rest, difference).text);
	fputc('\n', out);
}

static void print_causes(FILE *out, const struct text_style *style, const struct causes_report *report, const struct cause_sums *sums, unsigned indent,
			 const uint64_t *calls, uint64_t difference)
{
	struct cause causes[CAUSES_MAX];
	size_t nr = causes_make(report, sums, causes);

	for (size_t i = 0; i < nr; i++)
		if (causes[i].ns[0] || causes[i].ns[1])
			print_line(out, style, causes[i].name, indent, per_call(causes[i].ns[0], calls[0]), per_call(causes[i].ns[1], calls[1]), difference);
}

struct ranked_callee {
	const struct cause_callee *callee;
	uint64_t slow_ns, rest_ns;
};

static int compare_ranks(const void *left, const void *right)
{
	const struct ranked_callee *a = left, *b = right;
	int64_t a_more = (int64_t)(a->slow_ns - a->rest_ns), b_more = (int64_t)(b->slow_ns - b->rest_ns);

	return a_more != b_more ? (a_more < b_more ? 1 : -1) : a->slow_ns < b->slow_ns ? 1 : a->slow_ns > b->slow_ns ? -1 : 0;
}

/* Those that explain most of the difference first. NULL: no memory. */
static struct ranked_callee *rank_callees(const struct causes_report *report, const uint64_t *calls)
{
	const struct call_causes *causes = report->causes;
	struct ranked_callee *ranks = calloc(causes->nr_callees + 1, sizeof *ranks);

	for (size_t i = 0; ranks && i < causes->nr_callees; i++) {
		const struct cause_callee *callee = &causes->callees[i];

		ranks[i] = (struct ranked_callee){ callee, per_call(to_ns(report, callee->sums[0].wall_ticks), calls[0]),
						   per_call(to_ns(report, callee->sums[1].wall_ticks), calls[1]) };
	}
	if (ranks)
		qsort(ranks, causes->nr_callees, sizeof *ranks, compare_ranks);
	return ranks;
}

static void print_callees(FILE *out, const struct text_style *style, const struct causes_report *report, const uint64_t *calls, uint64_t difference)
{
	struct ranked_callee *ranks = rank_callees(report, calls);

	for (size_t i = 0; ranks && i < report->causes->nr_callees && i < CALLEES_SHOWN; i++) {
		const struct cause_callee *callee = ranks[i].callee;
		char name[256];

		snprintf(name, sizeof name, "%s%.200s%s", callee->function == FUNCTION_NONE ? "in " : "in ", callee_name(report, callee),
			 callee->function == FUNCTION_NONE ? " itself" : "");
		print_line(out, style, name, 0, ranks[i].slow_ns, ranks[i].rest_ns, difference);
		if (report->causes->times)
			print_causes(out, style, report, callee->sums, 4, calls, difference);
	}
	if (ranks && report->causes->nr_callees > CALLEES_SHOWN)
		fprintf(out, "(%zu more callees)\n", report->causes->nr_callees - CALLEES_SHOWN);
	free(ranks);
}

static const struct cprof_thread *thread_of(const struct causes_report *report, const struct slow_call *call)
{
	return &trace_tables(session_trace(report->session, call->trace))->threads[call->thread];
}

static uint64_t since_start_ns(const struct causes_report *report, const struct slow_call *call)
{
	return to_ns(report, call->start_ticks > report->start_ticks ? call->start_ticks - report->start_ticks : 0);
}

/* The command that shows it goes to a line of its own where there is no room. */
static void print_slow_call(FILE *out, const struct text_style *style, const struct causes_report *report, const struct slow_call *call)
{
	uint64_t start_ns = since_start_ns(report, call);
	unsigned column = (unsigned)fprintf(out, "  %10s", human_ns(to_ns(report, call->ticks)).text);
	char range[64];

	snprintf(range, sizeof range, "replay %s--time=%" PRIu64 "ns:%" PRIu64 "ns", session_nr_traces(report->session) > 1 ? "--session " : "", start_ns, start_ns + to_ns(report, call->ticks) + 1);
	column += (unsigned)fprintf(out, "  at %s in ", human_ns(start_ns).text);
	column += text_print(style, out, thread_of(report, call)->name, 16);
	column += (unsigned)fprintf(out, " [%" PRIu32 "]", thread_of(report, call)->tid);
	fprintf(out, "%s%s\n", column + 3 + strlen(range) > style->width ? "\n                " : "   ", range);
}

void causes_report_text(FILE *out, const struct text_style *style, const struct causes_report *report)
{
	const struct call_causes *causes = report->causes;
	const uint64_t calls[] = { causes->sums[0].calls, causes->sums[1].calls };
	uint64_t slow = per_call(to_ns(report, causes->sums[0].wall_ticks), calls[0]), rest = per_call(to_ns(report, causes->sums[1].wall_ticks), calls[1]);
	uint64_t difference = slow > rest ? slow - rest : 0;

	text_color(style, out, TEXT_BOLD);
	text_print_name(style, out, report->function, style->width);
	text_color(style, out, TEXT_PLAIN);
	fprintf(out, "\n  %s call%s that ended; ", human_count(calls[0] + calls[1]).text, calls[0] + calls[1] == 1 ? "" : "s");
	fprintf(out, "the slowest %s (%s %%) took ", human_count(calls[0]).text, human_percent(calls[0], calls[0] + calls[1]).text);
	fprintf(out, "%s or more each\n\n", human_ns(to_ns(report, causes->limit_ticks)).text);
	fprintf(out, "%-32s%10s %10s %10s  %5s\n", "per call", "slowest", "others", "more", "%");
	print_line(out, style, "wall time", 0, slow, rest, difference);
	if (causes->times)
		print_causes(out, style, report, causes->sums, 4, calls, difference);
	fputc('\n', out);
	print_callees(out, style, report, calls, difference);
	if (causes->sums[0].faults || causes->sums[1].faults || causes->sums[0].switches || causes->sums[1].switches)
		fprintf(out, "\n%-32s%10.1f %10.1f\n%-32s%10.1f %10.1f\n", "page faults per call", calls[0] ? (double)causes->sums[0].faults / (double)calls[0] : 0,
			calls[1] ? (double)causes->sums[1].faults / (double)calls[1] : 0, "switches per call",
			calls[0] ? (double)causes->sums[0].switches / (double)calls[0] : 0, calls[1] ? (double)causes->sums[1].switches / (double)calls[1] : 0);
	fputs("\nslowest calls\n", out);
	for (size_t i = 0; i < causes->nr_slowest; i++)
		print_slow_call(out, style, report, &causes->slowest[i]);
	if (!causes->times)
		fputs("\nWhat the scheduler did is not known: a run under cprof-record --off-cpu splits\nthis by cause, too.\n", out);
}

/* --- JSON --- */

static void json_sums(struct json_writer *json, const char *key, const struct causes_report *report, const struct cause_sums *sums)
{
	json_begin_object(json, key);
	json_u64(json, "calls", sums->calls);
	json_u64(json, "wall_ns", to_ns(report, sums->wall_ticks));
	if (report->causes->times) {
		static const char *const keys[CPROF_BLOCKED_COUNT] = {
#define CPROF_X(name, number, text, what) [number] = text,
			CPROF_BLOCKED_CLASSES(CPROF_X)
#undef CPROF_X
		};

		json_u64(json, "cpu_ns", cpu_ns(report, sums));
		json_u64(json, "runq_ns", sums->runq_ns);
		json_begin_object(json, "blocked_by");
		for (size_t c = 0; c < CPROF_BLOCKED_COUNT; c++)
			json_u64(json, keys[c], sums->blocked_ns[c]);
		json_end_object(json);
		json_u64(json, "unexplained_ns", to_ns(report, sums->unknown_ticks));
		json_u64(json, "faults", sums->faults);
		json_u64(json, "switches", sums->switches);
	}
	json_end_object(json);
}

void causes_report_json(struct json_writer *json, const struct causes_report *report)
{
	const struct call_causes *causes = report->causes;

	json_text(json, "function", report->function);
	json_u64(json, "limit_ns", to_ns(report, causes->limit_ticks));
	json_sums(json, "slow", report, &causes->sums[CALLS_SLOW]);
	json_sums(json, "rest", report, &causes->sums[CALLS_REST]);
	json_begin_array(json, "parts");
	for (size_t i = 0; i < causes->nr_callees; i++) {
		const struct cause_callee *callee = &causes->callees[i];

		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", callee_name(report, callee));
		json_bool(json, "itself", callee->function == FUNCTION_NONE);
		json_sums(json, "slow", report, &callee->sums[CALLS_SLOW]);
		json_sums(json, "rest", report, &callee->sums[CALLS_REST]);
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_array(json, "slowest");
	for (size_t i = 0; i < causes->nr_slowest; i++) {
		const struct slow_call *call = &causes->slowest[i];

		json_begin_object(json, NULL);
		json_text(json, "thread", thread_of(report, call)->name);
		json_u64(json, "tid", thread_of(report, call)->tid);
		json_u64(json, "start_ns", since_start_ns(report, call));
		json_u64(json, "duration_ns", to_ns(report, call->ticks));
		json_end_object(json);
	}
	json_end_array(json);
}
