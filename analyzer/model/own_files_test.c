/* SPDX-License-Identifier: BSD-2-Clause */
#include "own_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void names_of_a_trace(void **state)
{
	(void)state;
	assert_true(own_file_is_called("/tmp/t.lz4", "t.lz4"));
	assert_true(own_file_is_called("t.lz4.live", "/other/t.lz4"));
	assert_true(own_file_is_called(".../t.17.lz4", "t.lz4"));
	assert_true(own_file_is_called("/tmp/t.17.1.lz4.live", "t.lz4"));
	assert_true(own_file_is_called("/tmp/t.17.lz4", "/tmp/t.17.lz4"));
	assert_true(own_file_is_called("/tmp/t.lz4.live", "t.bpf.lz4")); /* the kernel half alone */
	assert_true(own_file_is_called("/tmp/trace", "trace"));
	assert_true(own_file_is_called("/tmp/trace.17.live", "trace"));
	assert_true(own_file_is_called("/tmp/run.5", "run.5"));
	assert_true(own_file_is_called("/tmp/run.17.5.live", "run.5"));
}

static void names_of_the_program(void **state)
{
	(void)state;
	assert_false(own_file_is_called("pipe", "t.lz4"));
	assert_false(own_file_is_called("", "t.lz4"));
	assert_false(own_file_is_called("/t.lz4/data", "t.lz4"));
	assert_false(own_file_is_called("/tmp/other.lz4", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t.data.lz4", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t..lz4", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t2.lz4", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t.lz4.old", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t.17", "t.lz4"));
	assert_false(own_file_is_called("/tmp/t.lz4", "t.17.lz4"));
	assert_false(own_file_is_called("/tmp/file", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_of_a_trace), cmocka_unit_test(names_of_the_program) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
