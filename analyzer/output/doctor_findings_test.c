/* SPDX-License-Identifier: BSD-2-Clause */
/* Which facts make a program unfit, and what is said then. */
#include "doctor_findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char name[] = "libcprof.so.0", path[] = "/lib/libcprof.so.0", unit_a[] = "a.c", unit_b[] = "b.c", unit_c[] = "c.c", frameless[] = "leaf";

static const struct program_facts good = { .is_dynamic = true,
					   .code_readable = true,
					   .has_symbols = true,
					   .hooks = HOOKS_SHARED,
					   .runtime_name = name,
					   .runtime_path = path,
					   .runtime_defines_hooks = true,
					   .hook_calls = 9,
					   .functions = 9,
					   .instrumented = 9,
					   .dwarf_min = 5,
					   .dwarf_max = 5,
					   .build_id = "ab" };

static void expect(const struct program_facts *facts, bool fit, const char *check, enum doctor_state state, const char *said, const char *advised)
{
	struct doctor_findings findings;
	const struct doctor_finding *found = NULL;

	assert_null(doctor_findings_make(facts, 1, &findings));
	assert_int_equal(findings.fit, fit);
	for (size_t i = 0; i < findings.count; i++) {
		assert_int_equal(findings.items[i].state == DOCTOR_OK, findings.items[i].advice == NULL); /* what is not ok has a remedy */
		if (strcmp(findings.items[i].check, check) == 0)
			found = &findings.items[i];
	}
	assert_non_null(found);
	assert_int_equal(found->state, state);
	if (!strstr(found->text, said))
		fail_msg("\"%s\" does not say \"%s\"", found->text, said);
	if (advised && !strstr(found->advice, advised))
		fail_msg("\"%s\" does not advise \"%s\"", found->advice, advised);
	doctor_findings_deinit(&findings);
}

static void test_runtime(void **state)
{
	struct program_facts facts = good;

	(void)state;
	expect(&facts, true, "runtime", DOCTOR_OK, path, NULL);
	facts.runtime_defines_hooks = false;
	expect(&facts, false, "runtime", DOCTOR_PROBLEM, "no cprof runtime", "install");
	facts.runtime_path = NULL;
	expect(&facts, false, "runtime", DOCTOR_PROBLEM, "in no folder", "LD_LIBRARY_PATH");
	facts.hooks = HOOKS_EMPTY;
	expect(&facts, false, "runtime", DOCTOR_PROBLEM, "libc's empty hooks", "cprof-cc");
	facts.has_runtime_text = true;
	expect(&facts, false, "runtime", DOCTOR_PROBLEM, "dropped", "-Wl,-u,__cyg_profile_func_enter");
	facts.hooks = HOOKS_FOREIGN;
	expect(&facts, false, "runtime", DOCTOR_PROBLEM, "not cprof's", NULL);
	facts.hooks = HOOKS_INSIDE;
	expect(&facts, true, "runtime", DOCTOR_OK, "libcprof.a", NULL);
}

static void test_instrumentation(void **state)
{
	struct program_facts facts = good;
	struct unit_facts units[] = { { unit_b, 4, 0 }, { unit_c, 2, 0 }, { unit_a, 9, 9 } };

	(void)state;
	facts.units = units;
	facts.nr_units = 3;
	expect(&facts, true, "objects", DOCTOR_WARNING, "2 of 3, with 6 functions, are not instrumented: b.c (4) and 1 more", "cprof-cc");
	facts.units = units + 2;
	facts.nr_units = 1;
	expect(&facts, true, "objects", DOCTOR_OK, "all 1", NULL);
	facts.frameless = 1;
	facts.frameless_names[0] = frameless;
	expect(&facts, true, "frames", DOCTOR_WARNING, "1 instrumented functions keep no frame pointer", "-fno-omit-frame-pointer");
	facts.instrumented = facts.hook_calls = 0;
	expect(&facts, false, "hooks", DOCTOR_PROBLEM, "not instrumented", "make CC=cprof-cc");
	facts.has_symbols = false;
	facts.hooks = HOOKS_INSIDE;
	expect(&facts, true, "hooks", DOCTOR_WARNING, "stripped", NULL);
	facts.code_readable = false;
	expect(&facts, true, "hooks", DOCTOR_WARNING, "x86-64 only", NULL);
}

static void test_names(void **state)
{
	struct program_facts facts = good;

	(void)state;
	facts.build_id[0] = '\0';
	expect(&facts, true, "build-id", DOCTOR_WARNING, "none", "-Wl,--build-id");
	facts.dwarf_min = 4;
	expect(&facts, true, "lines", DOCTOR_OK, "DWARF 4 to 5", NULL);
	facts.units_without_lines = 3;
	expect(&facts, true, "lines", DOCTOR_WARNING, "3 objects have no line table", "-g");
	facts.dwarf_max = 0;
	expect(&facts, true, "lines", DOCTOR_WARNING, "no debug info", "-g");
	facts.has_symbols = false;
	expect(&facts, true, "symbols", DOCTOR_WARNING, "stripped", "objcopy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_instrumentation),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
