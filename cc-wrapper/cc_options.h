/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wrapper's own options. One table gives parser, help and manual page; all else on the command line belongs to the compiler, also
 * --help and --version: build systems identify the compiler by what those print.
 */
#ifndef CPROF_CC_OPTIONS_H
#define CPROF_CC_OPTIONS_H

#include "error.h"

#include <stdbool.h>
#include <stdio.h>

enum cc_action {
	CC_ACTION_RUN,     /* no option of ours asks for something else */
	CC_ACTION_SHOW,    /* print the command instead of running it */
	CC_ACTION_CONFIG,  /* print what the wrapper found */
	CC_ACTION_VERSION,
	CC_ACTION_HELP,
	CC_ACTION_MAN,
};

/* What our options ask for. */
struct cc_wishes {
	enum cc_action action;
	bool alloc;        /* allocations by context, too: the interposer is linked in */
};

/* Is word an option of ours? Then *wishes says so. A word that begins like one ("--cprof-") and is none is an error. */
struct cprof_error *cc_options_take(const char *word, bool *ret_is_ours, struct cc_wishes *wishes) CPROF_MUST_CHECK;
void cc_options_print_help(FILE *out);
void cc_options_print_man(FILE *out, const char *version); /* roff, man macros */

#endif
