/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of cprof-cc: from the command line it was called with to the one it runs.
 *
 * A pure function. What it must know about the world (environment, current folder, text of response files, where libcprof is) is brought by
 * the caller, so every line of the decision table is a row in cc_args_test.c.
 */
#ifndef CPROF_CC_ARGS_H
#define CPROF_CC_ARGS_H

#include "cc_options.h"
#include "cc_words.h"
#include "response_file.h"

struct cc_library {
	const char *folder;   /* where it is, or NULL: not found */
	bool is_system;       /* linker and loader look there by themselves */
};

struct cc_host {
	const char *arch;     /* what libcprof was built for: "x86_64" */
	const char *cwd;      /* "" if unknown */
	struct cc_library shared_library;
	struct cc_library static_library;
	const char *searched; /* where libcprof was looked for, for the message that it is not there */
	const char *(*read_env)(void *arg, const char *name);
	/* CPROF_ERROR_UNSUPPORTED: looking would use it up (a pipe). */
	response_file_reader *read_response;
	void *arg;
};

struct cc_plan {
	enum cc_action action;
	bool alloc;                /* --cprof-alloc */
	struct cc_words argv;      /* what to run: the words of the compiler, then its arguments */
	size_t nr_compiler_words;  /* "ccache gcc" is 2 */
	const char *untouched;     /* why nothing was added, or NULL; static text */
	char *detail;              /* what made it so: a word of the command line, or NULL */
	bool warn;                 /* the user should be told that nothing was added */
};

void cc_plan_deinit(struct cc_plan *plan);

/* argv[0] tells which compiler, as the name of the program does for cprof-cc itself. */
struct cprof_error *cc_args_plan(const struct cc_host *host, char *const *argv, size_t argc, struct cc_plan *ret) CPROF_MUST_CHECK;

/* The flags for compiling, as one line. */
const char *cc_args_compile_flags(const char *arch);

/* Appends word to out in a form that a shell reads back as this one word. */
void cc_args_quote(const char *word, FILE *out);

#endif
