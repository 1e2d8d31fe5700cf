/* SPDX-License-Identifier: BSD-2-Clause */
/* How the views of the kernel half show where something was: by context, or by process and stack where there is none. See kernel_views.h. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_facts.h"
#include "kernel_views.h"
#include "symbolizer.h"
#include "tree_report.h"

enum { PATH_ENDS = 4, STACK_SHOWN = 8 };

/* What the recorder said of a source that was asked for and could not be had; NULL: it said nothing. */
static const char *refusal_of(const struct kernel_view *to, const char *source)
{
	const struct session *session = to->view->profile->kernel ? to->view->profile->kernel_names->session : NULL;

	for (size_t i = 0; session && i < session_nr_kernels(session); i++) {
		const struct kernel_tables *tables = kernel_file_tables(session_kernel(session, i));

		for (size_t k = 0; k < tables->nr_sources; k++)
			if (!tables->sources[k].on && strcmp(tables->sources[k].name, source) == 0 && *tables->sources[k].why &&
			    strcmp(tables->sources[k].why, "not asked for") != 0)
				return tables->sources[k].why;
	}
	return NULL;
}

struct cprof_error *view_needs(const struct kernel_view *to, uint32_t metrics, const char *what, const char *option)
{
	const char *refusal = option[0] == '-' ? refusal_of(to, option + 2) : NULL;

	if (to->view->profile->metrics & metrics)
		return NULL;
	if (refusal)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "%s not recorded in this run: %s", what, refusal);
	return cprof_error_create(CPROF_ERROR_NOT_FOUND, "%s not recorded in this run; to record: cprof-record %s -- PROGRAM", what, option);
}

const struct call_node *place_node(const struct profile *profile, const struct fact_place *place)
{
	return place->trace == FACT_NO_TRACE || !place->context ? NULL : profile_node_of(profile, place->trace, place->context);
}

static size_t path_length(const struct call_node *node)
{
	size_t length = 0;

	for (; node && node->parent; node = node->parent)
		length++;
	return length;
}

static const struct call_node *path_at(const struct call_node *node, size_t length, size_t at)
{
	for (size_t up = length - 1 - at; up; up--)
		node = node->parent;
	return node;
}

/* Is the function at this place of a path left out when the path is printed? */
static bool is_left_out(size_t length, size_t at)
{
	return length > 2 * PATH_ENDS + 1 && at >= PATH_ENDS && at < length - PATH_ENDS;
}

const struct call_node *place_difference(const struct call_node *node, const struct call_node *other)
{
	const struct call_node *found = NULL;
	size_t length = path_length(node);

	if (length != path_length(other))
		return NULL;
	for (size_t at = length; at-- && node != other; node = node->parent, other = other->parent) {
		bool named = strcmp(node->name, other->name) == 0;

		if (!named && !is_left_out(length, at))
			return NULL;
		if (!named || strcmp(call_site_text(node).text, call_site_text(other).text) != 0)
			found = node;
	}
	return found;
}

/* " (file.c:12)", or nothing. */
static void mark_text(const struct call_node *node, char *text, size_t bytes)
{
	struct site_text site = call_site_text(node);

	snprintf(text, bytes, site.text[0] ? " (%s)" : "%s", site.text);
}

