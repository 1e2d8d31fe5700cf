/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOOKS_SIGNAL_PROGRAM_H
#define HOOKS_SIGNAL_PROGRAM_H

#include <setjmp.h>

extern jmp_buf program_back;
extern volatile unsigned long program_f_calls, program_g_calls, program_h_calls;

void program_f(void);             /* two calls: itself and one inlined into it */
void program_handler(int signal); /* five calls: itself, g twice, h twice */
void program_leave(void);         /* two calls, both left by a jump to program_back */
void program_catch(void (*ready)(void)); /* three calls: itself, and what program_leave() makes and it catches; then ready() and its end */

#endif
