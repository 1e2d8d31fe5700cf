/* SPDX-License-Identifier: BSD-2-Clause */
#include "run_info.h"

#include <time.h>

#include "human_ticks.h"
#include "kernel_panel.h"

static void json_files(struct json_writer *json, const struct run_info *run)
{
	json_begin_array(json, "files");
	for (size_t i = 0; i < run->nr_files; i++) {
		json_begin_object(json, NULL);
		json_text(json, "path", run->files[i].path);
		json_u64(json, "bytes", run->files[i].bytes);
		json_u64(json, "damaged_bytes", run->files[i].damaged_bytes);
		json_bool(json, "live", run->files[i].live_used);
		json_bool(json, "active", run->files[i].active);
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_array(json, "other_files");
	for (size_t i = 0; i < run->nr_others; i++)
		json_text(json, NULL, run->others[i]);
	json_end_array(json);
	json_begin_array(json, "modules");
	for (size_t i = 0; i < run->nr_modules; i++) {
		json_begin_object(json, NULL);
		json_text(json, "path", run->modules[i].path);
		json_text(json, "symbols", run->modules[i].status);
		json_text(json, "detail", run->modules[i].detail);
		json_end_object(json);
	}
	json_end_array(json);
	json_begin_array(json, "problems");
	for (size_t i = 0; i < run->nr_problems; i++)
		json_text(json, NULL, run->problems[i]);
	json_end_array(json);
}

void run_info_json(struct json_writer *json, const char *key, const struct run_info *run, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;

	json_begin_object(json, key);
	json_text(json, "command", run->command);
	json_text(json, "exe", run->exe);
	json_text(json, "working_directory", run->working_directory);
	json_text(json, "writer", run->writer);
	json_text(json, "mode", run->mode);
	json_u64(json, "pid", run->pid);
	json_u64(json, "start_realtime_ns", run->start_realtime_ns);
	json_u64(json, "events", info->events);
	json_u64(json, "calls", info->calls);
	json_u64(json, "contexts", info->contexts);
	json_u64(json, "edges", info->edges);
	json_u64(json, "functions", profile->nr_functions);
	json_u64(json, "threads", info->threads);
	json_u64(json, "strands", info->strands);
	json_u64(json, "processes", info->processes);
	json_u64(json, "duration_ns", profile_ns(profile, info->duration_ticks));
	json_u64(json, "lost_events", info->lost_events);
	json_u64(json, "repaired_calls", info->repaired_calls);
	json_u64(json, "unmatched_exits", info->unmatched_exits);
	json_u64(json, "open_calls", info->open_calls);
	json_u64(json, "holes", info->holes);
	json_u64(json, "clock_steps_back", info->clock_steps_back);
	json_bool(json, "clean_exit", info->clean_exit);
	json_u64(json, "execs", info->execs);
	json_u64(json, "bytes", info->trace_bytes);
	json_double(json, "clock_hz", info->clock_hz);
	json_files(json, run);
	kernel_panel_json(json, "kernel", profile);
	json_end_object(json);
}

static void print_field(FILE *out, const struct text_style *style, const char *label, const char *value)
{
	int used = fprintf(out, "%-18s", label);

	text_print(style, out, value && *value ? value : "unknown", style->width - (unsigned)used);
	fputc('\n', out);
}

static void print_count(FILE *out, const struct text_style *style, const char *label, uint64_t count)
{
	print_field(out, style, label, human_count(count).text);
}

static void print_start(FILE *out, const struct text_style *style, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char text[64];
	struct tm parts;

	if (!realtime_ns || !gmtime_r(&seconds, &parts) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts))
		return;
	print_field(out, style, "started", text);
}

void run_info_text(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile)
{
	const struct profile_info *info = &profile->info;
	char clock[64];

	print_field(out, style, "command", run->command);
	print_field(out, style, "executable", run->exe);
	print_field(out, style, "in", run->working_directory);
	print_start(out, style, run->start_realtime_ns);
	print_field(out, style, "recorded by", run->writer);
	print_field(out, style, "mode", run->mode);
	print_field(out, style, "duration", human_ticks(profile, info->duration_ticks).text);
	print_count(out, style, "processes", info->processes);
	print_count(out, style, "threads", info->threads);
	if (info->strands)
		print_count(out, style, "coroutine stacks", info->strands);
	print_count(out, style, "calls", info->calls);
	print_count(out, style, "events", info->events);
	print_count(out, style, "functions", profile->nr_functions);
	print_count(out, style, "contexts", info->contexts);
	print_count(out, style, "recursive edges", info->edges);
	for (size_t i = 0; i < run->nr_files; i++)
		print_field(out, style, i ? "" : "files", run->files[i].path);
	for (size_t i = 0; i < run->nr_others; i++)
		print_field(out, style, i ? "" : "others of the run", run->others[i]);
	print_field(out, style, "bytes", human_count(info->trace_bytes).text);
	snprintf(clock, sizeof clock, "%.3f MHz", info->clock_hz / 1e6);
	print_field(out, style, "clock", info->clock_hz > 0 ? clock : "rate unknown: times are in ticks (t)");
	for (size_t i = 0; i < run->nr_modules; i++) {
		print_field(out, style, i ? "" : "modules", run->modules[i].path);
		if (run->modules[i].detail) {
			text_pad(out, 20);
			text_print(style, out, run->modules[i].detail, style->width - 20);
			fputc('\n', out);
		}
	}
	fputc('\n', out);
	run_info_panel(out, style, run, profile);
}

