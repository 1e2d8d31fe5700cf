/* SPDX-License-Identifier: BSD-2-Clause */
/* Prologues of real functions, and what must not be stepped over. */
#include "uprobe_point.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define FIND(...) find((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static long find(const uint8_t *code, size_t bytes)
{
	bool emulated;
	size_t at = uprobe_point_find(code, bytes, 3, &emulated);

	assert_true(emulated || at == 0);
	return emulated ? (long)at : -1;
}

static void test_known_prologues(void **state)
{
	(void)state;
	assert_int_equal(FIND(0x41, 0x54, 0x55, 0x53), 0);                                        /* push %r12 */
	assert_int_equal(FIND(0x48, 0x85, 0xFF, 0x0F, 0x84, 0xB7, 0, 0, 0, 0x55), 3);             /* test %rdi,%rdi; je */
	assert_int_equal(FIND(0x48, 0x8D, 0x47, 0xFF, 0x48, 0x85, 0xC7, 0x75, 0x10), 7);          /* lea -1(%rdi),%rax; test; jne */
	assert_int_equal(FIND(0xF3, 0x0F, 0x1E, 0xFA, 0x53), 4);                                  /* endbr64; push */
	assert_int_equal(FIND(0x49, 0x89, 0xF8, 0x55), 3);                                        /* mov %rdi,%r8; push */
	assert_int_equal(FIND(0x48, 0x8B, 0x05, 1, 2, 3, 4, 0x53), 7);                            /* mov 0x4030201(%rip),%rax */
	assert_int_equal(FIND(0x80, 0x3D, 1, 2, 3, 4, 0, 0x74, 0x05), 7);                         /* cmpb $0,...(%rip); je */
	assert_int_equal(FIND(0x31, 0xC0, 0xE9, 0, 0, 0, 0), 2);                                  /* xor %eax,%eax; jmp */
	assert_int_equal(FIND(0xB8, 1, 0, 0, 0, 0x41, 0x57), 5);                                  /* mov $1,%eax; push %r15 */
	assert_int_equal(FIND(0x48, 0x81, 0xFF, 0x00, 0x10, 0, 0, 0x0F, 0x87, 0x93, 0, 0, 0), 7); /* cmp $0x1000,%rdi; ja */
	assert_int_equal(FIND(0x48, 0xC1, 0xE8, 0x1A, 0x48, 0x81, 0xE1, 0, 0, 0, 0xC0, 0x74, 0x05),
			 11); /* shr $26,%rax; and $..,%rcx; je */
	assert_int_equal(FIND(0x90), 0);
}

/* jemalloc's free() uses %rdx for itself: it has one argument. */
static void test_fewer_arguments(void **state)
{
	static const uint8_t code[] = { 0x48, 0x89, 0xF8, 0x48, 0x8B, 0x15, 0x0E, 0x53, 0x0A, 0x00, 0x74, 0x05 };
	bool emulated;

	(void)state;
	assert_int_equal(uprobe_point_find(code, sizeof code, 1, &emulated), 10);
	assert_true(emulated);
	assert_int_equal(uprobe_point_find(code, sizeof code, 3, &emulated), 0);
	assert_false(emulated);
}

/* An argument that has moved, a stack pointer that has, a store, or what we do not know: the first instruction it must be. */
static void test_gives_up(void **state)
{
	(void)state;
	assert_int_equal(FIND(0x48, 0x89, 0xF7, 0x55), -1);                   /* mov %rsi,%rdi */
	assert_int_equal(FIND(0x31, 0xF6, 0x55), -1);                         /* xor %esi,%esi */
	assert_int_equal(FIND(0x48, 0x8D, 0x14, 0x3E, 0x55), -1);             /* lea (%rsi,%rdi),%rdx */
	assert_int_equal(FIND(0x48, 0x83, 0xEC, 0x18, 0xE8, 0, 0, 0, 0), -1); /* sub $0x18,%rsp */
	assert_int_equal(FIND(0x48, 0x89, 0x07, 0x55), -1);                   /* mov %rax,(%rdi) */
	assert_int_equal(FIND(0xBF, 1, 0, 0, 0, 0x55), -1);                   /* mov $1,%edi */
	assert_int_equal(FIND(0x48, 0x83, 0xE7, 0xF0, 0x55), -1);             /* and $-16,%rdi */
	assert_int_equal(FIND(0xC3), -1);
	assert_int_equal(FIND(0x48, 0x85), -1); /* cut off */
	assert_int_equal(uprobe_point_find(NULL, 0, 3, &(bool){ true }), 0);
}

/* Whatever libc this is, the functions that everybody calls are cheap to probe. */
static void test_this_libc(void **state)
{
	static const char *const names[] = { "malloc", "free", "calloc", "realloc", "posix_memalign" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const uint8_t *code = dlsym(RTLD_DEFAULT, names[i]);
		bool emulated = false;

		assert_non_null(code);
		size_t at = uprobe_point_find(code, 64, 3, &emulated);

		print_message("%s+%zu%s\n", names[i], at, emulated ? "" : " (slow)");
		assert_true(at < 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_known_prologues), cmocka_unit_test(test_fewer_arguments),
					    cmocka_unit_test(test_gives_up), cmocka_unit_test(test_this_libc) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
