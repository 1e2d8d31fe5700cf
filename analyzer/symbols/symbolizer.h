/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for addresses: module id + ELF virtual address -> function, file, line, inline chain.
 *
 * Knows ELF and DWARF (libelf, libdw) and nothing of traces. Trusts none of its input: a missing, stripped, rebuilt or hostile file gives
 * unknown names and a status that says why, never a wrong nearest name. One thread only. All strings are borrowed from the symbolizer and
 * live until symbolizer_destroy().
 */
#ifndef CPROF_SYMBOLIZER_H
#define CPROF_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct symbolizer;

struct symbolizer_options {
	const char *const *search_paths; /* folders tried for a module that is not at its path (NULL-terminated), or NULL */
	const char *perf_map;            /* /tmp/perf-PID.map of JIT code (module 0), or NULL */
	bool mangled;                    /* keep C++ names mangled */
};

enum symbol_status {
	SYMBOLS_FULL,      /* symbols and line tables */
	SYMBOLS_NO_LINES,  /* symbols but no debug info */
	SYMBOLS_STRIPPED,  /* neither: module+offset only (dynamic symbols are still used within their size) */
	SYMBOLS_MISSING,   /* no such file */
	SYMBOLS_CHANGED,   /* build-id differs from the run's: nothing of it is used */
	SYMBOLS_BAD,       /* unreadable or damaged */
};

struct symbol_module_info {
	enum symbol_status status;
	const char *debug_path; /* separate debug file in use, or NULL */
	const char *detail;     /* one line for people; never NULL when the status is not SYMBOLS_FULL, then a note or NULL */
};

struct symbol_function {
	const char *name;     /* C: plain; C++: demangled; unknown: "module+0x12ab". Never NULL */
	const char *linkage;  /* symbol name as linked, or NULL when unknown */
	const char *file;     /* declaration, or NULL */
	uint32_t line;        /* 0 unknown */
	bool known;           /* false: name is module+offset */
};

struct symbol_variable {
	const char *name;      /* or NULL */
	uint64_t bytes, offset; /* its size, and how far inside of it the address lies */
};

struct symbol_frame {   /* one level of an inline chain */
	const char *function; /* never NULL; "??" or module+offset when unknown */
	const char *file;     /* of the place in this function, or NULL */
	uint32_t line, column; /* 0 unknown */
};

struct cprof_error *symbolizer_create(const struct symbolizer_options *options, struct symbolizer **ret) CPROF_MUST_CHECK;
void symbolizer_destroy(struct symbolizer *symbolizer);

/* Declares a module of the trace. id as in the trace (from 1). The file is opened at its first use. A failure to read it is no error here. */
struct cprof_error *symbolizer_add_module(struct symbolizer *symbolizer, uint32_t id, const char *path, const uint8_t *build_id,
					  size_t build_id_bytes) CPROF_MUST_CHECK;
/* Opens the module if need be. */
struct symbol_module_info symbolizer_module_info(struct symbolizer *symbolizer, uint32_t id);

/* The out-of-line function that starts at (or contains) address. module 0: absolute address (perf map). */
struct cprof_error *symbolizer_function(struct symbolizer *symbolizer, uint32_t module, uint64_t address, struct symbol_function *ret) CPROF_MUST_CHECK;

/* The variable that lies at address; its name is NULL when none is known there. */
struct cprof_error *symbolizer_variable(struct symbolizer *symbolizer, uint32_t module, uint64_t address, struct symbol_variable *ret) CPROF_MUST_CHECK;

/*
 * The inline chain at address, innermost first: frames[0] is the innermost (inlined) function with the place inside it, the last one
 * the out-of-line function. For a return address pass address - 1. *frames is borrowed until the next call; *count >= 1 when lines are known, 0 when not.
 */
struct cprof_error *symbolizer_chain(struct symbolizer *symbolizer, uint32_t module, uint64_t address, const struct symbol_frame **frames,
				     size_t *count) CPROF_MUST_CHECK;

#endif
