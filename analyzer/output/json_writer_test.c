/* SPDX-License-Identifier: BSD-2-Clause */
#include "json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_escaped(const char *text, const char *expected)
{
	char *result = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&result, &bytes);

	json_print_escaped(out, text);
	fclose(out);
	assert_string_equal(result, expected);
	free(result);
}

static void test_escapes(void **state)
{
	(void)state;
	assert_escaped("plain", "plain");
	assert_escaped("a\"b\\c\n\t\x01\x7f", "a\\\"b\\\\c\\n\\t\\u0001\\u007f");
	assert_escaped("</script>", "\\u003c/script>");
	assert_escaped("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
}

static void test_invalid_utf8_becomes_the_replacement_character(void **state)
{
	(void)state;
	assert_escaped("\xFF" "a", "\\ufffda");
	assert_escaped("\xC0\x80", "\\ufffd\\ufffd");             /* overlong NUL */
	assert_escaped("\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd");  /* a surrogate */
	assert_escaped("\xF4\x90\x80\x80x", "\\ufffd\\ufffd\\ufffd\\ufffdx"); /* above 10FFFF */
	assert_escaped("\xE2\x82", "\\ufffd\\ufffd");             /* cut off by the end */
	assert_escaped("\xC3(", "\\ufffd(");
}

static void test_document(void **state)
{
	char *result = NULL;
	size_t bytes = 0;
	struct json_writer json;
	FILE *out = open_memstream(&result, &bytes);

	(void)state;
	json_init(&json, out);
	json_begin_object(&json, NULL);
	json_u64(&json, "n", UINT64_MAX);
	json_begin_array(&json, "list");
	json_bool(&json, NULL, true);
	json_begin_object(&json, NULL);
	json_end_object(&json);
	json_null(&json, NULL);
	json_end_array(&json);
	json_begin_array(&json, "empty");
	json_end_array(&json);
	json_double(&json, "half", 0.5);
	json_double(&json, "nan", 0.0 / 0.0);
	json_text(&json, "none", NULL);
	json_end_object(&json);
	json_finish(&json);
	fclose(out);
	assert_string_equal(result, "{\"n\":18446744073709551615,\"list\":[true,{},null],\"empty\":[],\"half\":0.5,\"nan\":null,\"none\":null}\n");
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_invalid_utf8_becomes_the_replacement_character),
		cmocka_unit_test(test_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
