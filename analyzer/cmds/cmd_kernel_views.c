/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze off-cpu, locks, io, memory, leaks and cpu: what the kernel half and the allocation interposer tell, by context. */
#include "analysis.h"
#include "commands.h"
#include "kernel_panel.h"
#include "kernel_views.h"

struct kernel_view_args {
	struct source_args source;
	struct select_args select;
	struct text_args text;
	struct output_args output;
	unsigned format;
	uint64_t limit;
	struct cprof_error *(*show)(const struct kernel_view *to);
};

enum { ROWS = 15 };

#define DEFAULTS(view) { .limit = ROWS, .show = view }
static const struct kernel_view_args off_cpu_defaults = DEFAULTS(off_cpu_view), locks_defaults = DEFAULTS(locks_view), io_defaults = DEFAULTS(io_view),
				     memory_defaults = DEFAULTS(memory_view), leaks_defaults = DEFAULTS(leaks_view), cpu_defaults = DEFAULTS(cpu_view);

static const struct cprof_option sum_options[] = {
	OPT_CHOICE("format", 0, kernel_view_args, format, format_names_json, "form of the result"),
	OPT_COUNT("limit", 'n', kernel_view_args, limit, "rows shown (15); JSON: all of them unless it is given"),
	OPT_TEXT("time", 0, kernel_view_args, select.time, "A:B", "only from A to B after the start: 10ms:1.5s, 250us:, :40%"),
	OUTPUT_OPTIONS(kernel_view_args, output),
	TEXT_OPTIONS(kernel_view_args, text),
	SOURCE_OPTIONS(kernel_view_args, source),
	OPT_END
};

/* Where it is a view of the tree. */
static const struct cprof_option tree_options[] = {
	OPT_CHOICE("format", 0, kernel_view_args, format, format_names_json, "form of the result"),
	OPT_COUNT("limit", 'n', kernel_view_args, limit, "rows shown (15); JSON: all of them unless it is given"),
	FILTER_OPTIONS(kernel_view_args, select),
	SELECT_OPTIONS(kernel_view_args, select),
	OUTPUT_OPTIONS(kernel_view_args, output),
	TEXT_OPTIONS(kernel_view_args, text),
	SOURCE_OPTIONS(kernel_view_args, source),
	OPT_END
};

static struct cprof_error *print_view(FILE *out, const void *pointer, const struct analysis *analysis)
{
	const struct kernel_view_args *args = pointer;
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct json_writer json;
	struct kernel_view to = { out, &style, &analysis->view, args->format == FORMAT_JSON ? &json : NULL, args->limit };
	struct cprof_error *error;

	if (to.json && to.limit == ROWS)
		to.limit = UINT64_MAX;
	if (to.json)
		analysis_json_begin(&json, out, analysis);
	error = args->show(&to);
	if (error)
		return error;
	if (to.json) {
		analysis_json_end(&json);
	} else {
		fputc('\n', out);
		kernel_panel_text(out, &style, analysis->profile);
	}
	return NULL;
}

static struct cprof_error *run_view(const void *pointer, const struct cprof_operands *operands)
{
	const struct kernel_view_args *args = pointer;
	const struct analysis_report report = { args->output.path, print_view, args };

	return analysis_write(operands, &args->source, &args->select, CALL_SORT_TOTAL, &report);
}

#define KERNEL_COMMAND(variable, word, one_line, text, example_text, table, initial) \
	const struct cprof_command variable = { \
		.name = word, .operands = "[TRACE...]", .summary = one_line, .description = text, .examples = example_text, .options = table, \
		.defaults = &initial, .args_bytes = sizeof initial, .run = run_view, \
	}

#define BESIDE " Needs a run under cprof-record (trace.bpf.lz4 beside the trace); a trace.bpf.lz4 alone is shown by processes and stacks."

KERNEL_COMMAND(off_cpu_command, "off-cpu", "where threads waited, for what, and who woke them",
	       "Prints the contexts that spent most time off the processor, by reason: lock, disk, file, poll, sleep, other, run-queue (ready, without a processor), stopped. Times are "
	       "exact (of processes without a trace, with --time, by the recorder's windows); kernel stacks, files and wakers are those of intervals above the recorder's threshold." BESIDE,
	       "off-cpu trace.lz4\noff-cpu --focus=serve --format=json trace.lz4", tree_options, off_cpu_defaults);
KERNEL_COMMAND(locks_command, "locks", "who waited for which lock, and who held it",
	       "Prints waits in futex calls: how long and how often, the lock's class and address, the context that waited and the one that held it. Percentiles are ends of "
	       "power-of-two buckets." BESIDE,
	       "locks trace.lz4", sum_options, locks_defaults);
KERNEL_COMMAND(io_command, "io", "file and block I/O: latency by call, file, context and device",
	       "Prints system calls on files with their latency distribution, then by file and by context, and requests of block devices: time queued and time in the device. "
	       "Percentiles are ends of power-of-two buckets." BESIDE,
	       "io trace.lz4\nio --format=json trace.lz4 | jq .by_file", sum_options, io_defaults);
KERNEL_COMMAND(memory_command, "memory", "allocations by context: bytes, count, average, peak, temporary",
	       "Prints the contexts that allocated most. Temporary are allocations freed by the same thread before it allocated again. Exact counts of the allocation interposer, or "
	       "of the recorder's probes for other programs.",
	       "memory trace.lz4", sum_options, memory_defaults);
KERNEL_COMMAND(leaks_command, "leaks", "what was allocated and never freed, by context",
	       "Prints the contexts whose allocations were not freed when the process ended.", "leaks trace.lz4", sum_options, leaks_defaults);
KERNEL_COMMAND(cpu_command, "cpu", "the hottest places on the processor, below recorded functions too",
	       "Prints functions, and frames of libraries and the kernel below them (marked ~), by CPU samples, with the path that has most of each. on-CPU is exact, samples "
	       "are not." BESIDE,
	       "cpu trace.lz4\ncpu --focus=parse trace.lz4", tree_options, cpu_defaults);
