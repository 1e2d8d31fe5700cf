/* SPDX-License-Identifier: BSD-2-Clause */
/* Response files: GNU quoting, nesting, and files that never end. */
#include "response_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void split_test(void **state)
{
	static const struct {
		const char *text;
		const char *word[6];
	} rows[] = {
		{ "", { NULL } },
		{ " \t\r\n\v\f", { NULL } },
		{ "a", { "a" } },
		{ " a  b\n\nc ", { "a", "b", "c" } },
		{ "'a b' \"c d\"", { "a b", "c d" } },
		{ "x'a b'y", { "xa by" } },
		{ "'' \"\" x", { "", "", "x" } },
		{ "a\\ b c\\\\d", { "a b", "c\\d" } },
		{ "'a\\'b'", { "a'b" } },
		{ "\"a\\\"b\"", { "a\"b" } },
		{ "\"it's\" 'say \"x\"'", { "it's", "say \"x\"" } },
		{ "\\\nx", { "\nx" } },
		{ "'never closed", { "never closed" } },
		{ "a\\", { "a" } },
		{ "-DX=\\\"1\\\"", { "-DX=\"1\"" } },
		{ "\xc3\xa4 \xff", { "\xc3\xa4", "\xff" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cc_words words = { 0 };
		size_t nr = 0;
		response_file_split(rows[i].text, &words);
		assert_null(cc_words_error(&words));
		for (; rows[i].word[nr]; nr++) {
			assert_true(nr < words.nr);
			assert_string_equal(words.word[nr], rows[i].word[nr]);
		}
		assert_int_equal(words.nr, nr);
		cc_words_deinit(&words);
	}
}

/* Files: "a" names "b" twice, "b" is plain, "loop" names itself, "bomb" names itself and is large, "bad" cannot be read. */
static struct cprof_error *read_file(void *arg, const char *path, char **ret_text)
{
	(void)arg;
	if (!strcmp(path, "a"))
		*ret_text = strdup("1 @b 2 @b");
	else if (!strcmp(path, "b"))
		*ret_text = strdup("x y");
	else if (!strcmp(path, "loop"))
		*ret_text = strdup("z @loop z");
	else if (!strcmp(path, "bad"))
		return cprof_error_os(5, path, "read");
	else if (!strcmp(path, "bomb")) {
		size_t nr_bytes = 1 << 20;
		char *text = malloc(nr_bytes + 16);
		assert_non_null(text);
		memset(text, 'x', nr_bytes);
		strcpy(text + nr_bytes, " @bomb");
		*ret_text = text;
	} else {
		return cprof_error_create(CPROF_ERROR_NOT_FOUND, "no %s", path);
	}
	return NULL;
}

static void expand_test(void **state)
{
	char *argv[] = { "first", "@a", "@none", "@", "last" };
	static const char *const expected[] = { "first", "1", "x", "y", "2", "x", "y", "@none", "@", "last" };
	static const size_t expected_origin[] = { 0, 1, 1, 1, 1, 1, 1, 2, 3, 4 };
	struct cc_words words = { 0 };
	size_t *origin;

	(void)state;
	assert_null(response_file_expand(argv, 5, read_file, NULL, &words, &origin));
	assert_int_equal(words.nr, 10);
	for (size_t i = 0; i < 10; i++) {
		assert_string_equal(words.word[i], expected[i]);
		assert_int_equal(origin[i], expected_origin[i]);
	}
	cc_words_deinit(&words);
	free(origin);
}

static void refused(char *word, enum cprof_error_code code, const char *message)
{
	char *argv[] = { word };
	struct cc_words words = { 0 };
	size_t *origin = NULL;
	struct cprof_error *error = response_file_expand(argv, 1, read_file, NULL, &words, &origin);

	assert_non_null(error);
	assert_int_equal(error->code, code);
	assert_non_null(strstr(error->message, message));
	assert_null(origin);
	cprof_error_free(error);
	cc_words_deinit(&words);
}

static void refusal_test(void **state)
{
	(void)state;
	refused("@loop", CPROF_ERROR_FORMAT, "more than 2000 response files");
	refused("@bomb", CPROF_ERROR_FORMAT, "more than 64 MiB");
	refused("@bad", CPROF_ERROR_OS, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_test),
		cmocka_unit_test(expand_test),
		cmocka_unit_test(refusal_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
