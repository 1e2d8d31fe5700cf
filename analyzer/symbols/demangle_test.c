/* SPDX-License-Identifier: BSD-2-Clause */
#include "demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_plain_names(void **state)
{
	static const struct {
		const char *name, *plain;
	} cases[] = {
		{ "f", "f" },
		{ "", "" },
		{ "f.isra.0", "f" },
		{ "f.constprop.12", "f" },
		{ "f.constprop.0.isra.0", "f" },
		{ "f.cold", "f" },
		{ "f.cold.3", "f" },
		{ "f.constprop.0.cold", "f" },
		{ "f.llvm.1234567890123", "f" },
		{ "f.part.0", "f.part.0" },
		{ "f.part.0.isra.0", "f.part.0" },
		{ "f.isra.0.part.0", "f.isra.0.part.0" },
		{ "f.colder", "f.colder" },
		{ "f.isra.x", "f.isra.x" },
		{ ".cold", ".cold" },
		{ "a.b.c", "a.b.c" },
		{ "f.", "f." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(demangle_plain_length(cases[i].name), strlen(cases[i].plain));
		assert_memory_equal(cases[i].name, cases[i].plain, strlen(cases[i].plain));
	}
}

#ifdef CPROF_HAVE_LIBIBERTY
static void test_names(void **state)
{
	char text[256];

	(void)state;
	assert_true(demangle("_ZN2ns1fIiEET_S1_c", text, sizeof text));
	assert_string_equal(text, "int ns::f<int>(int, char)");
	assert_true(demangle("_Z1fv", text, sizeof text));
	assert_string_equal(text, "f()");
	assert_false(demangle("main", text, sizeof text));
	assert_false(demangle("_Zork", text, sizeof text));
	assert_false(demangle("", text, sizeof text));
	assert_true(demangle("_Z1fv", text, 4));
	assert_false(demangle("_Z1fv", text, 3));
	assert_false(demangle("_Z1fv", text, 0));
}

/* f(A<int, int>, A<A<int, int>, A<int, int> >, ...): each type holds the one before twice, the last prints 2^levels times "int". */
static size_t exploding_name(char *mangled, int levels)
{
	size_t length = (size_t)sprintf(mangled, "_Z1f1AIiiE");

	for (int level = 0; level < levels; level++) {
		char digit = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[level];

		length += (size_t)sprintf(mangled + length, "S_IS%c_S%c_E", digit, digit);
	}
	return length;
}

static void test_name_that_explodes(void **state)
{
	char mangled[1024];
	static char text[65536];

	(void)state;
	exploding_name(mangled, 2);
	assert_true(demangle(mangled, text, sizeof text));
	assert_string_equal(text, "f(A<int, int>, A<A<int, int>, A<int, int> >, "
				  "A<A<A<int, int>, A<int, int> >, A<A<int, int>, A<int, int> > >)");
	assert_in_range(exploding_name(mangled, 36), 300, 500);
	assert_false(demangle(mangled, text, sizeof text));
}

static void test_long_names(void **state)
{
	static char mangled[9000], text[65536];

	(void)state;
	for (int letters = 900; letters <= 8000; letters += 1400) { /* a name of 2,300 letters is seen in the wild */
		int head = sprintf(mangled, "_ZN2ns%d", letters);

		memset(mangled + head, 'x', (size_t)letters);
		strcpy(mangled + head + letters, "Ev");
		assert_int_equal(demangle(mangled, text, sizeof text), strlen(mangled) <= 4096);
	}
	memset(mangled, 'P', 4000); /* pointer to pointer to ... */
	memcpy(mangled, "_Z1f", 4);
	strcpy(mangled + 4000, "i");
	assert_false(demangle(mangled, text, sizeof text)); /* libiberty prints 1,024 levels; no crash is what counts */
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_names),
#ifdef CPROF_HAVE_LIBIBERTY
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_that_explodes),
		cmocka_unit_test(test_long_names),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
