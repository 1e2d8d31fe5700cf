/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cprof-cc: a compiler that is the compiler you have, with cprof in what it makes.
 *
 * Finds out about the world, lets cc_args_plan() make the command, and becomes the compiler: it never forks, so exit status and signals
 * are the compiler's own. Links to it (cprof-c++, cprof-clang, ...) choose which compiler.
 */
#include "cc_args.h"
#include "cc_locate.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	NR_NESTED_MAX = 8, /* CPROF_CC naming something that runs cprof-cc again would otherwise never end */
};

static const char *const depth_variable = "CPROF_CC_DEPTH";

static const char *host_read_env(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

static struct cprof_error *host_read_response(void *arg, const char *path, char **ret_text)
{
	(void)arg;
	return cc_locate_read_text(path, ret_text);
}

static struct cprof_error *count_depth(const struct cc_plan *plan)
{
	const char *text = getenv(depth_variable);
	int depth = text ? atoi(text) : 0;
	char value[16];

	if (depth < 0 || depth >= NR_NESTED_MAX)
		return cprof_error_create(CPROF_ERROR_USAGE, "%s runs cprof-cc again and again; let CPROF_CC and CPROF_CXX name the real compiler",
					  plan->argv.word[0]);
	snprintf(value, sizeof(value), "%d", depth + 1);
	return setenv(depth_variable, value, 1) ? cprof_error_os(errno, NULL, "set the environment") : NULL;
}

static struct cprof_error *run(const struct cc_place *place, struct cc_plan *plan)
{
	char *path = NULL;
	struct cprof_error *error = cc_locate_program(place, plan->argv.word[0], &path);

	for (size_t i = 1; !error && i < plan->nr_compiler_words; i++)
		if (cc_locate_is_self(place, plan->argv.word[i]))
			error = cprof_error_create(CPROF_ERROR_USAGE, "%s %s is cprof-cc itself; name the real compiler", plan->argv.word[0],
						   plan->argv.word[i]);
	if (!error)
		error = count_depth(plan);
	if (!error) {
		if (plan->warn)
			fprintf(stderr, "cprof-cc: warning: %s%s%s; compiled without cprof\n", plan->detail ? plan->detail : "",
				plan->detail ? ": " : "", plan->untouched);
		/* where PATH leads to ourselves first, GCC would look for its parts beside us */
		if (cc_locate_is_self(place, plan->argv.word[0])) {
			free(plan->argv.word[0]);
			plan->argv.word[0] = path;
			path = NULL;
		}
		execvp(path ? path : plan->argv.word[0], plan->argv.word);
		error = cprof_error_os(errno, plan->argv.word[0], "run");
	}
	free(path);
	return error;
}

static void show(const struct cc_plan *plan)
{
	for (size_t i = 0; i < plan->argv.nr; i++) {
		if (i)
			putchar(' ');
		cc_args_quote(plan->argv.word[i], stdout);
	}
	putchar('\n');
	if (plan->untouched)
		fprintf(stderr, "cprof-cc: nothing added: %s%s%s\n", plan->detail ? plan->detail : "", plan->detail ? ": " : "", plan->untouched);
}

static struct cprof_error *print_config(const struct cc_place *place, const struct cc_host *host, const struct cc_plan *plan)
{
	printf("version: %s\n", CPROF_VERSION);
	for (size_t i = 0; i < plan->nr_compiler_words; i++) {
		char resolved[PATH_MAX], *path = NULL;
		struct stat st;
		struct cprof_error *error = cc_locate_program(place, plan->argv.word[i], &path);
		if (error)
			return error;
		if (realpath(path, resolved) && !stat(resolved, &st))
			printf("compiler: %s = %s, %lld bytes, of %lld\n", plan->argv.word[i], resolved, (long long)st.st_size,
			       (long long)st.st_mtime);
		free(path);
	}
	printf("flags: %s\n", cc_args_compile_flags(host->arch));
	printf("shared library: %s%s\n", place->shared_folder ? place->shared_folder : "not found in ",
	       place->shared_folder ? "/libcprof.so" : place->searched);
	printf("static library: %s%s\n", place->static_folder ? place->static_folder : "not found in ",
	       place->static_folder ? "/libcprof.a" : place->searched);
	return NULL;
}

static struct cprof_error *act(const struct cc_place *place, const struct cc_host *host, struct cc_plan *plan)
{
	switch (plan->action) {
	case CC_ACTION_RUN:
		return run(place, plan);
	case CC_ACTION_SHOW:
		show(plan);
		return NULL;
	case CC_ACTION_CONFIG:
		return print_config(place, host, plan);
	case CC_ACTION_VERSION:
		printf("cprof-cc %s\n", CPROF_VERSION);
		return NULL;
	case CC_ACTION_HELP:
		cc_options_print_help(stdout);
		return NULL;
	case CC_ACTION_MAN:
		cc_options_print_man(stdout, CPROF_VERSION);
		return NULL;
	}
	return NULL;
}

static struct cprof_error *plan_and_act(const struct cc_place *place, char **argv, size_t argc)
{
	char cwd[PATH_MAX];
	struct cc_host host = {
		.arch = CPROF_ARCH,
		.cwd = getcwd(cwd, sizeof(cwd)) ? cwd : "",
		.shared_library = { .folder = place->shared_folder },
		.static_library = { .folder = place->static_folder },
		.searched = place->searched,
		.read_env = host_read_env,
		.read_response = host_read_response,
	};
	struct cc_plan plan;

	if (place->shared_folder)
		host.shared_library.is_system = cc_place_is_system(place->shared_folder);
	if (place->static_folder)
		host.static_library.is_system = cc_place_is_system(place->static_folder);
	struct cprof_error *error = cc_args_plan(&host, argv, argc, &plan);
	if (error)
		return error;
	error = act(place, &host, &plan);
	cc_plan_deinit(&plan);
	return error;
}

int main(int argc, char **argv)
{
	struct cc_place place;
	struct cprof_error *error = cc_place_init(&place);

	if (!error) {
		error = argc < 1 ? cprof_error_create(CPROF_ERROR_USAGE, "called without a name") : plan_and_act(&place, argv, (size_t)argc);
		cc_place_deinit(&place);
	}
	if (!error && fflush(stdout))
		error = cprof_error_os(errno, "stdout", "write");
	if (!error)
		return 0;
	int status = error->code == CPROF_ERROR_USAGE ? 2 : 1;
	cprof_error_print(error, "cprof-cc");
	cprof_error_free(error);
	return status;
}
