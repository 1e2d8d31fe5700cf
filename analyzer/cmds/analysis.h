/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From trace paths to a profile with names: the part that most commands share. Draws a line of progress on stderr when that is a terminal and the
 * traces are large; prints nothing else.
 */
#ifndef CPROF_ANALYSIS_H
#define CPROF_ANALYSIS_H

#include "call_view.h"
#include "common_options.h"
#include "json_writer.h"
#include "run_info.h"
#include "session_files.h"

struct session;
struct symbolizer;

struct analysis {
	struct session_files paths;
	struct session *session;
	struct symbolizer *symbolizer;
	struct profile *profile;
	struct call_view view;
	struct run_info run;
	struct run_file *files; /* what run points to */
	struct run_module *modules;
	const char **problems;
};

/* Without operands the trace is "trace.lz4". select may be NULL: everything. */
struct cprof_error *analysis_create(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select,
				    unsigned sort, struct analysis **ret) CPROF_MUST_CHECK;
void analysis_destroy(struct analysis *analysis);

/*
 * The same of one thread alone, with numbers as exact as those of all: the view is of its profile. For commands that show each thread. *ret is NULL
 * when select does not choose the thread, or nothing of it.
 */
struct thread_analysis {
	struct profile *profile;
	struct call_view view;
	char name[64];
};
struct cprof_error *thread_analysis_create(const struct analysis *analysis, const struct select_args *select, size_t trace, size_t thread,
					   struct thread_analysis **ret) CPROF_MUST_CHECK;
void thread_analysis_destroy(struct thread_analysis *thread);

/* From operands to the written result: what a command that shows sums does. print writes the result; what it returns is the command's error. */
struct analysis_report {
	const char *path; /* of --output; NULL: standard output */
	struct cprof_error *(*print)(FILE *out, const void *args, const struct analysis *analysis);
	const void *args; /* the command's */
};
struct cprof_error *analysis_write(const struct cprof_operands *operands, const struct source_args *source, const struct select_args *select, unsigned sort,
				   const struct analysis_report *report) CPROF_MUST_CHECK;

/* The frame of a JSON result: an object with the run as "trace", and what the command adds between these two. */
void analysis_json_begin(struct json_writer *json, FILE *out, const struct analysis *analysis);
void analysis_json_end(struct json_writer *json);

/* The symbolizer for a session, with its modules. */
struct cprof_error *analysis_open_symbols(const struct session *session, const struct source_args *source, struct symbolizer **ret) CPROF_MUST_CHECK;

/* The traces that operands name, or the default one. source: NULL when it does not matter of which session they are. */
struct cprof_error *trace_operands(const struct cprof_operands *operands, const struct source_args *source, struct session_files *ret) CPROF_MUST_CHECK;
/* ... and opens them. */
struct cprof_error *trace_operands_open(const struct cprof_operands *operands, const struct source_args *source, struct session_files *files,
					struct session **ret) CPROF_MUST_CHECK;

#endif
