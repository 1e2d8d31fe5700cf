/* SPDX-License-Identifier: BSD-2-Clause */
#include "doctor_findings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REBUILD "build all of it with the wrapper: make clean && make CC=cprof-cc CXX=cprof-c++"

static struct cprof_error *CPROF_PRINTF(5, 6) finding_add(struct doctor_findings *findings, enum doctor_state state, const char *check, const char *advice,
							    const char *format, ...)
{
	struct doctor_finding *finding = &findings->items[findings->count];
	va_list arguments;
	char *text;

	va_start(arguments, format);
	int length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		return &cprof_enomem;
	*finding = (struct doctor_finding){ state, check, text, advice };
	findings->count++;
	findings->fit = findings->fit && state != DOCTOR_PROBLEM;
	return NULL;
}

static struct cprof_error *judge_shared_runtime(const struct program_facts *facts, struct doctor_findings *findings)
{
	const char *name = facts->runtime_name ? facts->runtime_name : "libcprof.so";

	if (!facts->runtime_name)
		return finding_add(findings, DOCTOR_PROBLEM, "runtime", "link with the wrapper: CC=cprof-cc (or add -lcprof)",
				   "its hooks are libcprof's, but it does not ask the loader for libcprof.so");
	if (!facts->runtime_path)
		return finding_add(findings, DOCTOR_PROBLEM, "runtime", "export LD_LIBRARY_PATH=<folder of libcprof.so>, or link again with -Wl,-rpath,<folder>",
				   "%s is needed, but is in no folder that the loader looks in", name);
	if (!facts->runtime_defines_hooks)
		return finding_add(findings, DOCTOR_PROBLEM, "runtime", "install libcprof again",
				   "%s (%s) is no cprof runtime: it has no hooks", name, facts->runtime_path);
	return finding_add(findings, DOCTOR_OK, "runtime", NULL, "%s, found as %s", name, facts->runtime_path);
}

static const struct library_facts *library_recorded(const struct program_facts *facts)
{
	const struct library_facts *runtime = NULL, *library = NULL;

	for (size_t i = 0; i < facts->libraries.nr; i++) {
		const struct library_facts *item = &facts->libraries.items[i];

		if ((item->is_runtime || item->carries_runtime) && item->path)
			runtime = item;
		if ((item->instrumented && !item->empty_hooks) || item->carries_runtime)
			library = library ? library : item;
	}
	return runtime ? library : NULL;
}

static struct cprof_error *judge_runtime(const struct program_facts *facts, struct doctor_findings *findings)
{
	switch (facts->hooks) {
	case HOOKS_SHARED:
		return judge_shared_runtime(facts, findings);
	case HOOKS_INSIDE:
		return finding_add(findings, DOCTOR_OK, "runtime", NULL, "libcprof.a is linked in");
	case HOOKS_FOREIGN:
		return finding_add(findings, DOCTOR_PROBLEM, "runtime", "take the other hooks out, or link libcprof before the library that has them",
				   "the hooks are not cprof's: the program, or another library, has its own __cyg_profile_func_enter");
	case HOOKS_EMPTY:
		if (facts->has_runtime_text)
			return finding_add(findings, DOCTOR_PROBLEM, "runtime",
					   "link with cprof-cc, or add -Wl,-u,__cyg_profile_func_enter -Wl,-u,__cyg_profile_func_exit",
					   "libcprof.a was linked, but its hooks were dropped (LTO does that): calls go to libc's empty ones");
		return finding_add(findings, DOCTOR_PROBLEM, "runtime", "link with the wrapper: CC=cprof-cc (or add -lcprof before libc)",
				   "libcprof is not linked: calls go to libc's empty hooks, and nothing is recorded");
	case HOOKS_NONE:
		break;
	}
	if (facts->runtime_name)
		return judge_shared_runtime(facts, findings);
	if (facts->is_library) /* the program brings it */
		return NULL;
	if (library_recorded(facts))
		return finding_add(findings, DOCTOR_OK, "runtime", NULL, "libcprof comes with %s", library_recorded(facts)->name);
	return finding_add(findings, DOCTOR_PROBLEM, "runtime", REBUILD, "libcprof is not in it");
}

static struct cprof_error *judge_hooks(const struct program_facts *facts, struct doctor_findings *findings)
{
	bool countable = facts->code_readable && (facts->has_symbols || facts->hooks == HOOKS_SHARED || facts->hooks == HOOKS_NONE);

