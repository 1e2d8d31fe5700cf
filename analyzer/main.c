/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cprof-analyze: finds the command, fills its options, runs it. The only place that prints errors and chooses the exit status: 0 done,
 * 1 failed, 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "output_file.h"

static const struct cprof_command *const commands[] = {
	&overview_command, &tree_command, &flat_command, &flamegraph_command, &icicle_command, &callers_command, &callees_command,
	&callgraph_command, &threads_command, &export_command, &info_command,
	&cpu_command, &off_cpu_command, &locks_command, &io_command, &memory_command, &leaks_command, &why_command, &advise_command,
	&replay_command, &timeline_command, &doctor_command,
	&check_command, &recover_command, &dump_command, NULL
};

static const struct cprof_program program = {
	.name = "cprof-analyze",
	.version = CPROF_VERSION,
	.summary = "show where a program traced by cprof spent its time",
	.description = "Reads the traces of one run (default: trace.lz4), as written by programs compiled with cprof-cc. Without a command it prints "
		       "an overview. Results go to standard output, everything else to standard error.",
	.commands = commands,
};

static struct cprof_error *print_completion(const char *shell, FILE *out)
{
	if (strcmp(shell, "bash") == 0)
		options_print_bash_completion(&program, out);
	else if (strcmp(shell, "zsh") == 0)
		options_print_zsh_completion(&program, out);
	else
		return cprof_error_create(CPROF_ERROR_USAGE, "--completion: '%s' is not one of bash, zsh", shell);
	return NULL;
}

static struct cprof_error *print_help(const char *name, FILE *out)
{
	const struct cprof_command *command = name ? options_find_command(&program, strcmp(name, "overview") == 0 ? "" : name) : NULL;

	if (name && !command)
		return cprof_error_create(CPROF_ERROR_USAGE, "help: unknown command '%s' (see: cprof-analyze help)", name);
	if (command)
		options_print_command_help(&program, command, out);
	else
		options_print_help(&program, out);
	return NULL;
}

/* What is no command but an answer about the program itself. *done is false when argv[1] is none of these. */
static struct cprof_error *answer(int argc, char **argv, FILE *out, bool *done)
{
	static const char completion[] = "--completion";
	const char *word = argc > 1 ? argv[1] : "";

	*done = true;
	if (strcmp(word, "help") == 0)
		return print_help(argc > 2 ? argv[2] : NULL, out);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return print_help(NULL, out);
	if (strcmp(word, "--man") == 0) {
		options_print_man(&program, out);
		return NULL;
	}
	if (strcmp(word, "--version") == 0) {
		fprintf(out, "cprof-analyze %s\n", program.version);
		return NULL;
	}
	if (strcmp(word, completion) == 0)
		return print_completion(argc > 2 ? argv[2] : "", out);
	if (strncmp(word, completion, strlen(completion)) == 0 && word[strlen(completion)] == '=')
		return print_completion(word + strlen(completion) + 1, out);
	*done = false;
	return NULL;
}

static struct cprof_error *run_command(const struct cprof_command *command, int argc, char **argv)
{
	struct cprof_operands operands;
	struct cprof_error *error;
	bool help = false;
	void *args = malloc(command->args_bytes);

	if (!args)
		return &cprof_enomem;
	memcpy(args, command->defaults, command->args_bytes);
	error = options_parse(command, argc, argv, args, &operands, &help);
	if (!error && help)
		options_print_command_help(&program, command, stdout);
	else if (!error)
		error = command->run(args, &operands);
	free(args);
	return error;
}

/* A word that is neither a command nor a file was meant to be a command, unless it looks like a path. */
static struct cprof_error *find_command(const char *word, const struct cprof_command **ret, bool *named)
{
	const struct cprof_command *command = word && *word ? options_find_command(&program, word) : NULL;
	const char *nearest;

	*named = command != NULL;
	*ret = command ? command : &overview_command;
	if (command || !word || word[0] == '-' || strpbrk(word, "./") || access(word, F_OK) == 0)
		return NULL;
	nearest = options_nearest_command(&program, word);
	return cprof_error_create(CPROF_ERROR_USAGE, "no command and no file named '%s'%s%s%s (see: cprof-analyze help)", word,
				  nearest && *nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest && *nearest ? "'?" : "");
}

static struct cprof_error *run_program(int argc, char **argv)
{
	struct output_file out;
	const struct cprof_command *command;
	bool done, named;
	struct cprof_error *error = output_file_open(NULL, &out);

	if (!error)
		error = answer(argc, argv, out.out, &done);
	if (!error && !done)
		error = find_command(argc > 1 ? argv[1] : NULL, &command, &named);
	if (!error && !done)
		error = run_command(command, named ? argc - 2 : argc - 1, named ? argv + 2 : argv + 1);
	return error ? error : output_file_close(&out);
}

/* Somebody may start us with standard streams closed: then no file of ours may take their place. */
static void reserve_standard_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return;
}

int main(int argc, char **argv)
{
	struct cprof_error *error;
	int status = 0;

	reserve_standard_streams();
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write like any other: status 1 */
	setlocale(LC_CTYPE, "");
	error = run_program(argc, argv);
	if (error) {
		fflush(stdout);
		if (error->os_errno != EPIPE) /* whoever reads us has seen enough, as in "| head": the status says it */
			cprof_error_print(error, "cprof-analyze");
		status = error->code == CPROF_ERROR_USAGE ? 2 : 1;
		cprof_error_free(error);
	}
	return status;
}
