/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CPROF_HOOKS_H
#define CPROF_HOOKS_H

/* To be reached by a tail call from the exported hooks only: both read the caller's frame and return address. */
void hook_enter(void *function, void *call_site);
void hook_exit(void *function, void *call_site);

#endif
