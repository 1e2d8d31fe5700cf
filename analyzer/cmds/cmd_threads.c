/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze threads: a line for each thread. */
#include "analysis.h"
#include "commands.h"
#include "human_ticks.h"

#include <inttypes.h>

#include "numbers_json.h"

struct threads_args {
	struct source_args source;
	struct text_args text;
	struct output_args output;
	unsigned format;
};

static const struct threads_args threads_defaults;

static const struct cprof_option threads_options[] = {
	OPT_CHOICE("format", 0, threads_args, format, format_names, "form of the result"),
	OUTPUT_OPTIONS(threads_args, output),
	TEXT_OPTIONS(threads_args, text),
	SOURCE_OPTIONS(threads_args, source),
	OPT_END
};

struct thread_sums {
	uint64_t calls, open, repaired, contexts;
	const struct call_node *hottest; /* most self time */
};

static struct thread_sums sum_thread(const struct call_node *thread)
{
	struct thread_sums sums = { 0, 0, 0, 0, NULL };
	size_t depth = 0;

	for (const struct call_node *node = thread; node; node = call_node_next(thread, node, false, &depth)) {
		if (node->kind != NODE_FUNCTION)
			continue;
		sums.calls += node->numbers.calls;
		sums.open += node->numbers.open;
		sums.repaired += node->numbers.repaired;
		sums.contexts++;
		if (!sums.hottest || node->numbers.self_ticks > sums.hottest->numbers.self_ticks)
			sums.hottest = node;
	}
	return sums;
}

static void print_thread(FILE *out, const struct threads_args *args, const struct text_style *style, const struct profile *profile, struct json_writer *json,
			 const struct call_node *thread)
{
	struct thread_sums sums = sum_thread(thread);
	const char *hottest = sums.hottest ? sums.hottest->name : "";
	uint64_t total = thread->numbers.total_ticks;

	if (args->format == FORMAT_JSON) {
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", thread->name);
		json_u64(json, "calls", sums.calls);
		json_u64(json, "open", sums.open);
		json_u64(json, "repaired", sums.repaired);
		json_u64(json, "contexts", sums.contexts);
		json_u64(json, "total_ns", profile_ns(profile, total));
		json_text(json, "hottest", sums.hottest ? hottest : NULL);
		json_end_object(json);
	} else if (args->format == FORMAT_CSV) {
		csv_text(out, thread->name);
		fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", sums.calls, sums.open, sums.repaired, sums.contexts,
			profile_ns(profile, total));
		csv_text(out, hottest);
		fputs("\r\n", out);
	} else {
		fprintf(out, "%8s ", human_ticks(profile, total).text);
		fprintf(out, "%5s ", human_percent(total, profile->root->numbers.total_ticks).text);
		fprintf(out, "%13s ", human_count(sums.calls).text);
		fprintf(out, "%9s  ", human_count(sums.contexts).text);
		text_pad(out, 24 - text_print(style, out, thread->name, 24));
		fputs("  ", out);
		text_print_name(style, out, hottest, style->width - 66);
		fputc('\n', out);
	}
}

static struct cprof_error *print_threads(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct threads_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	const struct call_node *root = analysis->view.root;
	struct json_writer json;
	size_t depth = 0;

	if (args->format == FORMAT_JSON) {
		analysis_json_begin(&json, out, analysis);
		json_begin_array(&json, "threads");
	} else if (args->format == FORMAT_CSV) {
		fputs("name,calls,open,repaired,contexts,total_ns,hottest\r\n", out);
	} else {
		fputs("   total     %         calls  contexts  thread                    most self in\n", out);
	}
	for (const struct call_node *node = root; node && !ferror(out); node = call_node_next(root, node, node->kind == NODE_THREAD, &depth))
		if (node->kind == NODE_THREAD)
			print_thread(out, args, &style, analysis->profile, &json, node);
	if (args->format == FORMAT_JSON) {
		json_end_array(&json);
		analysis_json_end(&json);
	}
	return NULL;
}

static struct cprof_error *run_threads(const void *pointer, const struct cprof_operands *operands)
{
	const struct threads_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_threads, args };
	const struct select_args select = { .by_thread = true };

	return analysis_write(operands, &args->source, &select, CALL_SORT_TOTAL, &report);
}

const struct cprof_command threads_command = {
	.name = "threads",
	.operands = "[TRACE...]",
	.summary = "the threads with their time and calls",
	.examples = "threads trace.lz4\ntree --thread=1234 trace.lz4",
	.options = threads_options,
	.defaults = &threads_defaults,
	.args_bytes = sizeof threads_defaults,
	.run = run_threads,
};
