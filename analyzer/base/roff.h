/* SPDX-License-Identifier: BSD-2-Clause */
/* Text inside a manual page. */
#ifndef CPROF_ROFF_H
#define CPROF_ROFF_H

#include <stdio.h>

/* Nothing of it means anything to roff; an empty line begins a new paragraph. */
void roff_print(FILE *out, const char *text);

#endif
