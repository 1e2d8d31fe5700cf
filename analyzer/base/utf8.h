/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of UTF-8 from strangers. Names in traces and binaries are bytes of any kind: everything that prints one goes through here,
 * so that no output is invalid because an input was.
 */
#ifndef CPROF_UTF8_H
#define CPROF_UTF8_H

#include <stdint.h>

#define UTF8_BAD UINT32_MAX /* a byte that starts no valid sequence */

/* The code point at *text, which must not be at its NUL; *text moves on (by one byte after UTF8_BAD). No surrogates, no overlong forms. */
uint32_t utf8_next(const char **text);

#endif
