/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser. Texts made from the same tables are in options_text.c. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR_MAX = 64 };

/* Levenshtein distance with transpositions of neighbours; names longer than NEAR_MAX are far from everything. */
static size_t name_distance(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	size_t rows[3][NEAR_MAX + 1];

	if (a_length > NEAR_MAX || b_length > NEAR_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *above = rows[(i - 1) % 3], *now = rows[i % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[a_length % 3][b_length];
}

/* Near: at most a third of the letters differ, or it is the beginning of the name. */
static bool name_is_nearer(const char *typed, const char *name, size_t *best)
{
	size_t typed_length = strlen(typed);
	size_t distance = typed_length >= 2 && strncmp(typed, name, typed_length) == 0 ? 1 : name_distance(typed, name);

	if (distance * 3 > strlen(name) || distance >= *best)
		return false;
	*best = distance;
	return true;
}

const struct cprof_command *options_find_command(const struct cprof_program *program, const char *name)
{
	for (size_t i = 0; program->commands[i]; i++)
		if (strcmp(program->commands[i]->name, name) == 0)
			return program->commands[i];
	return NULL;
}

const char *options_nearest_command(const struct cprof_program *program, const char *name)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; program->commands[i]; i++)
		if (name_is_nearer(name, program->commands[i]->name, &best))
			nearest = program->commands[i]->name;
	return nearest;
}

static const char *nearest_option(const struct cprof_option *options, const char *name)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	for (const struct cprof_option *option = options; option->name; option++)
		if (name_is_nearer(name, option->name, &best))
			nearest = option->name;
	return nearest;
}

static struct cprof_error *bad_value(const struct cprof_option *option, const char *text, const char *wanted)
{
	return cprof_error_create(CPROF_ERROR_USAGE, "--%s: '%s' is not %s", option->name, text, wanted);
}

static struct cprof_error *set_count(const struct cprof_option *option, const char *text, uint64_t *field)
{
	char *end;
	uint64_t scale = 1;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (end == text || *text < '0' || *text > '9' || errno)
		return bad_value(option, text, "a whole number");
	if (*end == 'k' || *end == 'M' || *end == 'G') {
		scale = *end == 'k' ? 1000 : *end == 'M' ? 1000000 : 1000000000;
		end++;
	}
	if (*end || value > UINT64_MAX / scale)
		return bad_value(option, text, "a whole number");
	*field = value * scale;
	return NULL;
}

static struct cprof_error *set_percent(const struct cprof_option *option, const char *text, double *field)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && *end == '%')
		end++;
	if (end == text || *end || !isfinite(value) || value < 0 || value > 100)
		return bad_value(option, text, "a percentage between 0 and 100");
	*field = value;
	return NULL;
}

static struct cprof_error *set_choice(const struct cprof_option *option, const char *text, unsigned *field)
{
	char wanted[256] = "one of";
	size_t used = strlen(wanted);

	for (unsigned i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*field = i;
			return NULL;
		}
		if (used < sizeof wanted)
			used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s %s", i ? "," : "", option->choices[i]);
	}
	for (const struct cprof_alias *alias = option->aliases; alias && alias->word; alias++) {
		if (strcmp(alias->word, text) == 0) {
			*field = alias->choice;
			return NULL;
		}
	}
	return bad_value(option, text, wanted);
}

static struct cprof_error *set_duration(const struct cprof_option *option, const char *text, uint64_t *field)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 }, { "m", 60e9 }, { "h", 3600e9 } };
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; end != text && isfinite(value) && value >= 0 && i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].unit) == 0 && value * units[i].ns < 9e18) {
			*field = (uint64_t)(value * units[i].ns + 0.5);
			return NULL;
		}
	}
	return bad_value(option, text, "a time like 10ms, 1.5s or 2m");
}

