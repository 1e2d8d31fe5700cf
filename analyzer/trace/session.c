/* SPDX-License-Identifier: BSD-2-Clause */
/* The opened traces of one run and the kernel files beside them; see session.h. Each file does its own work (trace.c, kernel_file.c). */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel_file.h"
#include "trace_internal.h"

struct session {
	struct trace **traces;
	struct trace_kernel *places; /* of each trace */
	size_t nr_traces;
	struct kernel_file **kernels;
	size_t nr_kernels;
};

/* --- kernel files --- */

static bool has_ending(const char *path, const char *ending)
{
	size_t length = strlen(path);

	return length > strlen(ending) && strcmp(path + length - strlen(ending), ending) == 0;
}

/* "run.lz4" -> "run.bpf.lz4"; with_numbers false: also without ".1234" and ".1234.5" before, which the traces of children have. NULL in *ret: no such name. */
static struct cprof_error *kernel_path_of(const char *path, bool with_numbers, char **ret)
{
	static const char ending[] = ".lz4";
	size_t length = strlen(path);
	bool shorter = false;

	*ret = NULL;
	if (has_ending(path, ending))
		length -= strlen(ending);
	for (int numbers = 0; !with_numbers && numbers < 2; numbers++) {
		size_t digits = length;

		while (digits && path[digits - 1] >= '0' && path[digits - 1] <= '9')
			digits--;
		if (digits == length || digits < 2 || path[digits - 1] != '.' || path[digits - 2] == '/')
			break;
		length = digits - 1;
		shorter = true;
	}
	if (!with_numbers && !shorter)
		return NULL;
	return asprintf(ret, "%.*s.bpf.lz4", (int)length, path) < 0 ? &cprof_enomem : NULL;
}

static struct cprof_error *add_kernel(struct session *session, struct kernel_file *file)
{
	struct kernel_file **grown = realloc(session->kernels, (session->nr_kernels + 1) * sizeof *grown);

	if (!grown) {
		kernel_file_close(file);
		return &cprof_enomem;
	}
	session->kernels = grown;
	grown[session->nr_kernels++] = file;
	return NULL;
}

static struct kernel_file *find_kernel(const struct session *session, const char *path)
{
	struct stat wanted, status;

	if (stat(path, &wanted))
		return NULL;
	for (size_t i = 0; i < session->nr_kernels; i++)
		if (stat(kernel_file_path(session->kernels[i]), &status) == 0 && status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino)
			return session->kernels[i];
	return NULL;
}

static bool is_of_session(const struct kernel_file *file, const struct trace *trace)
{
	static const uint8_t unknown[sizeof trace->meta.fixed.session];
	const uint8_t *own = trace->meta.fixed.session, *other = kernel_file_meta(file)->fixed.session;

	return memcmp(own, unknown, sizeof unknown) != 0 && memcmp(own, other, sizeof unknown) == 0;
}

/* What is beside the trace under this name. A file that is not there is no error; one that is not the trace's, or of no use, is said. */
static struct cprof_error *open_beside(struct session *session, struct trace *trace, bool with_numbers, struct kernel_file **ret)
{
	struct kernel_file *file = NULL;
	char *path;
	struct cprof_error *error = kernel_path_of(trace->file.path, with_numbers, &path);

	*ret = NULL;
	if (error || !path)
		return error;
	file = find_kernel(session, path);
	bool known = file != NULL;

	if (!known)
		error = kernel_file_open(path, &file);
	free(path);
	if (error && error->code != CPROF_ERROR_NO_MEMORY) {
		struct cprof_error *cause = error;

		error = NULL;
		if (cause->code != CPROF_ERROR_NOT_FOUND)
			error = trace_add_problem(trace, PROBLEM_OF_TRACE(FINDING_LOSS), "the kernel half is not used: %s: %s",
						  cause->path ? cause->path : "", cause->message);
		cprof_error_free(cause);
		return error;
	}
	if (error)
		return error;
	if (!is_of_session(file, trace)) {
		error = trace_add_problem(trace, PROBLEM_OF_TRACE(FINDING_NOTE), "%s is of another run and not used", kernel_file_path(file));
		if (!known)
			kernel_file_close(file);
		return error;
	}
	*ret = file;
	return known ? NULL : add_kernel(session, file);
}

