/* SPDX-License-Identifier: BSD-2-Clause */
/* cprof-analyze doctor: is a program fit to be recorded, and if not, what to do. Reads programs, no traces. */
#include "commands.h"
#include "common_options.h"
#include "doctor_findings.h"
#include "json_writer.h"
#include "output_file.h"
#include "text_style.h"

struct doctor_args {
	struct text_args text;
	struct output_args output;
	unsigned format;
	bool all;
};

enum { OBJECTS_NAMED = 5 };

static const struct doctor_args doctor_defaults;

static const struct cprof_option doctor_options[] = {
	OPT_CHOICE("format", 0, doctor_args, format, format_names_json, "form of the result"),
	OPT_FLAG("all", 'a', doctor_args, all, "name all objects and libraries, however many"),
	OUTPUT_OPTIONS(doctor_args, output),
	TEXT_OPTIONS(doctor_args, text),
	OPT_END
};

static const char *const state_names[] = { "ok", "warning", "problem" };

static void print_text(FILE *out, const struct text_style *style, const char *path, const struct doctor_findings *findings)
{
	static const enum text_color colors[] = { TEXT_GOOD, TEXT_WARM, TEXT_BAD };

	text_print(style, out, path, TEXT_WIDTH_MAX);
	fputs(": ", out);
	text_color(style, out, findings->fit ? TEXT_GOOD : TEXT_BAD);
	fputs(findings->fit ? "fit to record" : "not fit to record", out);
	text_color(style, out, TEXT_PLAIN);
	fputc('\n', out);
	for (size_t i = 0; i < findings->count; i++) {
		const struct doctor_finding *finding = &findings->items[i];

		fputs("  ", out);
		text_color(style, out, colors[finding->state]);
		fprintf(out, "%-7s", state_names[finding->state]);
		text_color(style, out, TEXT_PLAIN);
		fprintf(out, "  %-8s  ", finding->check);
		text_print(style, out, finding->text, TEXT_WIDTH_MAX);
		fputc('\n', out);
		if (finding->advice)
			fprintf(out, "%21s%s\n", "-> ", finding->advice);
	}
}

static void print_units(struct json_writer *json, const struct program_facts *facts)
{
	json_begin_array(json, "objects");
	for (size_t i = 0; i < facts->nr_units; i++) {
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", facts->units[i].name);
		json_u64(json, "functions", facts->units[i].functions);
		json_u64(json, "instrumented", facts->units[i].instrumented);
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_libraries(struct json_writer *json, const struct program_facts *facts)
{
	json_begin_array(json, "libraries");
	for (size_t i = 0; i < facts->libraries.nr; i++) {
		const struct library_facts *library = &facts->libraries.items[i];

		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "name", library->name);
		json_text(json, "path", library->path);
		json_bool(json, "instrumented", library->instrumented || library->carries_runtime);
		json_bool(json, "empty_hooks", library->empty_hooks);
		json_bool(json, "runtime", library->is_runtime || library->carries_runtime);
		json_end_object(json);
	}
	json_end_array(json);
}

static void print_json(struct json_writer *json, const char *path, const struct program_facts *facts, const struct doctor_findings *findings)
{
	json_line(json);
	json_begin_object(json, NULL);
	json_text(json, "path", path);
	json_bool(json, "fit", findings->fit);
	json_begin_array(json, "findings");
	for (size_t i = 0; i < findings->count; i++) {
		json_line(json);
		json_begin_object(json, NULL);
		json_text(json, "state", state_names[findings->items[i].state]);
		json_text(json, "check", findings->items[i].check);
		json_text(json, "text", findings->items[i].text);
		json_text(json, "advice", findings->items[i].advice);
		json_end_object(json);
	}
	json_end_array(json);
	json_text(json, "runtime", facts->runtime_path);
	json_u64(json, "hook_calls", facts->hook_calls);
	json_u64(json, "functions", facts->functions);
	json_u64(json, "instrumented", facts->instrumented);
	json_u64(json, "functions_without_unit", facts->functions_without_unit);
	json_u64(json, "frameless", facts->frameless);
	json_u64(json, "dwarf", facts->dwarf_max);
	json_text(json, "debug_file", facts->debug_path);
	json_text(json, "build_id", facts->build_id[0] ? facts->build_id : NULL);
	print_libraries(json, facts);
	print_units(json, facts);
	json_end_object(json);
}

static struct cprof_error *print_program(FILE *out, const struct doctor_args *args, const char *path, struct json_writer *json, bool *fit)
{
	struct text_style style = text_style_of(out, args->text.color, args->text.width);
	struct program_facts *facts;
	struct doctor_findings findings;
	struct cprof_error *error = program_facts_create(path, &facts);

	if (error)
		return error;
	error = doctor_findings_make(facts, args->all ? SIZE_MAX : OBJECTS_NAMED, &findings);
	if (!error) {
		if (args->format == FORMAT_JSON)
			print_json(json, path, facts, &findings);
		else
			print_text(out, &style, path, &findings);
		*fit = findings.fit;
		doctor_findings_deinit(&findings);
	}
	program_facts_destroy(facts);
	return error;
}

static struct cprof_error *print_programs(FILE *out, const struct doctor_args *args, const struct cprof_operands *operands, size_t *unfit)
{
	struct cprof_error *error = NULL;
	struct json_writer json;

	json_init(&json, out);
	if (args->format == FORMAT_JSON) {
		json_begin_object(&json, NULL);
		json_begin_array(&json, "programs");
	}
	for (size_t i = 0; i < operands->count && !error; i++) {
		bool fit = false;

		error = print_program(out, args, operands->items[i], &json, &fit);
		*unfit += !fit;
	}
	if (!error && args->format == FORMAT_JSON) {
		json_end_array(&json);
		json_end_object(&json);
		json_finish(&json);
	}
	return error;
}

static struct cprof_error *run_doctor(const void *pointer, const struct cprof_operands *operands)
{
	const struct doctor_args *args = pointer;
	struct output_file file;
	size_t unfit = 0;
	struct cprof_error *error;

	if (!operands->count)
		return cprof_error_create(CPROF_ERROR_USAGE, "doctor: no program given");
	error = output_file_open(args->output.path, &file);
	if (error)
		return error;
	error = output_file_end(&file, print_programs(file.out, args, operands, &unfit));
	if (!error && unfit)
		error = cprof_error_create(CPROF_ERROR_FORMAT, "%zu of %zu programs not fit to record", unfit, operands->count);
	return error;
}

const struct cprof_command doctor_command = {
	.name = "doctor",
	.operands = "BINARY...",
	.summary = "is a program fit to be recorded, and what to do if not",
	.description = "Looks at programs and shared objects before they run: whether the runtime is really in them, which functions and objects are instrumented, "
		       "which keep frame pointers, which of the shared libraries it will bring along are instrumented, and what will be known of their names. A problem means that nothing would be recorded, a warning that something "
		       "will be missing. The exit status is 0 when all are fit, 1 when not.",
	.examples = "doctor ./app\ndoctor --all --format=json ./app /usr/lib/libplugin.so",
	.options = doctor_options,
	.defaults = &doctor_defaults,
	.args_bytes = sizeof doctor_defaults,
	.run = run_doctor,
};
