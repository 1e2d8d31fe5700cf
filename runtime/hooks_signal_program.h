/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOOKS_SIGNAL_PROGRAM_H
#define HOOKS_SIGNAL_PROGRAM_H

extern volatile unsigned long program_f_calls, program_g_calls, program_h_calls;

void program_f(void);             /* two calls: itself and one inlined into it */
void program_handler(int signal); /* five calls: itself, g twice, h twice */

#endif
