/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++ names made short where columns are few. Which function it is stands before its parameters and between its template arguments, so
 * these go first: ns::List<...>::find(...) const.
 *
 * Names come from strangers and may be anything; one that is not understood stays as it is.
 */
#ifndef CPROF_SHORT_NAME_H
#define CPROF_SHORT_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Each is without what the one before it is without, too. */
enum short_name_without { WITHOUT_PARAMETERS, WITHOUT_TEMPLATES, WITHOUT_RETURN_TYPE, SHORT_NAME_KINDS };

/*
 * Writes name without these parts, mark in the place of parameters and template arguments. False: the result does not fit in size
 * bytes, or brackets do not match.
 */
bool short_name(const char *name, enum short_name_without without, const char *mark, char *text, size_t size);

/* The name without its outermost scope: "b::f" of "a::b::f". NULL: it has none. A function that a lambda or a local class is in is no such scope. */
const char *short_name_inner(const char *name);

#endif
