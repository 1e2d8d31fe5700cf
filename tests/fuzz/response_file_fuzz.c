/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Response files, and whole command lines made of them, of any bytes.
 *
 * Holds the splitting to GCC's own (libiberty's buildargv, where there is one), and the plan to its promise: what the user wrote is what the
 * compiler gets, in this order, save cprof-cc's own options and -fno-instrument-functions.
 */
#include "cc_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef CPROF_HAVE_LIBIBERTY
#include <libiberty/libiberty.h>
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool true_, const char *what)
{
	if (true_)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static const char *env_none(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return NULL;
}

/* Every third response file is the input itself, so that files name files; the others are not there, or cannot be looked into. */
static struct cprof_error *read_self(void *arg, const char *path, char **ret_text)
{
	if (strlen(path) % 3 == 1)
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "%s: not there", path);
	if (strlen(path) % 3 == 2)
		return cprof_error_create(CPROF_ERROR_UNSUPPORTED, "%s: a pipe", path);
	*ret_text = strdup(arg);
	return *ret_text ? NULL : &cprof_enomem;
}

static void compare_with_gcc(const char *text, const struct cc_words *words)
{
#ifdef CPROF_HAVE_LIBIBERTY
	if (!text[strspn(text, " \t\n\v\f\r")])
		return; /* buildargv finds one empty word here; its caller looks for this case first, as ours need not */
	char **expected = buildargv(text);
	size_t nr = 0;

	for (; expected[nr]; nr++)
		require(nr < words->nr && !strcmp(words->word[nr], expected[nr]), "words are split as GCC does");
	require(nr == words->nr, "as many words as GCC finds");
	freeargv(expected);
#else
	(void)text;
	(void)words;
#endif
}

static bool may_vanish(const char *word)
{
	return !strncmp(word, "--cprof-", 8) || !strcmp(word, "-fno-instrument-functions") || !strcmp(word, "--launch");
}

static void plan_check(struct cc_words *call, char *text)
{
	struct cc_host host = {
		.arch = "x86_64",
		.cwd = "/src",
		.shared_library = { .folder = "/lib" },
		.static_library = { .folder = "/lib" },
		.searched = "/lib",
		.read_env = env_none,
		.read_response = read_self,
		.arg = text,
	};
	struct cc_plan plan;
	struct cprof_error *error = cc_args_plan(&host, call->word, call->nr, &plan);

	if (error) {
		require(error->message && *error->message, "an error has a message");
		cprof_error_free(error);
		return;
	}
	require(plan.argv.nr > 0 && !plan.argv.word[plan.argv.nr], "the plan is an argv");
	bool is_launched = call->nr > 1 && !strcmp(call->word[1], "--launch");
	size_t at = 0;
	for (size_t i = 1; i < call->nr && !is_launched && (plan.action == CC_ACTION_RUN || plan.action == CC_ACTION_SHOW); i++) {
		if (may_vanish(call->word[i]))
			continue;
		while (at < plan.argv.nr && strcmp(plan.argv.word[at], call->word[i]))
			at++;
		require(at++ < plan.argv.nr, "the user's words stay, in their order");
	}
	cc_plan_deinit(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1);
	struct cc_words call = { 0 }, words = { 0 };

	if (!text)
		return 0;
	memcpy(text, data, bytes);
	text[bytes] = 0;
	response_file_split(text, &words);
	require(!cc_words_error(&words), "memory suffices");
	compare_with_gcc(text, &words);
	cc_words_add(&call, "cprof-clang");
	for (size_t i = 0; i < words.nr; i++)
		cc_words_add(&call, words.word[i]);
	plan_check(&call, text);
	cc_words_deinit(&call);
	cc_words_deinit(&words);
	free(text);
	return 0;
}
