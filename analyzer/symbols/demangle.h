/* SPDX-License-Identifier: BSD-2-Clause */
/* C++ names for people. Built without libiberty, every name stays as it is. */
#ifndef CPROF_DEMANGLE_H
#define CPROF_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes "ns::f(int)" for "_ZN2ns1fEi". False, and text undefined, if mangled is no mangled name, or one that expands beyond text_bytes: a
 * name of 100 bytes can be made to print for hours.
 */
bool demangle(const char *mangled, char *text, size_t text_bytes);

/*
 * The length of name without what compilers append to copies of a function that are still that whole function for a reader: .constprop.0,
 * .isra.0, .lto_priv.0, .localalias, .llvm.123, .cold. A .part.0 is a piece with calls and time of its own and keeps its mark.
 */
size_t demangle_plain_length(const char *name);

#endif
