/* SPDX-License-Identifier: BSD-2-Clause */
/* The runs with a kernel half of make_traces. */
#ifndef CPROF_MAKE_KERNEL_TRACES_H
#define CPROF_MAKE_KERNEL_TRACES_H

void make_kernel_traces(void);

#endif
