/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command line asks the compiler to do, as far as that decides whether and how cprof takes part.
 *
 * Only reads words: decides nothing (cc_args does) and touches no file. Options of GCC and Clang that are not listed here take part in
 * nothing and have no separate argument.
 */
#ifndef CPROF_CC_FACTS_H
#define CPROF_CC_FACTS_H

#include <stdbool.h>
#include <stddef.h>

enum cc_step {
	CC_STEP_LINK,    /* no option says otherwise: compile what is source, then link */
	CC_STEP_COMPILE, /* -c, -S */
	CC_STEP_NO_CODE, /* -E, -M, -fsyntax-only and their like */
};

struct cc_facts {
	enum cc_step step;
	size_t nr_inputs;
	size_t nr_sources;            /* inputs whose functions can be instrumented */
	size_t nr_headers;            /* inputs that are compiled to a precompiled header */
	bool asks_compiler;           /* --version, -print-...: the compiler answers and ends */
	bool incomplete;              /* the last option lacks its argument: whatever we append would become it */
	bool is_shared;               /* -shared */
	bool is_static;               /* -static, -static-pie */
	bool is_relocatable;          /* -r in any spelling */
	bool names_libc;              /* -lc or libc.so itself is among the inputs */
	bool has_debug;               /* any -g... */
	bool has_build_id;            /* --build-id is given to the linker, in any form */
	bool not_instrumented;        /* -fno-instrument-functions is the last word about it */
	const char *without_libc;     /* the option that says there is no C library (-nostdlib and the like), or NULL; borrowed, as all below */
	const char *bare;             /* the option that says there is no operating system, or NULL */
	const char *foreign;          /* the option that asks for another target than arch, or NULL */
	const char *probe;            /* the input that marks this as a probe of a build system, or NULL */
	size_t end_of_options;        /* index of "--" among the words, or CC_FACTS_NO_END */
};

#define CC_FACTS_NO_END ((size_t)-1)

/* word[0] is the first word behind the compiler. arch is that of libcprof ("x86_64"). */
struct cc_facts cc_facts_scan(char *const *word, size_t nr_words, const char *arch);

/* "-fno-instrument-functions", which Clang does not know. */
bool cc_facts_word_forbids_hooks(const char *word);

#endif
