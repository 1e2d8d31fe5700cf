/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The views of what the kernel half adds to a profile: time off the processor, waits for locks, I/O, allocations, hot places.
 *
 * Each prints text, or fills the object that is open in json. A view of what was not recorded is an error that says how to record it: never an empty answer.
 */
#ifndef CPROF_KERNEL_VIEWS_H
#define CPROF_KERNEL_VIEWS_H

#include "call_view.h"
#include "json_writer.h"
#include "text_style.h"

struct kernel_view {
	FILE *out;
	const struct text_style *style;
	const struct call_view *view;
	struct json_writer *json; /* NULL: text */
	uint64_t limit;           /* rows */
};

struct cprof_error *off_cpu_view(const struct kernel_view *to) CPROF_MUST_CHECK;
struct cprof_error *locks_view(const struct kernel_view *to) CPROF_MUST_CHECK;
struct cprof_error *io_view(const struct kernel_view *to) CPROF_MUST_CHECK;
struct cprof_error *memory_view(const struct kernel_view *to) CPROF_MUST_CHECK;
struct cprof_error *leaks_view(const struct kernel_view *to) CPROF_MUST_CHECK;
struct cprof_error *cpu_view(const struct kernel_view *to) CPROF_MUST_CHECK;

/* For the files of views: */
struct fact_place;
/* Functions from the outermost on: "main > serve > save", shortened in its middle; a place without a context by its process. */
void place_print(const struct kernel_view *to, const struct call_node *node, unsigned indent);
/* The same with the call site of one of them, where two paths have the same names. */
void place_print_marked(const struct kernel_view *to, const struct call_node *node, const struct call_node *marked, unsigned indent);
/*
 * What tells two paths apart that are printed alike: the outermost function of node's that was called from another place, or is another one and left out
 * in print. NULL: they are the same, or differ in what is printed.
 */
const struct call_node *place_difference(const struct call_node *node, const struct call_node *other);
const struct call_node *place_node(const struct profile *profile, const struct fact_place *place);
void path_json(struct json_writer *json, const char *key, const struct call_node *node);
/* "path" of a place; without a context "process" and "stack". */
void place_json(const struct kernel_view *to, const char *key, const struct fact_place *place);
void place_text(const struct kernel_view *to, const struct fact_place *place, unsigned indent);
void place_text_marked(const struct kernel_view *to, const struct fact_place *place, const struct call_node *marked, unsigned indent);
/* Frames of a stack in lines of the terminal, innermost first: "a < b < c". */
struct frame_line {
	unsigned indent, most; /* of further lines; columns of a name */
	unsigned column;       /* where the first begins */
	bool begun;
};
void frame_line_add(const struct kernel_view *to, struct frame_line *line, const char *name);
/* Whether it is the profiler's own thread in a process that is recorded, even if its trace is not looked at. */
bool place_is_profiler(const struct profile *profile, const struct fact_place *place);
const char *lock_class_name(uint32_t lock_class);
/* What a lock is called: the variable that it is, or lies in, "stats_lock", "queues+0x28"; else its address. */
struct lock_text {
	char text[160];
	bool named;
};
struct lock_text lock_text(const struct profile *profile, const struct fact_place *place, uint64_t address, uint32_t lock_class);
struct cprof_error *view_needs(const struct kernel_view *to, uint32_t metrics, const char *what, const char *option) CPROF_MUST_CHECK;

#endif
