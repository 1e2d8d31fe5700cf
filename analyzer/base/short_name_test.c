/* SPDX-License-Identifier: BSD-2-Clause */
#include "short_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_names(void **state)
{
	static const struct {
		const char *name, *expected[SHORT_NAME_KINDS];
	} cases[] = {
		{ "main", { "main", "main", "main" } },
		{ "f()", { "f()", "f()", "f()" } },
		{ "ns::f(int, char const*) const", { "ns::f(..) const", "ns::f(..) const", "ns::f(..) const" } },
		{ "List<char const*, ns::Less>::find(char const* const&)",
		  { "List<char const*, ns::Less>::find(..)", "List<..>::find(..)", "List<..>::find(..)" } },
		{ "std::tuple<A<1>, B<2>>::get<0ul>(C<3>&)",
		  { "std::tuple<A<1>, B<2>>::get<0ul>(..)", "std::tuple<..>::get<..>(..)", "std::tuple<..>::get<..>(..)" } },
		{ "(anonymous namespace)::T::run(int)",
		  { "(anonymous namespace)::T::run(..)", "(anonymous namespace)::T::run(..)", "(anonymous namespace)::T::run(..)" } },
		{ "A::operator()(int) const", { "A::operator()(..) const", "A::operator()(..) const", "A::operator()(..) const" } },
		{ "A::operator<<(A<int> const&)", { "A::operator<<(..)", "A::operator<<(..)", "A::operator<<(..)" } },
		{ "bool operator< <int>(A<int>)", { "bool operator< <int>(..)", "bool operator< <..>(..)", "operator< <..>(..)" } },
		{ "A::operator->() const", { "A::operator->() const", "A::operator->() const", "A::operator->() const" } },
		{ "A::operator bool() const", { "A::operator bool() const", "A::operator bool() const", "A::operator bool() const" } },
		{ "my_operator<int>(int)", { "my_operator<int>(..)", "my_operator<..>(..)", "my_operator<..>(..)" } },
		{ "f(int)::{lambda(int)#1}::operator()(int) const",
		  { "f(..)::{lambda(int)#1}::operator()(..) const", "f(..)::{lambda(int)#1}::operator()(..) const",
		    "f(..)::{lambda(int)#1}::operator()(..) const" } },
		{ "f<(E)1, (A > B)>(int)", { "f<(E)1, (A > B)>(..)", "f<..>(..)", "f<..>(..)" } },
		{ "f(int) [clone .cold]", { "f(..) [clone .cold]", "f(..) [clone .cold]", "f(..) [clone .cold]" } },
		{ "bool std::operator!=<char, T<int> >(A<char> const&)",
		  { "bool std::operator!=<char, T<int> >(..)", "bool std::operator!=<..>(..)", "std::operator!=<..>(..)" } },
		{ "std::element<1, T<int> >::type& std::get<1>(T<int>&)",
		  { "std::element<1, T<int> >::type& std::get<1>(..)", "std::element<..>::type& std::get<..>(..)", "std::get<..>(..)" } },
		{ "void (anonymous namespace)::run<int>(int)",
		  { "void (anonymous namespace)::run<int>(..)", "void (anonymous namespace)::run<..>(..)",
		    "(anonymous namespace)::run<..>(..)" } },
		{ "a label of words", { "a label of words", "a label of words", "a label of words" } },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (enum short_name_without without = 0; without < SHORT_NAME_KINDS; without++) {
			assert_true(short_name(cases[i].name, without, "..", text, sizeof text));
			assert_string_equal(text, cases[i].expected[without]);
		}
	}
}

static void test_scopes(void **state)
{
	static const char *const names[][2] = {
		{ "a::b::f(int)", "b::f(int)" }, { "b::f(a::c)", "f(a::c)" }, { "f(a::c)", NULL }, { "main", NULL },
		{ "List<ns::T>::find(int)", "find(int)" }, { "(anonymous namespace)::T::run()", "T::run()" },
		{ "A::operator<(A::B)", "operator<(A::B)" }, { "operator<(A::B)", NULL },
		{ "ns::f(int)::{lambda(int)#1}::operator()(int)", "f(int)::{lambda(int)#1}::operator()(int)" },
		{ "f(int)::{lambda(int)#1}::operator()(int)", NULL }, { "a::", NULL }, { "f<int", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const char *inner = short_name_inner(names[i][0]);

		assert_int_equal(!inner, !names[i][1]);
		if (inner)
			assert_string_equal(inner, names[i][1]);
	}
}

static void test_what_is_not_understood(void **state)
{
	static const char *const names[] = { "f(int", "f<int", "a<b)>", "{lambda", "(", "<", "f<a->b" };
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_false(short_name(names[i], WITHOUT_TEMPLATES, "..", text, sizeof text));
}

static void test_space(void **state)
{
	char text[8];

	(void)state;
	assert_true(short_name("abc(int)", WITHOUT_PARAMETERS, "..", text, 8));
	assert_string_equal(text, "abc(..)");
	assert_false(short_name("abcd(int)", WITHOUT_PARAMETERS, "..", text, 8));
	assert_false(short_name("a", WITHOUT_PARAMETERS, "..", text, 1));
	assert_false(short_name("a", WITHOUT_PARAMETERS, "..", text, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_what_is_not_understood),
		cmocka_unit_test(test_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
