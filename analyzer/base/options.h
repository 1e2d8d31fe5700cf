/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands and their options as data: one table gives the parser, --help, the manual page and shell completion.
 *
 * A command declares its options beside its code and gets a struct of its own filled, starting from its defaults. There is no
 * program-wide bag of options. Nothing here prints to stdout by itself or exits: texts go to the FILE given, errors to the caller.
 */
#ifndef CPROF_OPTIONS_H
#define CPROF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "error.h"

enum cprof_option_kind {
	OPTION_FLAG,    /* bool: set to true */
	OPTION_TEXT,    /* const char *: borrowed from argv */
	OPTION_COUNT,   /* uint64_t: decimal; k, M and G multiply by powers of 1000 */
	OPTION_PERCENT, /* double: 0 to 100, a % sign may follow */
	OPTION_CHOICE,  /* unsigned: index into choices */
	OPTION_DURATION, /* uint64_t: ns, from "10ms", "1.5s", "2m"; a number without a unit is seconds */
};

struct cprof_alias { /* another word for a choice, which people know from elsewhere */
	const char *word;
	unsigned choice;
};

struct cprof_option {
	const char *name;           /* long name without dashes; NULL ends the table */
	char letter;                /* short name, or 0 */
	enum cprof_option_kind kind;
	size_t offset;              /* of the field in the command's struct */
	const char *value;          /* what --help calls the value: "FILE"; NULL for flags and choices */
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
	const char *help;           /* one sentence without capital and full stop */
	const struct cprof_alias *aliases; /* OPTION_CHOICE: ended by a NULL word; or NULL */
};

#define OPT_FLAG(name, letter, type, field, help) { name, letter, OPTION_FLAG, offsetof(struct type, field), NULL, NULL, help, NULL }
#define OPT_TEXT(name, letter, type, field, value, help) { name, letter, OPTION_TEXT, offsetof(struct type, field), value, NULL, help, NULL }
#define OPT_COUNT(name, letter, type, field, help) { name, letter, OPTION_COUNT, offsetof(struct type, field), "N", NULL, help, NULL }
#define OPT_PERCENT(name, letter, type, field, help) { name, letter, OPTION_PERCENT, offsetof(struct type, field), "P", NULL, help, NULL }
#define OPT_DURATION(name, letter, type, field, help) { name, letter, OPTION_DURATION, offsetof(struct type, field), "TIME", NULL, help, NULL }
#define OPT_CHOICE(name, letter, type, field, choices, help) \
	{ name, letter, OPTION_CHOICE, offsetof(struct type, field), NULL, choices, help, NULL }
#define OPT_CHOICE_ALIASES(name, letter, type, field, choices, aliases, help) \
	{ name, letter, OPTION_CHOICE, offsetof(struct type, field), NULL, choices, help, aliases }
#define OPT_END { NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL, NULL }

struct cprof_operands {
	char **items;
	size_t count;
};

struct cprof_command {
	const char *name;        /* "" is what runs when no command is named */
	const char *operands;    /* as shown in the usage line: "[TRACE...]" */
	const char *summary;     /* one line */
	const char *description; /* paragraphs for --help and the manual, or NULL */
	const char *examples;    /* lines of argument lists, without the program's name */
	const struct cprof_option *options;
	const void *defaults;    /* initial value of the command's struct */
	size_t args_bytes;       /* its size */
	const char *program;     /* whose it is, for messages; NULL: cprof-analyze */
	bool first_operand_ends; /* the operands are a command line, ended by NULL: what follows the first one is not ours */
	struct cprof_error *(*run)(const void *args, const struct cprof_operands *operands);
};

struct cprof_program {
	const char *name, *version, *summary;
	const char *description; /* of a program with one command: what its exit status says */
	const struct cprof_command *const *commands; /* NULL-terminated */
};

/*
 * Fills args (the command's struct, already holding its defaults) and *operands from argv[0..argc), which holds what follows the command's name.
 * Options and operands may be mixed; "--" ends the options. argv is reordered, texts and operands stay in it. *help is set when -h or
 * --help was there: then nothing else was checked.
 */
struct cprof_error *options_parse(const struct cprof_command *command, int argc, char **argv, void *args, struct cprof_operands *operands,
				  bool *help) CPROF_MUST_CHECK;

/* NULL when there is none of that name. */
const struct cprof_command *options_find_command(const struct cprof_program *program, const char *name);
/* The name in the list most like a mistyped one, or NULL when none is near. */
const char *options_nearest_command(const struct cprof_program *program, const char *name);

void options_print_help(const struct cprof_program *program, FILE *out);
void options_print_command_help(const struct cprof_program *program, const struct cprof_command *command, FILE *out);
void options_print_man(const struct cprof_program *program, FILE *out); /* roff, man macros */
void options_print_bash_completion(const struct cprof_program *program, FILE *out);
void options_print_zsh_completion(const struct cprof_program *program, FILE *out);

#endif
