/* SPDX-License-Identifier: BSD-2-Clause */
#include "analysis.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "module_map.h"
#include "output_file.h"
#include "session.h"
#include "session_choice.h"
#include "symbolizer.h"

static const char default_trace[] = "trace.lz4";

struct cprof_error *trace_operands(const struct cprof_operands *operands, const struct source_args *source, struct session_files *ret)
{
	static const char *const defaults[] = { default_trace };
	const char *const *paths = operands->count ? (const char *const *)operands->items : defaults;
	size_t nr_paths = operands->count ? operands->count : 1;

	if (!operands->count && access(default_trace, F_OK) < 0)
		return cprof_error_create(CPROF_ERROR_USAGE, "no trace given, and there is no trace.lz4 here");
	if (!source)
		return session_files_list(paths, nr_paths, ret);
	if (source->session && source->only)
		return cprof_error_create(CPROF_ERROR_USAGE, "either --session or --only");
	return session_files_find(paths, nr_paths, source->session ? SESSION_ALL : source->only ? SESSION_ONLY : SESSION_GIVEN, ret);
}

struct cprof_error *trace_operands_open(const struct cprof_operands *operands, const struct source_args *source, struct session_files *files,
					struct session **ret)
{
	struct cprof_error *error = trace_operands(operands, source, files);

	return error ? error : session_open((const char *const *)files->paths, files->nr_paths, ret);
}

/* Shown only when reading takes long, and wiped when it is done. */
struct progress {
	uint64_t next_ns; /* when to show the next line */
	bool shown;
};

enum { PROGRESS_FIRST_MS = 1000, PROGRESS_STEP_MS = 200, NS_PER_MS = 1000000 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void show_progress(void *context, uint64_t done_bytes, uint64_t all_bytes)
{
	struct progress *progress = context;
	uint64_t ns = now_ns();

	if (ns < progress->next_ns || !all_bytes)
		return;
	progress->next_ns = ns + (uint64_t)PROGRESS_STEP_MS * NS_PER_MS;
	progress->shown = true;
	fprintf(stderr, "\rreading: %u %%", (unsigned)(100.0 * (double)done_bytes / (double)all_bytes));
	fflush(stderr);
}

static void end_progress(const struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
}

/* What is read of the run. The choice must outlive the reading. */
static struct cprof_error *select_calls(const struct select_args *select, const struct session *session, struct session_choice *choice,
					struct profile_options *options)
{
	struct cprof_error *error = session_choice_init(choice, session, select->threads, select->time);

	if (error)
		return error;
	options->unroll = select->recursion == RECURSION_UNROLL;
	options->by_thread = select->by_thread;
	options->threads = (const bool *const *)choice->threads;
	options->from_ticks = choice->from_ticks;
	options->to_ticks = choice->to_ticks;
	options->skip_function = select->focus;
	options->skip_first = select->skip_first;
	return NULL;
}

static struct cprof_error *make_profile(struct analysis *analysis, const struct select_args *select)
{
	struct progress progress = { now_ns() + (uint64_t)PROGRESS_FIRST_MS * NS_PER_MS, false };
	struct profile_options options = { .progress = isatty(STDERR_FILENO) == 1 ? show_progress : NULL, .progress_context = &progress };
	struct session_choice choice = { 0 };
	struct cprof_error *error = select ? select_calls(select, analysis->session, &choice, &options) : NULL;

	if (error)
		return error;
	options.functions_only = select && select->functions_only && !select->focus; /* a focus is found in the tree */
	error = profile_create(analysis->session, analysis->symbolizer, &options, &analysis->profile);
	end_progress(&progress);
	session_choice_deinit(&choice, analysis->session);
	return error;
}

/* threads becomes a choice of one. */
static struct cprof_error *choose_one(bool **threads, const struct session *session, size_t trace, size_t thread)
{
	for (size_t i = 0; i < session_nr_traces(session); i++) {
		threads[i] = calloc(trace_tables(session_trace(session, i))->nr_threads + 1, sizeof **threads);
		if (!threads[i])
			return &cprof_enomem;
	}
	threads[trace][thread] = true;
	return NULL;
}

static struct cprof_error *profile_one(const struct analysis *analysis, const struct select_args *select, size_t trace, size_t thread, struct profile **ret)
{
	size_t nr_traces = session_nr_traces(analysis->session);
	bool **threads = calloc(nr_traces + 1, sizeof *threads);
	struct profile_options options = { 0 };
	struct session_choice choice = { 0 };
	struct cprof_error *error = threads ? select_calls(select, analysis->session, &choice, &options) : &cprof_enomem;