	if (facts->hook_calls && !facts->instrumented)
		return finding_add(findings, DOCTOR_OK, "hooks", NULL, "called from %" PRIu64 " places (no symbols: functions cannot be counted)",
				   facts->hook_calls);
	if (facts->instrumented)
		return finding_add(findings, DOCTOR_OK, "hooks", NULL, "%" PRIu64 " of %" PRIu64 " functions call them", facts->instrumented,
				   facts->functions);
	if (!countable)
		return finding_add(findings, DOCTOR_WARNING, "hooks", "look at the file before it is stripped",
				   facts->code_readable ? "it is stripped: whether anything in it is instrumented cannot be seen" :
							  "whether anything in it is instrumented can be seen for x86-64 only");
	if (library_recorded(facts))
		return finding_add(findings, DOCTOR_WARNING, "hooks", REBUILD, "the program itself is not instrumented: only calls in its libraries are recorded");
	return finding_add(findings, DOCTOR_PROBLEM, "hooks", REBUILD, "not instrumented: no function calls __cyg_profile_func_enter");
}

enum library_group { LIBRARIES_RECORDED, LIBRARIES_LOST, LIBRARIES_EMPTY_HOOKS, LIBRARIES_TWICE, LIBRARIES_PLAIN, LIBRARIES_SYSTEM, LIBRARIES_RUNTIME, LIBRARY_GROUPS };

static enum library_group library_group(const struct program_facts *facts, const struct library_facts *library)
{
	if (library->is_runtime)
		return LIBRARIES_RUNTIME;
	if (!library->path)
		return LIBRARIES_LOST;
	if (library->carries_runtime)
		return facts->runtime_name || facts->hooks == HOOKS_INSIDE ? LIBRARIES_TWICE : LIBRARIES_RECORDED;
	if (library->empty_hooks)
		return LIBRARIES_EMPTY_HOOKS;
	if (library->instrumented)
		return LIBRARIES_RECORDED;
	return library->is_system ? LIBRARIES_SYSTEM : LIBRARIES_PLAIN;
}

/* "libb.so.1, libc.so and 3 more". *ret is NULL without memory; *count is of all. */
static struct cprof_error *libraries_name(const struct program_facts *facts, enum library_group group, size_t max_names, char **ret, size_t *count)
{
	size_t bytes, nr = 0;
	char *list = NULL;
	FILE *out = open_memstream(&list, &bytes);

	if (!out)
		return &cprof_enomem;
	for (size_t i = 0; i < facts->libraries.nr; i++)
		if (library_group(facts, &facts->libraries.items[i]) == group && nr++ < max_names)
			fprintf(out, "%s%s", nr > 1 ? ", " : "", facts->libraries.items[i].name);
	if (nr > max_names)
		fprintf(out, " and %zu more", nr - max_names);
	if (fclose(out) != 0) {
		free(list);
		return &cprof_enomem;
	}
	*ret = list;
	*count = nr;
	return NULL;
}

/* What the loader brings along. Nobody expects the system's libraries to be built again. */
static struct cprof_error *judge_libraries(const struct program_facts *facts, size_t max_libraries, struct doctor_findings *findings)
{
	static const struct {
		enum library_group group;
		enum doctor_state state;
		const char *text, *advice;
	} groups[] = {
		{ LIBRARIES_RECORDED, DOCTOR_OK, "instrumented too", NULL },
		{ LIBRARIES_LOST, DOCTOR_WARNING, "in no folder that the loader looks in", "export LD_LIBRARY_PATH=<folder of it>" },
		{ LIBRARIES_EMPTY_HOOKS, DOCTOR_WARNING, "instrumented, but linked without libcprof, so that libc's empty hooks answer", "link them with CC=cprof-cc, too" },
		{ LIBRARIES_TWICE, DOCTOR_WARNING, "with a libcprof.a of their own, beside the program's", "link shared libraries with libcprof.so: no -static with cprof-cc" },
		{ LIBRARIES_PLAIN, DOCTOR_WARNING, "not instrumented", "if their calls matter, build them with CC=cprof-cc CXX=cprof-c++" },
	};
	struct cprof_error *error = NULL;

	for (size_t i = 0; !error && i < sizeof groups / sizeof *groups; i++) {
		char *names;
		size_t count;

		error = libraries_name(facts, groups[i].group, max_libraries, &names, &count);
		if (error)
			return error;
		if (count)
			error = finding_add(findings, groups[i].state, "libs", groups[i].advice, "%s: %s", groups[i].text, names);
		free(names);
	}
	return error;
}

static struct cprof_error *judge_objects(const struct program_facts *facts, size_t max_objects, struct doctor_findings *findings)
{
	size_t without = 0, shown, bytes = 0;
	uint64_t functions = 0;
	char *list = NULL;
	struct cprof_error *error;
	FILE *out;

