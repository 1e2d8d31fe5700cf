/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `doctor` has to know of a program or shared object before it runs: who answers its hooks, which of its functions call them, which keep a frame
 * pointer, and what will be known of its names. Facts only: what is good or bad of them is said elsewhere.
 */
#ifndef CPROF_PROGRAM_FACTS_H
#define CPROF_PROGRAM_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "program_libraries.h"

enum hooks_origin {
	HOOKS_NONE,     /* nothing in it asks for them */
	HOOKS_SHARED,   /* libcprof.so */
	HOOKS_INSIDE,   /* libcprof.a is part of it */
	HOOKS_EMPTY,    /* those of glibc, which do nothing */
	HOOKS_FOREIGN,  /* its own, or those of another library */
};

struct unit_facts { /* a compilation unit that has functions */
	char *name;
	uint32_t functions, instrumented;
};

struct program_facts {
	bool is_library;         /* a shared object that is no program */
	bool is_dynamic;
	bool code_readable;      /* of an architecture whose calls we can find; else nothing is known of what is instrumented */
	bool has_symbols;        /* .symtab, here or in the debug file */
	bool dynamic_symbols;    /* only .dynsym */
	bool has_runtime_text;   /* libcprof.a is in it, or was until its hooks were dropped */

	enum hooks_origin hooks;
	char *runtime_name;      /* libcprof as NEEDED says it, or NULL */
	char *runtime_path;      /* where the loader will find it, or NULL */
	bool runtime_defines_hooks; /* that file does */

	struct program_libraries libraries;

	uint64_t hook_calls;     /* of the enter hook */
	uint64_t functions, instrumented; /* of those in units, or of all where there are no units; the runtime's own are left out */
	uint64_t functions_without_unit;
	uint64_t frameless;      /* instrumented, but without "push %rbp; mov %rsp,%rbp" before the hook */
	char *frameless_names[8];

	struct unit_facts *units; /* least instrumented first, then most functions */
	size_t nr_units;
	unsigned dwarf_min, dwarf_max; /* versions; 0: no debug info */
	uint32_t units_without_lines;
	char *debug_path;        /* separate debug file in use, or NULL */
	char *debug_damage;      /* why debug info was not used, or NULL */
	char build_id[2 * 64 + 1]; /* "": none */
};

struct cprof_error *program_facts_create(const char *path, struct program_facts **ret) CPROF_MUST_CHECK;
void program_facts_destroy(struct program_facts *facts);

#endif
