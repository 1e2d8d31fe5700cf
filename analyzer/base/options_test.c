/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test_args {
	bool quiet, wide;
	const char *output;
	uint64_t depth;
	double percent;
	unsigned format;
};

static const char *const formats[] = { "text", "json", NULL };
static const struct cprof_alias other_formats[] = { { "plain", 0 }, { "js", 1 }, { NULL, 0 } };
static const struct cprof_option test_options[] = {
	OPT_FLAG("quiet", 'q', test_args, quiet, "say nothing"),
	OPT_FLAG("wide", 0, test_args, wide, "all columns"),
	OPT_TEXT("output", 'o', test_args, output, "FILE", "where to"),
	OPT_COUNT("depth", 'd', test_args, depth, "how deep"),
	OPT_PERCENT("min-percent", 'm', test_args, percent, "how much; it's [odd]: really"),
	OPT_CHOICE_ALIASES("format", 0, test_args, format, formats, other_formats, "which form"),
	OPT_END
};
static const struct test_args test_defaults = { .depth = 7 };
static const struct cprof_command tree = { "tree", "[TRACE...]", "a tree", NULL, "tree x\ntree --depth=2 x", test_options, &test_defaults,
					   sizeof test_defaults, NULL, NULL, false };
static const struct cprof_command overview = { "", "[TRACE...]", "all", NULL, NULL, test_options, &test_defaults, sizeof test_defaults, NULL, NULL, false };
static const struct cprof_command *const test_commands[] = { &overview, &tree, NULL };
static const struct cprof_program program = { "cprof-analyze", "1.2.3", "looks", ".Starts with a dot\\ and -dash", test_commands };

enum { ARGUMENTS_MAX = 16 };

/* Splits a line at spaces and parses it. */
static struct cprof_error *parse(const char *line, struct test_args *args, struct cprof_operands *operands, bool *help, char *buffer)
{
	static char *argv[ARGUMENTS_MAX];
	int argc = 0;

	*args = test_defaults;
	strcpy(buffer, line);
	for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(&tree, argc, argv, args, operands, help);
}

static void test_values(void **state)
{
	struct cprof_operands operands;
	struct test_args args;
	char buffer[256];
	bool help;

	(void)state;
	assert_null(parse("a -qofile --depth=3k b --min-percent 2.5% --format=json -- -c", &args, &operands, &help, buffer));
	assert_true(args.quiet);
	assert_false(args.wide);
	assert_string_equal(args.output, "file");
	assert_int_equal(args.depth, 3000);
	assert_true(args.percent == 2.5);
	assert_int_equal(args.format, 1);
	assert_int_equal(operands.count, 3);
	assert_string_equal(operands.items[0], "a");
	assert_string_equal(operands.items[1], "b");
	assert_string_equal(operands.items[2], "-c");
	assert_null(parse("--format=plain", &args, &operands, &help, buffer));
	assert_int_equal(args.format, 0);
	assert_null(parse("--format js", &args, &operands, &help, buffer));
	assert_int_equal(args.format, 1);
	assert_null(parse("-o - -", &args, &operands, &help, buffer));
	assert_string_equal(args.output, "-");
	assert_int_equal(operands.count, 1);
	assert_int_equal(args.depth, 7);
	assert_null(parse("--help --nonsense", &args, &operands, &help, buffer));
	assert_true(help);
}

static void test_wrong_usage_is_said_exactly(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "--dpeth=2", "tree: unknown option '--dpeth=2'; did you mean '--depth'? (see: cprof-analyze tree --help)" },
		{ "--zzz", "tree: unknown option '--zzz' (see: cprof-analyze tree --help)" },
		{ "-z", "tree: unknown option '-z' (see: cprof-analyze tree --help)" },
		{ "--depth", "--depth needs a value" },
		{ "-d", "-d needs a value" },
		{ "--quiet=1", "--quiet takes no value" },
		{ "--depth=-1", "--depth: '-1' is not a whole number" },
		{ "--depth=", "--depth: '' is not a whole number" },
		{ "--depth=1x", "--depth: '1x' is not a whole number" },
		{ "--depth=99999999999999999999", "--depth: '99999999999999999999' is not a whole number" },
		{ "--depth=18446744073709551615G", "--depth: '18446744073709551615G' is not a whole number" },
		{ "--min-percent=101", "--min-percent: '101' is not a percentage between 0 and 100" },
		{ "--min-percent=nan", "--min-percent: 'nan' is not a percentage between 0 and 100" },
		{ "--min-percent=%", "--min-percent: '%' is not a percentage between 0 and 100" },
		{ "--format=xml", "--format: 'xml' is not one of text, json" },
	};
	struct cprof_operands operands;
	struct test_args args;
	char buffer[256];
	bool help;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cprof_error *error = parse(cases[i].line, &args, &operands, &help, buffer);

		assert_non_null(error);
		assert_int_equal(error->code, CPROF_ERROR_USAGE);
		assert_string_equal(error->message, cases[i].message);
		cprof_error_free(error);
	}
}

static void test_nearest_command(void **state)
{
	(void)state;
	assert_string_equal(options_nearest_command(&program, "tere"), "tree");
	assert_string_equal(options_nearest_command(&program, "tre"), "tree");
	assert_null(options_nearest_command(&program, "flamegraph"));
	assert_ptr_equal(options_find_command(&program, "tree"), &tree);
	assert_null(options_find_command(&program, "tre"));
}

static char *text_of(void (*print)(const struct cprof_program *, FILE *))
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	print(&program, out);
	fclose(out);
	return text;
}

static void test_every_option_is_everywhere(void **state)
{
	char *man = text_of(options_print_man), *bash = text_of(options_print_bash_completion), *zsh = text_of(options_print_zsh_completion);

	(void)state;
	for (const struct cprof_option *option = test_options; option->name; option++) {
		char word[64];

		snprintf(word, sizeof word, "--%s", option->name);
		assert_non_null(strstr(bash, word));
		assert_non_null(strstr(zsh, word));
	}
	assert_non_null(strstr(man, "\\fB\\-\\-min\\-percent\\fR=\\fIP\\fR"));
	assert_non_null(strstr(man, "\\fB\\-\\-format\\fR=text|json"));
	assert_non_null(strstr(man, "\n\\&.Starts with a dot\\e and \\-dash\n"));
	assert_non_null(strstr(bash, "tree:--format) words=\"text json\";;"));
	assert_non_null(strstr(zsh, "how much; it'\\''s \\[odd\\]\\: really"));
	free(man);
	free(bash);
	free(zsh);
}

static void test_help_fits_80_columns(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	options_print_help(&program, out);
	options_print_command_help(&program, &tree, out);
	fclose(out);
	assert_non_null(strstr(text, "  -o, --output=FILE       where to\n"));
	assert_non_null(strstr(text, "  cprof-analyze tree --depth=2 x\n"));
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_wrong_usage_is_said_exactly),
		cmocka_unit_test(test_nearest_command),
		cmocka_unit_test(test_every_option_is_everywhere),
		cmocka_unit_test(test_help_fits_80_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