static uint32_t kernel_tgid_of(const struct trace *trace)
{
	if (trace->tables.sched && trace->tables.sched->kernel_tgid)
		return trace->tables.sched->kernel_tgid;
	for (size_t i = 0; i < trace->tables.nr_threads; i++)
		if (trace->tables.threads[i].kernel_tgid)
			return trace->tables.threads[i].kernel_tgid;
	return 0;
}

/* A process that was attached to does not know its number in the initial namespace: then that of the only process image that calls itself so. */
static uint32_t guess_tgid(const struct kernel_file *file, const struct trace *trace)
{
	const struct kernel_tables *tables = kernel_file_tables(file);
	uint32_t tgid = 0, found = 0;

	for (size_t i = 0; i < tables->nr_processes; i++) {
		const struct cprof_kernel_process *process = &tables->processes[i];

		if (process->pid != trace->meta.fixed.pid || process->generation != trace->meta.fixed.generation ||
		    !(process->flags & CPROF_KERNEL_PROCESS_RUNTIME))
			continue;
		tgid = process->tgid;
		found++;
	}
	return found == 1 ? tgid : 0;
}

/* --- recordings without slots --- */

/* Nobody registered: the process is known by its number alone. */
static uint32_t timed_tgid_of(const struct kernel_file *file, const struct trace *trace)
{
	const struct kernel_tables *tables = kernel_file_tables(file);

	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tables->processes[i].flags & CPROF_KERNEL_PROCESS_TIMED && tables->processes[i].pid == trace->meta.fixed.pid)
			return tables->processes[i].tgid;
	return 0;
}

static uint64_t start_ns(const struct trace *trace)
{
	return trace->tables.nr_clocks ? trace->tables.clocks[0].monotonic_ns : 0;
}

/* Whether it says when an image of the process began. */
static bool tells_start(const struct cprof_kernel_process *process, uint32_t tgid)
{
	return process->tgid == tgid && !(process->flags & CPROF_KERNEL_PROCESS_CALLS);
}

/* When the process began its next image, be it one with a trace or without. The first one said may be the trace's, attached to after it had begun. */
static uint64_t image_end_ns(const struct trace *trace, const struct trace_kernel *place)
{
	const struct kernel_tables *tables = kernel_file_tables(place->file);
	uint64_t end_ns = UINT64_MAX, first_ns = UINT64_MAX, from_ns = start_ns(trace);

	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tells_start(&tables->processes[i], place->tgid) && tables->processes[i].start_ns < first_ns)
			first_ns = tables->processes[i].start_ns;
	if (first_ns > from_ns)
		from_ns = first_ns;
	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tells_start(&tables->processes[i], place->tgid) && tables->processes[i].start_ns > from_ns && tables->processes[i].start_ns < end_ns)
			end_ns = tables->processes[i].start_ns;
	return end_ns;
}

/* Its threads are those of the kernel half, and what that says of their time is in their events from here on. */
static struct cprof_error *switches_attach(struct session *session, size_t index)
{
	struct trace *trace = session->traces[index];
	struct trace_kernel *place = &session->places[index];
	struct cprof_error *error;

	if (!place->file || kernel_tgid_of(trace) || !timed_tgid_of(place->file, trace))
		return NULL;
	place->end_ns = image_end_ns(trace, place);
	error = timed_switches_read(place->file, trace, place->tgid, start_ns(trace), place->end_ns, &trace->switches);
	if (!error && trace->switches.too_many)
		error = trace_add_problem(trace, PROBLEM_OF_TRACE(FINDING_DAMAGE), "%s holds more switches and faults than a file of its size can: the rest is left out",
					  kernel_file_path(place->file));
	for (size_t i = 0; !error && i < trace->set.nr_threads; i++) {
		struct cprof_thread *thread = &trace->set.threads[i];

		if (thread->flags & CPROF_THREAD_STRAND)
			continue;
		thread->kernel_tgid = place->tgid;
		thread->kernel_tid = thread->tid;
	}
	return error;
}

