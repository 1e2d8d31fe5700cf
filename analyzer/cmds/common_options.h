/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Groups of options that several commands share. A command embeds the struct and lists the macro in its own table, so that each
 * command says by itself what it understands. `field` is the embedded struct's name in `type`.
 */
#ifndef CPROF_COMMON_OPTIONS_H
#define CPROF_COMMON_OPTIONS_H

#include "call_sort.h"
#include "call_view.h"
#include "options.h"

enum output_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_CSV };
extern const char *const format_names[];      /* text, json, csv */
extern const char *const format_names_json[]; /* text, json */
extern const char *const color_names[];       /* in the order of enum color_mode */
extern const char *const recursion_names[];

extern const struct cprof_alias call_sort_aliases[]; /* words of gprof and of Python's pstats */
#define SORT_OPTION(type, field, help) \
	OPT_CHOICE_ALIASES("sort", 's', type, field, call_sort_names, call_sort_aliases, \
			   help "; also cumulative, cumtime, time, tottime, ncalls as in gprof and pstats; with a kernel half also its columns (cpu, blocked, io, ...)")

struct text_args { /* how text looks */
	unsigned color;
	uint64_t width;
};
#define TEXT_OPTIONS(type, field) \
	OPT_CHOICE("color", 0, type, field.color, color_names, "colors: on a terminal (auto), always or never"), \
	OPT_COUNT("width", 'w', type, field.width, "columns of text; default: the terminal's, or 80")

struct output_args {
	const char *path;
};
#define OUTPUT_OPTIONS(type, field) OPT_TEXT("output", 'o', type, field.path, "FILE", "write the result to FILE instead of standard output")

struct source_args { /* how traces are read */
	const char *symbols, *perf_map;
	bool mangled, session, only;
};
#define SOURCE_OPTIONS(type, field) \
	OPT_FLAG("session", 0, type, field.session, "with all other processes of the run, whose traces lie beside the one that is given"), \
	OPT_FLAG("only", 0, type, field.only, "do not look for other traces of the run"), \
	OPT_TEXT("symbols", 0, type, field.symbols, "FOLDER", "look for binaries and debug files that moved in FOLDER"), \
	OPT_TEXT("perf-map", 0, type, field.perf_map, "FILE", "names of code without a file (/tmp/perf-PID.map of a JIT compiler)"), \
	OPT_FLAG("mangled", 0, type, field.mangled, "show C++ names as the linker knows them")

enum recursion_mode { RECURSION_FOLD, RECURSION_UNROLL };
struct select_args { /* which calls */
	const char *filter, *exclude, *focus, *threads, *time;
	uint64_t skip_first;
	bool by_thread;
	unsigned recursion;
	bool functions_only; /* no option: what the command shows are functions */
	enum sampled_frames sampled; /* see SAMPLED_OPTION */
};
#define FILTER_OPTIONS(type, field) \
	OPT_TEXT("filter", 'f', type, field.filter, "REGEX", "only call paths through a function whose name matches"), \
	OPT_TEXT("exclude", 'x', type, field.exclude, "REGEX", "leave out matching functions and all that they call")
#define RANGE_OPTIONS(type, field) \
	OPT_TEXT("thread", 't', type, field.threads, "LIST", "only these threads: names or ids, separated by commas"), \
	OPT_TEXT("time", 0, type, field.time, "A:B", "only from A to B after the start: 10ms:1.5s, 250us:, :40%")
#define SELECT_OPTIONS(type, field) \
	OPT_TEXT("focus", 'F', type, field.focus, "FUNCTION", "only FUNCTION and what it calls, from wherever it was called"), \
	RANGE_OPTIONS(type, field)
/* What every command that has these options refuses. */
struct cprof_error *select_args_check(const struct select_args *select) CPROF_MUST_CHECK;
enum sampled_choice { SAMPLED_HIDE, SAMPLED_SHOW };
extern const char *const sampled_names[]; /* hide, show */
#define SAMPLED_OPTION(type, field, help) OPT_CHOICE("sampled", 0, type, field, sampled_names, "what CPU samples met below the recorded functions (libc, the kernel): " help)
#define SKIP_OPTIONS(type, field) \
	OPT_COUNT("skip-first", 0, type, field.skip_first, "with --focus: leave out its first N calls in each thread, those that warm up")
#define TREE_OPTIONS(type, field) \
	OPT_FLAG("by-thread", 0, type, field.by_thread, "a tree for each thread"), \
	OPT_CHOICE("recursion", 0, type, field.recursion, recursion_names, "fold recursive calls into the context they lead back to, or unroll them")

#endif