void place_print_marked(const struct kernel_view *to, const struct call_node *node, const struct call_node *marked, unsigned indent)
{
	size_t length = path_length(node);
	unsigned column = indent;

	text_pad(to->out, indent);
	for (size_t i = 0; i < length; i++) {
		const struct call_node *at = path_at(node, length, i);
		const char *name = at->name;
		char left_out[192], fitted[96], mark[96] = "";
		unsigned columns, mark_columns, room = to->style->width - indent - 2;

		if (at == marked)
			mark_text(marked, mark, sizeof mark);
		if (is_left_out(length, i)) {
			snprintf(left_out, sizeof left_out, "[%zu more]", length - 2 * PATH_ENDS);
			for (; is_left_out(length, i); i++) {
				if (path_at(node, length, i) != marked)
					continue;
				mark_text(marked, mark, sizeof mark);
				snprintf(left_out, sizeof left_out, "[%zu more: %s%s]", length - 2 * PATH_ENDS,
					 text_fit_name(to->style, marked->name, 32, fitted, sizeof fitted), mark);
			}
			mark[0] = '\0';
			name = left_out;
			i--;
		}
		mark_columns = text_columns(to->style, mark);
		room = room > mark_columns + PATH_ENDS ? room - mark_columns : room;
		columns = text_columns(to->style, name);
		columns = columns > room ? room : columns;
		if (column > indent && column + 3 + columns + mark_columns + 2 > to->style->width) {
			fputs(" >\n", to->out);
			text_pad(to->out, indent);
			column = indent;
		} else if (column > indent) {
			fputs(" > ", to->out);
			column += 3;
		}
		column += text_print_name(to->style, to->out, name, columns);
		column += text_print(to->style, to->out, mark, mark_columns);
	}
	fputs(length ? "\n" : "(outside of every recorded call)\n", to->out);
}

void place_print(const struct kernel_view *to, const struct call_node *node, unsigned indent)
{
	place_print_marked(to, node, NULL, indent);
}

void path_json(struct json_writer *json, const char *key, const struct call_node *node)
{
	size_t length = path_length(node);

	json_begin_array(json, key);
	for (size_t i = 0; i < length; i++)
		json_text(json, NULL, path_at(node, length, i)->name);
	json_end_array(json);
}

static const char *process_name(const struct profile *profile, const struct fact_place *place)
{
	const struct kernel_file *file = session_kernel(profile->kernel_names->session, place->image.kernel);
	const struct cprof_kernel_process *process = kernel_file_process(file, place->image.tgid, place->image.generation);

	return process && process->name[0] ? process->name : "process";
}

/* Innermost first; NULL: no frame, or no memory for it. */
static const struct kernel_frame *stack_frame(const struct profile *profile, const struct fact_place *place, uint32_t index)
{
	const struct kernel_file *file = session_kernel(profile->kernel_names->session, place->image.kernel);
	const struct kernel_stack *stack = kernel_file_stack(file, place->stack);
	struct cprof_error *error;
	uint32_t frame;

	if (!stack || index >= stack->nr_addresses || index >= STACK_SHOWN)
		return NULL;
	error = kernel_names_frame(profile->kernel_names, place->image, stack->addresses[index],
				   stack->kernel ? ADDRESS_OF_KERNEL : index ? ADDRESS_OF_RETURN : ADDRESS_OF_CODE, &frame);
	cprof_error_free(error);
	return error ? NULL : &profile->kernel_names->frames[frame];
}

bool place_is_profiler(const struct profile *profile, const struct fact_place *place)
{
	struct cprof_error *error = NULL;
	bool is_own = false;

	if (!place->context)
		error = kernel_names_stack_is_own(profile->kernel_names, place->image, place->stack, &is_own);
	cprof_error_free(error);
	return is_own;
}

struct lock_text lock_text(const struct profile *profile, const struct fact_place *place, uint64_t address, uint32_t lock_class)
{
	struct symbol_variable variable;
	struct cprof_error *error = kernel_names_variable(profile->kernel_names, place->image, place->trace, address, &variable);
	struct lock_text lock = { .named = !error && variable.name };

	cprof_error_free(error);
	if (!lock.named)
		snprintf(lock.text, sizeof lock.text, "0x%" PRIx64, address);
	else if (!variable.offset || (variable.bytes <= sizeof(pthread_rwlock_t) && lock_class != CPROF_LOCK_UNKNOWN)) /* the lock itself, whichever of its words was waited on */
		snprintf(lock.text, sizeof lock.text, "%s", variable.name);
	else
		snprintf(lock.text, sizeof lock.text, "%.120s+0x%" PRIx64, variable.name, variable.offset);
	return lock;
}