/* --- places --- */

static struct cprof_error *find_place(struct session *session, struct trace *trace, struct trace_kernel *ret)
{
	struct kernel_file *file = NULL;
	struct cprof_error *error = open_beside(session, trace, true, &file);

	if (!error && !file)
		error = open_beside(session, trace, false, &file);
	for (size_t i = 0; !error && !file && i < session->nr_kernels; i++)
		if (is_of_session(session->kernels[i], trace))
			file = session->kernels[i];
	if (error || !file)
		return error;
	*ret = (struct trace_kernel){ file, kernel_tgid_of(trace), trace->meta.fixed.generation, UINT64_MAX };
	if (!ret->tgid)
		ret->tgid = guess_tgid(file, trace);
	if (!ret->tgid)
		ret->tgid = timed_tgid_of(file, trace);
	return NULL;
}

/* --- exec --- */

static bool ended_by_itself(const struct trace *trace)
{
	return trace->has_end && trace->end.reason == CPROF_END_EXIT;
}

/* Numbers of processes come again, after a wrap-around and in other namespaces: only with the time of its start one names a process, which exec keeps. */
static bool is_later_image(const struct trace *later, const struct trace *trace)
{
	const struct cprof_meta *a = &later->meta.fixed, *b = &trace->meta.fixed;

	return a->pid == b->pid && a->process_start_ticks == b->process_start_ticks && a->clock_source == b->clock_source && later->tables.nr_clocks &&
	       trace->tables.nr_clocks && later->tables.clocks[0].tsc > trace->tables.clocks[0].tsc &&
	       later->tables.clocks[0].tsc > trace->state.end_tsc;
}

static bool has_later_trace(const struct session *session, size_t index)
{
	const struct trace *trace = session->traces[index];

	if (ended_by_itself(trace))
		return false;
	for (size_t i = 0; i < session->nr_traces; i++)
		if (i != index && is_later_image(session->traces[i], trace))
			return true;
	return false;
}

static bool has_exited(const struct trace_kernel *place)
{
	const struct cprof_kernel_process *image = kernel_file_process(place->file, place->tgid, place->generation);

	return image && image->flags & CPROF_KERNEL_PROCESS_EXITED;
}

/* By the times, as images that have not registered have numbers of their own. */
static bool has_later_kernel_image(const struct session *session, size_t index)
{
	const struct trace *trace = session->traces[index];
	const struct trace_kernel *place = &session->places[index];
	const struct kernel_tables *tables = place->file ? kernel_file_tables(place->file) : NULL;

	if (!place->file || !place->tgid || ended_by_itself(trace) || has_exited(place))
		return false;
	if (timed_tgid_of(place->file, trace))
		return place->end_ns != UINT64_MAX;
	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tells_start(&tables->processes[i], place->tgid) && tables->processes[i].generation != place->generation &&
		    trace_ticks_at(trace, tables->processes[i].start_ns) > trace->state.end_tsc)
			return true;
	return false;
}

bool session_trace_went_on(const struct session *session, size_t index)
{
	return has_later_trace(session, index) || has_later_kernel_image(session, index);
}

size_t session_nr_processes(const struct session *session)
{
	size_t count = 0;

	for (size_t i = 0; i < session->nr_traces; i++)
		count += !has_later_trace(session, i);
	return count;
}

/* --- opening --- */

/* A kernel file as an operand stands for no trace. *is_kernel is false when its name is not that of one, or it is none. */
static struct cprof_error *open_kernel_operand(struct session *session, const char *path, bool *is_kernel)
{
	struct kernel_file *file;
	struct cprof_error *error;