/* "1 call", "2 calls". */
static bool panel_line(FILE *out, const struct text_style *style, uint64_t count, const char *one, const char *many)
{
	if (!count)
		return false;
	text_color(style, out, TEXT_WARM);
	fprintf(out, "  %s %s", human_count(count).text, count == 1 ? one : many);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	return true;
}

static bool panel_flag(FILE *out, const struct text_style *style, bool flag, const char *text)
{
	if (!flag)
		return false;
	text_color(style, out, TEXT_WARM);
	fprintf(out, "  %s", text);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	return true;
}

/* The run's other processes. */
static void panel_others(FILE *out, const struct text_style *style, const struct run_info *run)
{
	enum { OTHERS_SHOWN = 3 };

	if (!run->nr_others)
		return;
	fprintf(out, "  %zu more %s of this run (--session reads them too):", run->nr_others, run->nr_others == 1 ? "trace" : "traces");
	for (size_t i = 0; i < run->nr_others && i < OTHERS_SHOWN; i++) {
		fputc(' ', out);
		text_print(style, out, text_base_name(run->others[i]), TEXT_WIDTH_MAX);
	}
	fputs(run->nr_others > OTHERS_SHOWN ? " ...\n" : "\n", out);
}

static void panel_modules(FILE *out, const struct text_style *style, const struct run_info *run)
{
	for (size_t i = 0; i < run->nr_modules; i++) {
		if (!run->modules[i].detail)
			continue;
		text_color(style, out, TEXT_WARM);
		fputs("  symbols: ", out);
		text_print(style, out, text_base_name(run->modules[i].path), style->width / 3);
		fputs(": ", out);
		text_print(style, out, run->modules[i].detail, TEXT_WIDTH_MAX);
		text_color(style, out, TEXT_PLAIN);
		fputc('\n', out);
	}
}

void run_info_panel(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile)
{
	enum { PROBLEMS_SHOWN = 5 };
	const struct profile_info *info = &profile->info;
	bool active = false, incomplete = false, notes = false;

	for (size_t i = 0; i < run->nr_files; i++)
		active |= run->files[i].active;
	incomplete |= panel_line(out, style, info->lost_events, "event was lost", "events were lost");
	incomplete |= panel_line(out, style, info->holes, "hole: a part of the trace is missing", "holes: parts of the trace are missing");
	incomplete |= panel_flag(out, style, !info->clean_exit && !active && !run->nr_problems, "the program did not end cleanly (killed, crashed or _exit)");
	incomplete |= panel_flag(out, style, active, "the program is still running: this is what it has done so far");
	if (info->execs)
		fprintf(out, "  %s %s on as another program (exec)\n", human_count(info->execs).text,
			info->execs == 1 ? "trace ends where its process went" : "traces end where their processes went");
	notes |= panel_line(out, style, info->open_calls, "call was open when the trace ended", "calls were open when the trace ended");
	notes |= panel_line(out, style, info->repaired_calls, "call ended without an exit (longjmp, exception, exit)",
			    "calls ended without an exit (longjmp, exception, exit)");
	notes |= panel_line(out, style, info->unmatched_exits, "exit matched no open call", "exits matched no open call");
	notes |= panel_line(out, style, info->clock_steps_back, "time the clock stepped back (counted as no time)",
			    "times the clock stepped back (counted as no time)");
	panel_flag(out, style, !(info->clock_hz > 0), "the clock's rate is unknown: times are in ticks (t)");
	for (size_t i = 0; i < run->nr_problems && i < PROBLEMS_SHOWN; i++) {
		fputs("  ", out);
		text_print(style, out, run->problems[i], TEXT_WIDTH_MAX);
		fputc('\n', out);
	}
	if (run->nr_problems > PROBLEMS_SHOWN)
		fprintf(out, "  ... and %zu more (see: cprof-analyze check)\n", run->nr_problems - PROBLEMS_SHOWN);
	if (!incomplete && !run->nr_problems) {
		text_color(style, out, TEXT_GOOD);
		fprintf(out, "  complete: nothing lost%s", notes ? " (the calls above are counted)" : "");
		text_color(style, out, TEXT_PLAIN);
		fputc('\n', out);
	}
	panel_others(out, style, run);
	panel_modules(out, style, run);
	kernel_panel_text(out, style, profile);
}

void run_info_operands(FILE *out, const struct text_style *style, const struct run_info *run)
{
	enum { SHOWN = 3 };
	size_t shown = run->whole_session ? 1 : run->nr_files < SHOWN ? run->nr_files : SHOWN;

	if (run->whole_session && run->nr_files > 1)
		fputs(" --session", out);
	for (size_t i = 0; i < shown && i < run->nr_files; i++) {
		fputc(' ', out);
		text_print_shell_word(style, out, run->files[i].path);
	}
	if (!run->whole_session && run->nr_files > shown)
		fputs(" ...", out);
}