	if (!error && (!choice.threads || choice.threads[trace][thread])) {
		options.by_thread = false;
		options.threads = (const bool *const *)threads;
		error = choose_one(threads, analysis->session, trace, thread);
		if (!error)
			error = profile_create(analysis->session, analysis->symbolizer, &options, ret);
	}
	session_choice_deinit(&choice, analysis->session);
	for (size_t i = 0; threads && i < nr_traces; i++)
		free(threads[i]);
	free(threads);
	return error;
}

struct cprof_error *thread_analysis_create(const struct analysis *analysis, const struct select_args *select, size_t trace, size_t thread,
					   struct thread_analysis **ret)
{
	const struct cprof_thread *record = &trace_tables(session_trace(analysis->session, trace))->threads[thread];
	struct thread_analysis *made = calloc(1, sizeof *made);
	struct call_view_options view = { .focus = select->focus };
	struct cprof_error *error = made ? profile_one(analysis, select, trace, thread, &made->profile) : &cprof_enomem;
	bool empty = error || !made->profile || !made->profile->root->first_child;

	*ret = NULL;
	if (!error && !empty)
		error = call_view_create(made->profile, &view, &made->view);
	if (error && error->code == CPROF_ERROR_NOT_FOUND) { /* the focus is in other threads */
		cprof_error_free(error);
		error = NULL;
		empty = true;
	}
	if (error || empty) {
		thread_analysis_destroy(made);
		return error;
	}
	snprintf(made->name, sizeof made->name, "%.16s [%u]", record->name[0] ? record->name : "thread", record->tid);
	*ret = made;
	return NULL;
}

void thread_analysis_destroy(struct thread_analysis *thread)
{
	if (!thread)
		return;
	call_view_destroy(&thread->view);
	profile_destroy(thread->profile);
	free(thread);
}

static void add_problem(struct analysis *analysis, const char *problem)
{
	for (size_t i = 0; i < analysis->run.nr_problems; i++)
		if (strcmp(analysis->problems[i], problem) == 0)
			return;
	analysis->problems[analysis->run.nr_problems++] = problem;
}

static struct cprof_error *describe_files(struct analysis *analysis)
{
	size_t traces = session_nr_traces(analysis->session), problems = 0;

	for (size_t i = 0; i < traces; i++)
		problems += (size_t)trace_state(session_trace(analysis->session, i))->nr_problems;
	analysis->files = calloc(traces + 1, sizeof *analysis->files);
	analysis->problems = calloc(problems + 1, sizeof *analysis->problems);
	if (!analysis->files || !analysis->problems)
		return &cprof_enomem;
	for (size_t i = 0; i < traces; i++) {
		const struct trace *trace = session_trace(analysis->session, i);
		const struct trace_state *state = trace_state(trace);

		analysis->files[i] = (struct run_file){ trace_path(trace), state->file_bytes, state->damaged_bytes, state->live_used, state->active };
		for (size_t j = 0; j < state->nr_problems; j++)
			add_problem(analysis, state->problems[j]);
	}
	analysis->run.files = analysis->files;
	analysis->run.nr_files = traces;
	analysis->run.others = (const char *const *)analysis->paths.others;
	analysis->run.nr_others = analysis->paths.nr_others;
	analysis->run.problems = analysis->problems;
	return NULL;
}

static const char *mode_name(uint32_t mode)
{
	static const char *const names[] = { "unknown", "trace", "profile", "threshold", "ring", "context" };

	return mode < sizeof names / sizeof names[0] ? names[mode] : names[0];
}

static void describe_run(struct analysis *analysis)
{
	const struct trace_meta *meta = trace_meta(session_trace(analysis->session, 0));

	analysis->run.command = meta->command_line;
	analysis->run.exe = meta->exe;
	analysis->run.working_directory = meta->working_directory;
	analysis->run.writer = meta->writer;
	analysis->run.mode = mode_name(meta->fixed.mode);
	analysis->run.start_realtime_ns = meta->fixed.start_realtime_ns;
	analysis->run.pid = meta->fixed.pid;
}

/* The module's path as the profile has it, when it has functions of that module. */
static const char *path_of_functions(const struct profile *profile, const struct cprof_module *module)
{
	for (size_t i = 0; i < profile->nr_functions; i++) {
		const char *path = profile->functions[i].module;

		if (strlen(path) == module->path_bytes && memcmp(path, module->path, module->path_bytes) == 0)
			return path;
	}
	return NULL;
}

/* Modules that functions were recorded in. */
static struct cprof_error *describe_modules(struct analysis *analysis)
{
	static const char *const names[] = { "full", "no-lines", "stripped", "missing", "changed", "bad" };
	struct module_map map;
	struct cprof_error *error = module_map_init(&map, analysis->session);

