/* SPDX-License-Identifier: BSD-2-Clause */
/* See calls_scope.h. */
#include "calls_scope.h"

#include <stdarg.h>
#include <string.h>

#include "human_ticks.h"
#include "kernel_facts.h"

struct io_scope { /* of all kernel files together */
	bool by_calls;
	uint64_t processes;        /* 0 where the recorder came to no end */
	/* 0, too, where the kernel did not tell. */
	uint64_t kernel_reads, reads, kernel_writes, writes;
	uint64_t trace_writes;     /* about */
};

static struct io_scope scope_of(const struct session *session)
{
	struct io_scope scope = { .by_calls = false };

	for (size_t i = 0; i < session_nr_kernels(session); i++) {
		const struct kernel_file *file = session_kernel(session, i);

		if (kernel_file_source_on(file, "io") != CPROF_SOURCE_CALLS)
			continue;
		scope.by_calls = true;
		scope.processes += kernel_file_counter(file, "calls.processes");
		scope.kernel_reads += kernel_file_counter(file, "calls.reads-of-kernel");
		scope.reads += kernel_file_counter(file, "calls.reads-seen");
		scope.kernel_writes += kernel_file_counter(file, "calls.writes-of-kernel");
		scope.writes += kernel_file_counter(file, "calls.writes-seen");
	}
	for (size_t i = 0; i < session_nr_traces(session); i++)
		scope.trace_writes += trace_nr_chunks(session_trace(session, i));
	return scope;
}

/* The next part of text[bytes]. */
static void CPROF_PRINTF(3, 4) add(char *text, size_t bytes, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, bytes - used, format, arguments);
	va_end(arguments);
}

static void show_text(const struct kernel_view *to, const struct io_scope *scope)
{
	char text[1024] = "";

	add(text, sizeof text, "These are calls of libc's functions, by a preloaded library: not what stdio (fread, printf, ...) and the loader do inside of libc, "
			       "nor system calls of static programs.");
	if (scope->kernel_reads || scope->kernel_writes) {
		add(text, sizeof text, " Of the program and what it waited for the kernel counted %s reads", human_count(scope->kernel_reads).text);
		add(text, sizeof text, " and %s writes of files:", human_count(scope->kernel_writes).text);
		add(text, sizeof text, " %s", human_count(scope->reads).text);
		add(text, sizeof text, " and %s are here", human_count(scope->writes).text);
		if (scope->reads > scope->kernel_reads || scope->writes > scope->kernel_writes)
			add(text, sizeof text, ", those that failed and those of processes that nobody waited for included: what is not here cannot be said");
		if (scope->trace_writes)
			add(text, sizeof text, "; about %s writes made the trace", human_count(scope->trace_writes).text);
		add(text, sizeof text, ".");
	}
	text_wrap(to->style, to->out, text);
	fputc('\n', to->out);
}

/* Null: the kernel did not tell, and nobody counted. */
static void json_count(struct json_writer *json, const char *key, uint64_t count, bool told)
{
	if (told)
		json_u64(json, key, count);
	else
		json_null(json, key);
}

static void show_json(struct json_writer *json, const struct io_scope *scope)
{
	bool told = scope->kernel_reads || scope->kernel_writes;

	json_begin_object(json, "seen_by_calls");
	json_u64(json, "processes", scope->processes);
	json_count(json, "kernel_reads", scope->kernel_reads, told);
	json_count(json, "reads", scope->reads, told);
	json_count(json, "kernel_writes", scope->kernel_writes, told);
	json_count(json, "writes", scope->writes, told);
	json_u64(json, "trace_writes", scope->trace_writes);
	json_end_object(json);
}

void io_scope_show(const struct kernel_view *to)
{
	struct io_scope scope = scope_of(to->view->profile->kernel_names->session);

	if (!scope.by_calls)
		return;
	if (to->json)
		show_json(to->json, &scope);
	else
		show_text(to, &scope);
}

void lock_scope_show(const struct kernel_view *to)
{
	const struct session *session = to->view->profile->kernel_names->session;
	bool by_calls = false;

	for (size_t i = 0; i < session_nr_kernels(session); i++)
		by_calls |= kernel_file_source_on(session_kernel(session, i), "locks") == CPROF_SOURCE_CALLS;
	if (!by_calls || to->json)
		return;
	text_wrap(to->style, to->out, "These are waits in libc's functions (pthread_*, sem_*), by a preloaded library: not for futexes of the program's own, "
				      "nor in static programs.");
	fputc('\n', to->out);
}