void frame_line_add(const struct kernel_view *to, struct frame_line *line, const char *name)
{
	unsigned columns = text_columns(to->style, name);

	columns = columns > line->most ? line->most : columns;
	if (line->begun && line->column + 3 + columns + 2 > to->style->width) {
		fputs(" <\n", to->out);
		text_pad(to->out, line->indent);
		line->column = line->indent;
	} else if (line->begun) {
		fputs(" < ", to->out);
		line->column += 3;
	}
	line->begun = true;
	line->column += text_print_name(to->style, to->out, name, columns);
}

void place_json(const struct kernel_view *to, const char *key, const struct fact_place *place)
{
	const struct profile *profile = to->view->profile;
	const struct call_node *node = place_node(profile, place);

	json_begin_object(to->json, key);
	if (place->trace == FACT_NO_TRACE) {
		json_text(to->json, "process", process_name(profile, place));
		json_u64(to->json, "tgid", place->image.tgid);
	}
	path_json(to->json, "path", node);
	if (!node && place->stack) {
		json_begin_array(to->json, "stack");
		for (uint32_t i = 0; stack_frame(profile, place, i); i++)
			json_text(to->json, NULL, stack_frame(profile, place, i)->name);
		json_end_array(to->json);
	}
	json_end_object(to->json);
}

/* Of a place that is in no trace that was read: why that is so, as far as it is known. */
static const char *stranger_text(const struct profile *profile, const struct fact_place *place)
{
	const struct kernel_file *file = session_kernel(profile->kernel_names->session, place->image.kernel);
	const struct kernel_tables *tables = kernel_file_tables(file);
	uint32_t flags = 0;

	for (size_t i = 0; i < profile->kernel->nr_traces; i++)
		if (profile->kernel->traces[i].kernel.file == file && profile->kernel->traces[i].kernel.tgid == place->image.tgid)
			return "outside of every recorded call"; /* before its image had a trace */
	for (size_t i = 0; i < tables->nr_processes; i++)
		if (tables->processes[i].tgid == place->image.tgid)
			flags |= tables->processes[i].flags;
	return flags & CPROF_KERNEL_PROCESS_RUNTIME ? "trace not read" : flags & CPROF_KERNEL_PROCESS_TIMED ? "no trace read" : "not traced";
}

void place_text_marked(const struct kernel_view *to, const struct fact_place *place, const struct call_node *marked, unsigned indent)
{
	const struct profile *profile = to->view->profile;
	const struct call_node *node = place_node(profile, place);
	const struct kernel_frame *frame, *last = NULL;
	struct frame_line line = { .indent = indent + 2, .most = 24, .column = indent };
	char text[64] = "(outside of every recorded call)";
	bool stranger = place->trace == FACT_NO_TRACE, by_process = stranger || session_nr_traces(profile->kernel_names->session) > 1;

	if (node || (!by_process && !place->stack)) {
		place_print_marked(to, node, marked, indent);
		return;
	}
	text_pad(to->out, indent);
	if (by_process) {
		snprintf(text, sizeof text, " [%" PRIu32 "], %s", place->image.tgid,
			 stranger ? stranger_text(profile, place) : "outside of every recorded call");
		line.column += text_print(to->style, to->out, process_name(profile, place), 16);
	}
	line.column += text_columns(to->style, text);
	fputs(text, to->out);
	for (uint32_t i = 0; (frame = stack_frame(profile, place, i)); i++) {
		if (last && last->runtime && frame->runtime) /* its functions have one name */
			continue;
		if (!last) {
			fputs(": ", to->out);
			line.column += 2;
		}
		frame_line_add(to, &line, frame->name);
		last = frame;
	}
	fputc('\n', to->out);
}

void place_text(const struct kernel_view *to, const struct fact_place *place, unsigned indent)
{
	place_text_marked(to, place, NULL, indent);
}
