/* SPDX-License-Identifier: BSD-2-Clause */
/* --help, the manual page and the completions of bash and zsh, all from the tables of options.h. */
#include "options.h"

#include <string.h>

#include "roff.h"

enum { HELP_COLUMN = 26, HELP_WIDTH = 80 };

static const char *or_overview(const struct cprof_command *command)
{
	return command->name[0] ? command->name : "overview";
}

/* Prints words, breaking lines before HELP_WIDTH and indenting those that follow. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	while (*text) {
		int length = (int)strcspn(text, " \n");

		if (column > indent && column + length > HELP_WIDTH) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%.*s", length, text);
		text += length;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] == '\n' ? 0 : indent, "");
			column = indent;
			text++;
		} else if (*text == ' ') {
			text++;
			if (*text && column + 1 + (int)strcspn(text, " \n") <= HELP_WIDTH) {
				fputc(' ', out);
				column++;
			} else if (*text) {
				fprintf(out, "\n%*s", indent, "");
				column = indent;
			}
		}
	}
	fputc('\n', out);
}

static void print_row(FILE *out, const char *label, const char *text)
{
	int column = fprintf(out, "  %s", label);

	if (column >= HELP_COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - column, "");
	print_wrapped(out, text, HELP_COLUMN, HELP_COLUMN);
}

static void print_choices(FILE *out, const struct cprof_option *option, const char *between)
{
	for (size_t i = 0; option->choices[i]; i++)
		fprintf(out, "%s%s", i ? between : "", option->choices[i]);
}

/* The label is made in memory because its length decides the layout. */
static void print_option(FILE *out, const struct cprof_option *option)
{
	char label[256];
	FILE *text = fmemopen(label, sizeof label, "w");

	if (!text)
		return;
	if (option->letter)
		fprintf(text, "-%c, ", option->letter);
	fprintf(text, "--%s", option->name);
	if (option->kind == OPTION_CHOICE) {
		fputc('=', text);
		print_choices(text, option, "|");
	} else if (option->value) {
		fprintf(text, "=%s", option->value);
	}
	fclose(text);
	print_row(out, label, option->help);
}

/* Each line of examples is an argument list. */
static void print_examples(FILE *out, const struct cprof_program *program, const char *examples, const char *before)
{
	while (*examples) {
		int length = (int)strcspn(examples, "\n");

		fprintf(out, "%s%s %.*s\n", before, program->name, length, examples);
		examples += length;
		if (*examples)
			examples++;
	}
}

void options_print_command_help(const struct cprof_program *program, const struct cprof_command *command, FILE *out)
{
	fprintf(out, "Usage: %s%s%s [OPTION...] %s\n\n", program->name, command->name[0] ? " " : "", command->name, command->operands);
	print_wrapped(out, command->description ? command->description : command->summary, 0, 0);
	fputs("\nOptions:\n", out);
	for (const struct cprof_option *option = command->options; option->name; option++)
		print_option(out, option);
	print_row(out, "-h, --help", "print this text");
	if (command->examples) {
		fputs("\nExamples:\n", out);
		print_examples(out, program, command->examples, "  ");
	}
}

void options_print_help(const struct cprof_program *program, FILE *out)
{
	fprintf(out, "Usage: %s [COMMAND] [OPTION...] [TRACE...]\n\n", program->name);
	print_wrapped(out, program->description, 0, 0);
	fputs("\nCommands:\n", out);
	for (size_t i = 0; program->commands[i]; i++)
		print_row(out, program->commands[i]->name[0] ? program->commands[i]->name : "(none)", program->commands[i]->summary);
	print_row(out, "help [COMMAND]", "print this text, or that of a command with its options");
	fputs("\nOther:\n", out);
	print_row(out, "--version", "print the version");
	print_row(out, "--man", "print the manual page (roff)");
	print_row(out, "--completion=bash|zsh", "print a completion script");
	fputs("\nExit status: 0 done, 1 failed, 2 wrong usage.\n", out);
}

