/* SPDX-License-Identifier: BSD-2-Clause */
/* The instrumented half of hooks_signal_test: calls whose hooks are stepped through, and a handler that makes calls of its own. */
#include "hooks_signal_program.h"

jmp_buf program_back;
volatile unsigned long program_f_calls, program_g_calls, program_h_calls;

static inline __attribute__((always_inline)) void inlined(void)
{
	program_f_calls++;
}

__attribute__((noinline)) void program_f(void)
{
	inlined();
}

__attribute__((noinline)) static void h(void)
{
	program_h_calls++;
}

__attribute__((noinline)) static void g(void)
{
	program_g_calls++;
	h();
}

void program_handler(int signal)
{
	(void)signal;
	g();
	g();
}

__attribute__((noinline)) static void jump(void)
{
	longjmp(program_back, 1);
}

__attribute__((noinline)) void program_leave(void)
{
	jump();
	program_g_calls++;
}

void program_catch(void (*ready)(void))
{
	if (_setjmp(program_back))
		ready();
	else
		program_leave();
	program_f_calls++;
}
