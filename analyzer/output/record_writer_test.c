/* SPDX-License-Identifier: BSD-2-Clause */
#include "record_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const columns[] = { "kind", "name", "count", "good", NULL };

static void write_records(struct record_writer record, const char *expected_start)
{
	record_head(&record);
	record_begin(&record);
	record_text(&record, "kind", "a");
	record_u64(&record, "count", 18446744073709551615u);
	record_end(&record);
	record_begin(&record);
	record_text(&record, "name", expected_start);
	record_u64(&record, "extra", 1);
	record_bool(&record, "good", true);
	record_end(&record);
	record_begin(&record);
	record_end(&record);
}

static void expect(const char *const *with_columns, const char *name, const char *expected)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	write_records(record_writer_make(out, with_columns), name);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void test_rows_have_all_columns(void **state)
{
	(void)state;
	expect(columns, "b", "kind,name,count,good\r\na,,18446744073709551615,\r\n,b,,true\r\n,,,\r\n");
}

static void test_text_is_quoted(void **state)
{
	(void)state;
	expect(columns, "f(int, \"x\")", "kind,name,count,good\r\na,,18446744073709551615,\r\n,\"f(int, \"\"x\"\")\",,true\r\n,,,\r\n");
}

static void test_json_has_every_field(void **state)
{
	(void)state;
	expect(NULL, "b", "{\"kind\":\"a\",\"count\":18446744073709551615}\n{\"name\":\"b\",\"extra\":1,\"good\":true}\n{}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_have_all_columns),
		cmocka_unit_test(test_text_is_quoted),
		cmocka_unit_test(test_json_has_every_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
