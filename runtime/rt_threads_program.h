/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RT_THREADS_PROGRAM_H
#define RT_THREADS_PROGRAM_H

/* Calls of one program_work(rounds): itself once, leaf 3 and mid 1 times per round, recurse 11 times in every 64th round. */
void program_work(unsigned long rounds);
void *program_thread(void *rounds); /* calls program_work() once */
void program_leaf(void);
void program_mid(void);
void program_recurse(unsigned long depth);
void program_handler(int signal);   /* itself and 3 leaves; counts its runs */
void program_fill(unsigned long leaves);
void program_deep(unsigned long depth, void (*at_the_bottom)(void *), void *argument); /* depth + 1 calls */

extern volatile unsigned long program_handler_runs;

#endif
