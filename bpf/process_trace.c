/* SPDX-License-Identifier: BSD-2-Clause */
/* See process_trace.h. */
#include "process_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live_file.h"
#include "record_shared.h"
#include "trace_meta.h"

enum { PATH_BYTES = 4096 };

struct process_trace {
	struct live_file live;
	struct table_set set;
	struct trace_tables tables;
	struct session *session; /* of one that has ended; else NULL */
};

/* The live file is the one that it maps shared and that has the name. */
static bool next_live_path(FILE *maps, char **line, size_t *line_bytes, char *path)
{
	static const char suffix[] = ".live";
	ssize_t length;

	while ((length = getline(line, line_bytes, maps)) > 0) {
		int path_at = 0;
		char access[5];

		if ((*line)[length - 1] == '\n')
			(*line)[--length] = '\0';
		if (sscanf(*line, "%*s %4s %*s %*s %*u %n", access, &path_at) != 1 || access[3] != 's' || !path_at ||
		    (*line)[path_at] != '/')
			continue;
		size_t path_bytes = (size_t)length - (size_t)path_at;

		if (path_bytes < sizeof suffix || path_bytes >= PATH_BYTES || strcmp(*line + length - strlen(suffix), suffix) != 0 ||
		    strcmp(*line + path_at, path) == 0)
			continue;
		memcpy(path, *line + path_at, path_bytes + 1);
		return true;
	}
	return false;
}

static bool read_tables(struct process_trace *trace)
{
	struct problems problems = { .nr = 0 };
	struct trace_tables tables;
	struct table_set set;
	struct cprof_error *error = trace_file_refresh(&trace->live.file);

	table_set_init(&set, trace->live.file.bytes);
	if (!error)
		error = live_file_read_tables(&trace->live, &set);
	if (!error)
		error = table_set_finish(&set, &problems, &tables);
	problems_deinit(&problems);
	if (error) {
		cprof_error_free(error);
		table_set_deinit(&set);
		return false;
	}
	table_set_deinit(&trace->set);
	trace->set = set;
	trace->tables = tables;
	trace->tables.sched = NULL; /* points into what has moved */
	return true;
}

static bool is_generation(struct process_trace *trace, uint32_t generation)
{
	struct trace_meta meta;
	const char *why = NULL;
	struct cprof_live_header *header = trace->live.header;
	uint8_t *payload = malloc((size_t)header->meta_bytes + 1);
	struct cprof_error *error;
	bool same;

	if (!payload)
		return false;
	memcpy(payload, header->meta, header->meta_bytes);
	payload[header->meta_bytes] = 0;
	error = trace_meta_parse(trace->live.file.path, header->version, payload, header->meta_bytes, &meta, &why);
	same = !error && !why && (meta.fixed.generation & (RECORD_NO_GENERATION - 1)) == generation;
	cprof_error_free(error);
	free(payload);
	return same;
}

static struct process_trace *open_live(const char *path, uint32_t generation)
{
	struct process_trace *trace = calloc(1, sizeof *trace);
	struct cprof_error *error;
	bool exists = false;

	if (!trace)
		return NULL;
	error = live_file_open_tables(path, &trace->live, &exists);
	if (!error && exists && is_generation(trace, generation) && read_tables(trace))
		return trace;
	if (error || !exists)
		free(trace);
	else
		process_trace_destroy(trace);
	cprof_error_free(error);
	return NULL;
}

struct process_trace *process_trace_create(uint32_t tgid, uint32_t generation)
{
	char name[PATH_BYTES + 64], path[PATH_BYTES] = "", *line = NULL;
	struct process_trace *trace = NULL;
	size_t line_bytes = 0;
	FILE *maps;

	snprintf(name, sizeof name, "/proc/%u/maps", tgid);
	maps = fopen(name, "re");
	while (maps && !trace && next_live_path(maps, &line, &line_bytes, path)) {
		snprintf(name, sizeof name, "/proc/%u/root%s", tgid, path); /* it may have a file system of its own */
		trace = open_live(name, generation);
		if (!trace)
			trace = open_live(path, generation);
	}
	free(line);
	if (maps)
		fclose(maps);
	return trace;
}

static bool is_process(const struct trace *trace, uint32_t tgid, uint32_t generation)
{
	const struct trace_tables *tables = trace_tables(trace);

	if ((trace_meta(trace)->fixed.generation & (RECORD_NO_GENERATION - 1)) != generation)
		return false;
	for (size_t i = 0; i < tables->nr_threads; i++)
		if (tables->threads[i].kernel_tgid == tgid)
			return true;
	return tables->sched && tables->sched->kernel_tgid == tgid;
}

struct process_trace *process_trace_create_ended(const char *path, uint32_t tgid, uint32_t generation)
{
	struct process_trace *trace = calloc(1, sizeof *trace);
	struct cprof_error *error = trace ? session_open(&path, 1, &trace->session) : &cprof_enomem;

	if (!error) {
		for (size_t i = 0; i < session_nr_traces(trace->session); i++) {
			const struct trace *one = session_trace(trace->session, i);

			if (is_process(one, tgid, generation)) {
				trace->tables = *trace_tables(one);
				return trace;
			}
		}
		session_destroy(trace->session);
	}
	cprof_error_free(error);
	free(trace);
	return NULL;
}

void process_trace_destroy(struct process_trace *trace)
{
	if (!trace)
		return;
	if (trace->session) {
		session_destroy(trace->session);
	} else {
		live_file_close(&trace->live);
		table_set_deinit(&trace->set);
	}
	free(trace);
}

const struct trace_tables *process_trace_tables(const struct process_trace *trace)
{
	return &trace->tables;
}

bool process_trace_refresh(struct process_trace *trace)
{
	return !trace->session && read_tables(trace);
}