	if (error)
		return error;
	analysis->modules = calloc(map.nr_modules + 1, sizeof *analysis->modules);
	for (size_t i = 0; analysis->modules && i < map.nr_modules; i++) {
		const char *path = path_of_functions(analysis->profile, map.modules[i]);

		if (!path)
			continue;
		struct symbol_module_info info = symbolizer_module_info(analysis->symbolizer, (uint32_t)i + 1);
		analysis->modules[analysis->run.nr_modules++] = (struct run_module){ path, names[info.status], info.detail };
	}
	module_map_deinit(&map);
	analysis->run.modules = analysis->modules;
	return analysis->modules ? NULL : &cprof_enomem;
}

struct cprof_error *analysis_open_symbols(const struct session *session, const struct source_args *source, struct symbolizer **ret)
{
	const char *const folders[] = { source->symbols, NULL };
	const struct symbolizer_options options = { .search_paths = source->symbols ? folders : NULL, .perf_map = source->perf_map, .mangled = source->mangled };
	struct symbolizer *symbolizer;
	struct cprof_error *error = symbolizer_create(&options, &symbolizer);

	if (error)
		return error;
	error = session_add_modules(session, symbolizer);
	if (error)
		symbolizer_destroy(symbolizer);
	else
		*ret = symbolizer;
	return error;
}

struct cprof_error *analysis_create(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
				    unsigned sort, struct analysis **ret)
{
	struct call_view_options view = { .sort = sort };
	struct cprof_error *error = select ? select_args_check(select) : NULL;
	struct analysis *analysis;

	if (error)
		return error;
	analysis = calloc(1, sizeof *analysis);
	if (!analysis)
		return &cprof_enomem;
	if (select) {
		view.sampled = select->sampled;
		view.filter = select->filter;
		view.exclude = select->exclude;
		view.focus = select->focus;
	}
	analysis->run.whole_session = source->session;
	error = trace_operands_open(operands, source, &analysis->paths, &analysis->session);
	if (!error)
		error = analysis_open_symbols(analysis->session, source, &analysis->symbolizer);
	if (!error)
		error = make_profile(analysis, select);
	if (!error)
		error = call_view_create(analysis->profile, &view, &analysis->view);
	if (!error)
		error = describe_files(analysis);
	if (!error)
		error = describe_modules(analysis);
	if (error) {
		analysis_destroy(analysis);
		return error;
	}
	describe_run(analysis);
	*ret = analysis;
	return NULL;
}

void analysis_destroy(struct analysis *analysis)
{
	if (!analysis)
		return;
	call_view_destroy(&analysis->view);
	profile_destroy(analysis->profile);
	symbolizer_destroy(analysis->symbolizer);
	session_destroy(analysis->session);
	session_files_deinit(&analysis->paths);
	free(analysis->files);
	free(analysis->modules);
	free(analysis->problems);
	free(analysis);
}

struct cprof_error *analysis_write(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select, unsigned sort,
				   const struct analysis_report *report)
{
	struct analysis *analysis;
	struct output_file file;
	struct cprof_error *error = analysis_create(operands, source, select, sort, &analysis);

	if (error)
		return error;
	error = output_file_open(report->path, &file);
	if (!error)
		error = output_file_end(&file, report->print(file.out, report->args, analysis));
	analysis_destroy(analysis);
	return error;
}

void analysis_json_begin(struct json_writer *json, FILE *out, const struct analysis *analysis)
{
	json_init(json, out);
	json_begin_object(json, NULL);
	run_info_json(json, "trace", &analysis->run, analysis->profile);
}

void analysis_json_end(struct json_writer *json)
{
	json_end_object(json);
	json_finish(json);
}
