/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run that a profile is of, and how well it was recorded: the "trace" object of every JSON result and the panel that heads
 * the texts. Filled by the commands; strings are borrowed.
 */
#ifndef CPROF_RUN_INFO_H
#define CPROF_RUN_INFO_H

#include "json_writer.h"
#include "profile.h"
#include "text_style.h"

struct run_file {
	const char *path;
	uint64_t bytes, damaged_bytes;
	bool live_used; /* read together with its live file */
	bool active;    /* its writer still runs */
};

struct run_module { /* of those that functions were recorded in */
	const char *path;
	const char *status; /* "full", "no-lines", "stripped", "missing", "changed", "bad" */
	const char *detail; /* one line for people, or NULL when nothing is wrong */
};

struct run_info {
	const char *command, *exe, *working_directory, *writer, *mode; /* of the first trace; "" when unknown */
	uint64_t start_realtime_ns;
	uint32_t pid;
	const struct run_file *files;
	size_t nr_files;
	bool whole_session; /* all traces of the run were asked for by one of them */
	const char *const *others; /* traces of the same run that were not read */
	size_t nr_others;
	const struct run_module *modules;
	size_t nr_modules;
	const char *const *problems; /* what was damaged or missing, one line each */
	size_t nr_problems;
};

/* {"events": ..., ...} as value of key. */
void run_info_json(struct json_writer *json, const char *key, const struct run_info *run, const struct profile *profile);
/* All of it, line by line. */
void run_info_text(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile);
/* " a.lz4 b.lz4", as operands of a shell command that reads the same traces; many are cut short. */
void run_info_operands(FILE *out, const struct text_style *style, const struct run_info *run);
/* What is worth knowing before believing the numbers: only what is not zero; "complete: nothing lost" when that is true. */
void run_info_panel(FILE *out, const struct text_style *style, const struct run_info *run, const struct profile *profile);

#endif