static struct cprof_error *set_value(const struct cprof_option *option, const char *text, void *args)
{
	void *field = (char *)args + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return NULL;
	case OPTION_TEXT:
		*(const char **)field = text;
		return NULL;
	case OPTION_COUNT:
		return set_count(option, text, field);
	case OPTION_PERCENT:
		return set_percent(option, text, field);
	case OPTION_CHOICE:
		return set_choice(option, text, field);
	case OPTION_DURATION:
		return set_duration(option, text, field);
	}
	return NULL;
}

static const struct cprof_option *find_long(const struct cprof_option *options, const char *name, size_t length)
{
	for (const struct cprof_option *option = options; option->name; option++)
		if (strncmp(option->name, name, length) == 0 && !option->name[length])
			return option;
	return NULL;
}

static const struct cprof_option *find_letter(const struct cprof_option *options, char letter)
{
	for (const struct cprof_option *option = options; option->name; option++)
		if (option->letter == letter)
			return option;
	return NULL;
}

static struct cprof_error *unknown_option(const struct cprof_command *command, const char *argument)
{
	char name[NEAR_MAX];
	const char *of = command->name[0] ? command->name : NULL;

	const char *typed = argument[1] == '-' ? argument + 2 : "";
	snprintf(name, sizeof name, "%.*s", (int)strcspn(typed, "="), typed);
	const char *nearest = argument[1] == '-' ? nearest_option(command->options, name) : NULL;
	return cprof_error_create(CPROF_ERROR_USAGE, "%s%sunknown option '%s'%s%s%s (see: %s %s%s--help)", of ? of : "", of ? ": " : "", argument,
				  nearest ? "; did you mean '--" : "", nearest ? nearest : "", nearest ? "'?" : "",
				  command->program ? command->program : "cprof-analyze", of ? of : "", of ? " " : "");
}

/* argv[*at] is a long option; *at moves on when its value is the next argument. */
static struct cprof_error *parse_long(const struct cprof_command *command, int argc, char **argv, int *at, void *args)
{
	const char *name = argv[*at] + 2;
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct cprof_option *option = find_long(command->options, name, length);

	if (!option)
		return unknown_option(command, argv[*at]);
	if (option->kind == OPTION_FLAG) {
		if (value)
			return cprof_error_create(CPROF_ERROR_USAGE, "--%s takes no value", option->name);
	} else if (!value) {
		if (*at + 1 == argc)
			return cprof_error_create(CPROF_ERROR_USAGE, "--%s needs a value", option->name);
		value = argv[++*at];
	}
	return set_value(option, value, args);
}

/* argv[*at] is "-abc": flags, the last of which may take the rest or the next argument as its value. */
static struct cprof_error *parse_letters(const struct cprof_command *command, int argc, char **argv, int *at, void *args)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct cprof_option *option = find_letter(command->options, *letter);
		struct cprof_error *error;

		if (!option)
			return unknown_option(command, argv[*at]);
		if (option->kind != OPTION_FLAG) {
			if (!letter[1] && *at + 1 == argc)
				return cprof_error_create(CPROF_ERROR_USAGE, "-%c needs a value", *letter);
			return set_value(option, letter[1] ? letter + 1 : argv[++*at], args);
		}
		error = set_value(option, NULL, args);
		if (error)
			return error;
	}
	return NULL;
}

struct cprof_error *options_parse(const struct cprof_command *command, int argc, char **argv, void *args, struct cprof_operands *operands,
				  bool *help)
{
	size_t count = 0;

	for (int i = 0; i < argc; i++) {
		struct cprof_error *error = NULL;

		if (strcmp(argv[i], "--") == 0) {
			while (++i < argc)
				argv[count++] = argv[i];
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[count++] = argv[i];
			while (command->first_operand_ends && ++i < argc)
				argv[count++] = argv[i];
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*help = true;
			return NULL;
		} else if (argv[i][1] == '-') {
			error = parse_long(command, argc, argv, &i, args);
		} else {
			error = parse_letters(command, argc, argv, &i, args);
		}
		if (error)
			return error;
	}
	if (command->first_operand_ends)
		argv[count] = NULL; /* for exec */
	*help = false;
	*operands = (struct cprof_operands){ argv, count };
	return NULL;
}