static void print_man_option(FILE *out, const struct cprof_option *option)
{
	fputs(".TP\n", out);
	if (option->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB\\-\\-", out);
	roff_print(out, option->name);
	fputs("\\fR", out);
	if (option->kind == OPTION_CHOICE) {
		fputc('=', out);
		print_choices(out, option, "|");
	} else if (option->value) {
		fprintf(out, "=\\fI%s\\fR", option->value);
	}
	fputc('\n', out);
	roff_print(out, option->help);
	fputc('\n', out);
}

static void print_man_command(const struct cprof_program *program, const struct cprof_command *command, FILE *out)
{
	fputs(".SS \"", out);
	roff_print(out, program->name);
	fprintf(out, "%s%s ", command->name[0] ? " " : "", command->name);
	roff_print(out, command->operands);
	fputs("\"\n", out);
	roff_print(out, command->description ? command->description : command->summary);
	fputc('\n', out);
	for (const struct cprof_option *option = command->options; option->name; option++)
		print_man_option(out, option);
	if (command->examples) {
		fputs(".PP\nExamples:\n.PP\n.nf\n", out);
		print_examples(out, program, command->examples, "");
		fputs(".fi\n", out);
	}
}

/* A program that is one command: the first operand ends its options. */
static const struct cprof_command *only_command(const struct cprof_program *program)
{
	return program->commands[1] ? NULL : program->commands[0];
}

static void print_man_head(const struct cprof_program *program, FILE *out)
{
	fputs(".TH ", out);
	for (const char *at = program->name; *at; at++)
		fprintf(out, "%s%c", *at == '-' ? "\\" : "", *at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
	fputs(" 1 \"\" \"cprof ", out);
	roff_print(out, program->version);
	fputs("\" \"User Commands\"\n.SH NAME\n", out);
	roff_print(out, program->name);
	fputs(" \\- ", out);
	roff_print(out, program->summary);
	fputs("\n.SH SYNOPSIS\n.B ", out);
	roff_print(out, program->name);
}

static void print_man_only_command(const struct cprof_program *program, const struct cprof_command *command, FILE *out)
{
	print_man_head(program, out);
	fputs("\n[\\fIOPTION\\fR...] ", out);
	roff_print(out, command->operands);
	fputs("\n.SH DESCRIPTION\n", out);
	roff_print(out, command->description);
	fputs("\n.SH OPTIONS\n", out);
	for (const struct cprof_option *option = command->options; option->name; option++)
		print_man_option(out, option);
	fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR, \\fB\\-\\-version\\fR, \\fB\\-\\-man\\fR, \\fB\\-\\-completion\\fR=bash|zsh\nPrint about the program itself.\n"
	      ".SH EXAMPLES\n.nf\n",
	      out);
	print_examples(out, program, command->examples, "");
	fputs(".fi\n.SH \"EXIT STATUS\"\n", out);
	roff_print(out, program->description);
	fputc('\n', out);
}

void options_print_man(const struct cprof_program *program, FILE *out)
{
	if (only_command(program)) {
		print_man_only_command(program, only_command(program), out);
		return;
	}
	print_man_head(program, out);
	fputs("\n[\\fICOMMAND\\fR] [\\fIOPTION\\fR...] [\\fITRACE\\fR...]\n.SH DESCRIPTION\n", out);
	roff_print(out, program->description);
	fputs("\n.SH COMMANDS\n", out);
	for (size_t i = 0; program->commands[i]; i++)
		print_man_command(program, program->commands[i], out);
	fputs(".SH \"OTHER OPTIONS\"\n"
	      ".TP\n\\fBhelp\\fR [\\fICOMMAND\\fR], \\fB\\-\\-help\\fR\nPrint a short description, or that of a command.\n"
	      ".TP\n\\fB\\-\\-version\\fR\nPrint the version.\n"
	      ".TP\n\\fB\\-\\-man\\fR\nPrint this page.\n"
	      ".TP\n\\fB\\-\\-completion\\fR=bash|zsh\nPrint a completion script.\n"
	      ".SH \"EXIT STATUS\"\n0: done. 1: failed; the reason is on standard error. 2: wrong usage.\n",
	      out);
}

static void print_bash_choices(const struct cprof_command *command, FILE *out)
{
	for (const struct cprof_option *option = command->options; option->name; option++) {
		if (option->kind != OPTION_CHOICE)
			continue;
		fprintf(out, "\t%s:--%s) words=\"", or_overview(command), option->name);
		print_choices(out, option, " ");
		fputs("\";;\n", out);
	}
}

/* Our options before the first operand; then those of the command that it names. */
static void print_bash_only_command(const struct cprof_program *program, const struct cprof_command *command, FILE *out)
{
	fprintf(out, "# bash completion for %s\n_cprof_record()\n{\n\tlocal at word\n\tfor ((at = 1; at < COMP_CWORD; at++)); do\n\t\tword=\"${COMP_WORDS[at]}\"\n"
		     "\t\tcase \"$word\" in\n\t\t--) at=$((at + 1)); break;;\n", program->name);
	fputs("\t\t=|--*) [ \"${COMP_WORDS[at+1]}\" = = ] && at=$((at + 2));;\n\t\t", out);
	for (const struct cprof_option *option = command->options, *first = option; option->name; option++)
		if (option->letter && option->kind != OPTION_FLAG) {
			fprintf(out, "%s-%c", first ? "" : "|", option->letter);
			first = NULL;
		}
	fputs(") at=$((at + 1));;\n\t\t-*) ;;\n\t\t*) break;;\n\t\tesac\n\tdone\n"
	      "\tif [ \"$at\" -lt \"$COMP_CWORD\" ] && type _command_offset >/dev/null 2>&1; then\n\t\t_command_offset \"$at\"\n\t\treturn\n\tfi\n"
	      "\tCOMPREPLY=($(compgen -W \"",
	      out);
	for (const struct cprof_option *option = command->options; option->name; option++)
		fprintf(out, "--%s%s ", option->name, option->kind == OPTION_FLAG ? "" : "=");
	fputs("--help --version --man --completion=\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
	      "\tcase \"${COMPREPLY[*]}\" in *=) compopt -o nospace 2>/dev/null;; esac\n"
	      "\t[ ${#COMPREPLY[@]} -gt 0 ] || { compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -c -- \"${COMP_WORDS[COMP_CWORD]}\")); }\n}\n",
	      out);
	fprintf(out, "complete -F _cprof_record %s\n", program->name);
}

/* bash splits words at '=', so "--format=js" arrives as "--format" "=" "js". */
void options_print_bash_completion(const struct cprof_program *program, FILE *out)
{
	if (only_command(program)) {
		print_bash_only_command(program, only_command(program), out);
		return;
	}
	fprintf(out, "# bash completion for %s\n_cprof_analyze()\n{\n\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" command=overview option= words=\n\tCOMPREPLY=()\n",
		program->name);
	fputs("\tcase \"${COMP_WORDS[1]}\" in\n\t", out);
	for (size_t i = 0; program->commands[i]; i++)
		if (program->commands[i]->name[0])
			fprintf(out, "%s|", program->commands[i]->name);
	fputs("help) [ \"$COMP_CWORD\" -gt 1 ] && command=\"${COMP_WORDS[1]}\";;\n\tesac\n", out);
	fputs("\tif [ \"$current\" = = ]; then\n\t\toption=\"${COMP_WORDS[COMP_CWORD-1]}\"; current=\n"
	      "\telif [ \"${COMP_WORDS[COMP_CWORD-1]}\" = = ]; then\n\t\toption=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
	      "\telse\n\t\toption=\"${COMP_WORDS[COMP_CWORD-1]}\"\n\tfi\n"
	      "\tcase \"$command:$option\" in\n",
	      out);
	for (size_t i = 0; program->commands[i]; i++)
		print_bash_choices(program->commands[i], out);
	fputs("\tesac\n\tif [ -z \"$words\" ]; then\n\t\tcase \"$command\" in\n", out);
	for (size_t i = 0; program->commands[i]; i++) {
		fprintf(out, "\t\t%s) words=\"", or_overview(program->commands[i]));
		for (const struct cprof_option *option = program->commands[i]->options; option->name; option++)
			fprintf(out, "--%s%s ", option->name, option->kind == OPTION_FLAG ? "" : "=");
		fputs("--help\";;\n", out);
	}
	fputs("\t\tesac\n\t\tif [ \"$COMP_CWORD\" = 1 ] || [ \"$command\" = help ]; then\n\t\t\twords=\"$words", out);
	for (size_t i = 0; program->commands[i]; i++)
		if (program->commands[i]->name[0])
			fprintf(out, " %s", program->commands[i]->name);
	fputs(" help --version --man --completion=\"\n\t\tfi\n\t\tcompopt -o filenames 2>/dev/null\n"
	      "\t\t[ \"$command\" = help ] || COMPREPLY=($(compgen -f -- \"$current\"))\n\tfi\n"
	      "\tCOMPREPLY+=($(compgen -W \"$words\" -- \"$current\"))\n"
	      "\tcase \"${COMPREPLY[*]}\" in *=) compopt -o nospace 2>/dev/null;; esac\n}\n",
	      out);
	fprintf(out, "complete -F _cprof_analyze %s\n", program->name);
}

/* Inside '...' and [...] of an _arguments specification. */
static void print_zsh(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void print_zsh_option(FILE *out, const struct cprof_option *option)
{
	fprintf(out, "\t\t\t'--%s%s[", option->name, option->kind == OPTION_FLAG ? "" : "=");
	print_zsh(out, option->help);
	fputc(']', out);
	if (option->kind == OPTION_CHOICE) {
		fprintf(out, ":%s:(", option->name);
		print_choices(out, option, " ");
		fputc(')', out);
	} else if (option->kind != OPTION_FLAG) {
		fprintf(out, ":%s:%s", option->value, strcmp(option->value, "FILE") == 0 ? "_files" : "");
	}
	fputs("' \\\n", out);
}

static void print_zsh_only_command(const struct cprof_program *program, const struct cprof_command *command, FILE *out)
{
	fprintf(out, "#compdef %s\n_arguments -S \\\n", program->name);
	for (const struct cprof_option *option = command->options; option->name; option++)
		print_zsh_option(out, option);
	fputs("\t\t\t'--help[print help]' '(-)1:command: _command_names -e' '*::arguments: _normal'\n", out);
}

void options_print_zsh_completion(const struct cprof_program *program, FILE *out)
{
	if (only_command(program)) {
		print_zsh_only_command(program, only_command(program), out);
		return;
	}
	fprintf(out, "#compdef %s\n_cprof_analyze()\n{\n\tlocal -a commands\n\tcommands=(\n", program->name);
	for (size_t i = 0; program->commands[i]; i++) {
		if (!program->commands[i]->name[0])
			continue;
		fprintf(out, "\t\t'%s:", program->commands[i]->name);
		print_zsh(out, program->commands[i]->summary);
		fputs("'\n", out);
	}
	fputs("\t\t'help:print the help of a command'\n\t)\n"
	      "\tif (( CURRENT == 2 )); then\n\t\t_describe command commands\n\t\t_files\n\t\treturn\n\tfi\n"
	      "\tcase \"${words[2]}\" in\n",
	      out);
	for (int overview = 0; overview < 2; overview++) { /* what matches everything comes last */
		for (size_t i = 0; program->commands[i]; i++) {
			if ((program->commands[i]->name[0] == 0) != overview)
				continue;
			fprintf(out, "\t%s)\n\t\t_arguments \\\n", overview ? "*" : program->commands[i]->name);
			for (const struct cprof_option *option = program->commands[i]->options; option->name; option++)
				print_zsh_option(out, option);
			fputs("\t\t\t'--help[print help]' '*:trace:_files' ;;\n", out);
		}
	}
	fputs("\tesac\n}\n_cprof_analyze \"$@\"\n", out);
}