	while (without < facts->nr_units && !facts->units[without].instrumented)
		functions += facts->units[without++].functions;
	if (!facts->nr_units || !facts->instrumented)
		return NULL;
	if (!without)
		return finding_add(findings, DOCTOR_OK, "objects", NULL, "all %zu are instrumented", facts->nr_units);
	out = open_memstream(&list, &bytes);
	if (!out)
		return &cprof_enomem;
	shown = without < max_objects ? without : max_objects;
	for (size_t i = 0; i < shown; i++)
		fprintf(out, "%s%s (%" PRIu32 ")", i ? ", " : "", facts->units[i].name, facts->units[i].functions);
	if (shown < without)
		fprintf(out, "%s%zu more", shown ? " and " : "", without - shown);
	if (fclose(out) != 0) {
		free(list);
		return &cprof_enomem;
	}
	error = finding_add(findings, DOCTOR_WARNING, "objects", "if their calls matter, remove their objects and build them again with CC=cprof-cc CXX=cprof-c++",
			    "%zu of %zu, with %" PRIu64 " functions, are not instrumented: %s", without, facts->nr_units, functions, list);
	free(list);
	return error;
}

static struct cprof_error *judge_frames(const struct program_facts *facts, struct doctor_findings *findings)
{
	char names[1024] = "";
	size_t used = 0;

	if (!facts->instrumented)
		return NULL;
	if (!facts->frameless)
		return finding_add(findings, DOCTOR_OK, "frames", NULL, "every instrumented function keeps a frame pointer");
	for (size_t i = 0; i < sizeof facts->frameless_names / sizeof *facts->frameless_names && facts->frameless_names[i] && used < sizeof names - 1; i++)
		used += (size_t)snprintf(names + used, sizeof names - used, "%s%.80s", i ? ", " : "", facts->frameless_names[i]);
	return finding_add(findings, DOCTOR_WARNING, "frames", "compile with cprof-cc, or add -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer last",
			   "%" PRIu64 " instrumented functions keep no frame pointer (calls left by longjmp or an exception may be closed late): %s%s",
			   facts->frameless, names, facts->frameless > sizeof facts->frameless_names / sizeof *facts->frameless_names ? ", ..." : "");
}

static struct cprof_error *judge_lines(const struct program_facts *facts, struct doctor_findings *findings)
{
	char versions[32];

	if (facts->debug_damage)
		return finding_add(findings, DOCTOR_WARNING, "lines", "build it again with -g", "debug info is not used: %s", facts->debug_damage);
	if (!facts->dwarf_max)
		return finding_add(findings, DOCTOR_WARNING, "lines", "compile with -g (cprof-cc adds -g1 by itself), or install the debug file of its build-id",
				   "no debug info: reports will show addresses instead of lines, and no inlined calls");
	if (facts->dwarf_min == facts->dwarf_max)
		snprintf(versions, sizeof versions, "DWARF %u", facts->dwarf_max);
	else
		snprintf(versions, sizeof versions, "DWARF %u to %u", facts->dwarf_min, facts->dwarf_max);
	if (facts->units_without_lines)
		return finding_add(findings, DOCTOR_WARNING, "lines", "compile with -g", "%s, but %" PRIu32 " objects have no line table", versions,
				   facts->units_without_lines);
	return finding_add(findings, DOCTOR_OK, "lines", NULL, "%s%s%s", versions, facts->debug_path ? " in " : "", facts->debug_path ? facts->debug_path : "");
}

static struct cprof_error *judge_symbols(const struct program_facts *facts, struct doctor_findings *findings)
{
	if (facts->has_symbols)
		return finding_add(findings, DOCTOR_OK, "symbols", NULL, "there");
	return finding_add(findings, DOCTOR_WARNING, "symbols", "do not strip it, or keep its debug file: objcopy --only-keep-debug FILE FILE.debug before",
			   facts->dynamic_symbols ? "stripped: only exported functions will have names" : "stripped: functions will be shown as offsets");
}

static struct cprof_error *judge_build_id(const struct program_facts *facts, struct doctor_findings *findings)
{
	if (facts->build_id[0])
		return finding_add(findings, DOCTOR_OK, "build-id", NULL, "%s", facts->build_id);
	return finding_add(findings, DOCTOR_WARNING, "build-id", "link with -Wl,--build-id",
			   "none: nobody will notice when the file is rebuilt after a run, and names are then wrong");
}

struct cprof_error *doctor_findings_make(const struct program_facts *facts, size_t max_objects, struct doctor_findings *ret)
{
	struct doctor_findings findings = { .fit = true };
	struct cprof_error *error = judge_runtime(facts, &findings);

	if (!error)
		error = judge_hooks(facts, &findings);
	if (!error)
		error = judge_libraries(facts, max_objects, &findings);
	if (!error)
		error = judge_objects(facts, max_objects, &findings);
	if (!error)
		error = judge_frames(facts, &findings);
	if (!error)
		error = judge_lines(facts, &findings);
	if (!error)
		error = judge_symbols(facts, &findings);
	if (!error)
		error = judge_build_id(facts, &findings);
	if (error)
		doctor_findings_deinit(&findings);
	else
		*ret = findings;
	return error;
}

void doctor_findings_deinit(struct doctor_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].text);
	*findings = (struct doctor_findings){ .count = 0 };
}