	*is_kernel = has_ending(path, ".bpf.lz4") && find_kernel(session, path);
	if (*is_kernel || !has_ending(path, ".bpf.lz4"))
		return NULL;
	error = kernel_file_open(path, &file);
	if (error && error->code == CPROF_ERROR_NO_MEMORY)
		return error;
	*is_kernel = !error;
	cprof_error_free(error);
	return *is_kernel ? add_kernel(session, file) : NULL;
}

/* A kernel file without traces: an empty one takes their place, so that whoever shows a run has one. */
static struct cprof_error *add_empty_trace(struct session *session)
{
	const struct kernel_file *file = session->kernels[0];
	struct trace *trace;
	struct cprof_error *error = trace_make_empty(kernel_file_path(file), kernel_file_meta(file), kernel_file_state(file), &trace);

	if (!error)
		session->traces[session->nr_traces++] = trace;
	return error;
}

static struct cprof_error *open_all(struct session *session, const char *const *paths, size_t nr_paths)
{
	struct cprof_error *error = NULL;

	for (size_t i = 0; i < nr_paths && !error; i++) {
		bool is_kernel;

		error = open_kernel_operand(session, paths[i], &is_kernel);
		if (!error && !is_kernel)
			error = trace_open(paths[i], &session->traces[session->nr_traces]);
		session->nr_traces += !error && !is_kernel;
	}
	for (size_t i = 0; i < session->nr_traces && !error; i++)
		error = find_place(session, session->traces[i], &session->places[i]);
	for (size_t i = 0; i < session->nr_traces && !error; i++)
		error = switches_attach(session, i);
	if (!error && !session->nr_traces && session->nr_kernels)
		error = add_empty_trace(session);
	return error;
}

struct cprof_error *session_open(const char *const *paths, size_t nr_paths, struct session **ret)
{
	struct session *session = calloc(1, sizeof *session);
	struct cprof_error *error = &cprof_enomem;

	if (session && nr_paths < SIZE_MAX / 2 / sizeof *session->places) {
		session->traces = calloc(nr_paths + 1, sizeof *session->traces);
		session->places = calloc(nr_paths + 1, sizeof *session->places);
		if (session->traces && session->places)
			error = open_all(session, paths, nr_paths);
	}
	if (error)
		session_destroy(session);
	else
		*ret = session;
	return error;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->nr_traces; i++)
		trace_close(session->traces[i]);
	for (size_t i = 0; i < session->nr_kernels; i++)
		kernel_file_close(session->kernels[i]);
	free(session->traces);
	free(session->places);
	free(session->kernels);
	free(session);
}

size_t session_nr_kernels(const struct session *session)
{
	return session->nr_kernels;
}

struct kernel_file *session_kernel(const struct session *session, size_t index)
{
	return session->kernels[index];
}

struct trace_kernel session_trace_kernel(const struct session *session, size_t index)
{
	return session->places[index];
}

size_t session_nr_traces(const struct session *session)
{
	return session->nr_traces;
}

struct trace *session_trace(const struct session *session, size_t index)
{
	return session->traces[index];
}

const char *trace_path(const struct trace *trace)
{
	return trace->file.path;
}

const struct trace_meta *trace_meta(const struct trace *trace)
{
	return &trace->meta;
}

const struct trace_tables *trace_tables(const struct trace *trace)
{
	return &trace->tables;
}

const struct trace_state *trace_state(const struct trace *trace)
{
	return &trace->state;
}

size_t trace_nr_chunks(const struct trace *trace)
{
	return trace->chunks.nr;
}

double trace_clock_hz(const struct trace *trace)
{
	const struct trace_tables *tables = &trace->tables;

	if (trace->meta.fixed.clock_source == CPROF_CLOCK_MONOTONIC_NS)
		return 1e9;
	if (tables->nr_clocks < 2)
		return 0;
	const struct cprof_clock *first = &tables->clocks[0], *last = &tables->clocks[tables->nr_clocks - 1];

	return (double)(last->tsc - first->tsc) * 1e9 / (double)(last->monotonic_ns - first->monotonic_ns);
}
