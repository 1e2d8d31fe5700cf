/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strangers' names as XML text or attribute values. What XML cannot hold, and what could reorder a line, becomes U+FFFD; a newline becomes a space.
 */
#ifndef CPROF_XML_TEXT_H
#define CPROF_XML_TEXT_H

#include <stddef.h>
#include <stdio.h>

void xml_print(FILE *out, const char *text);
void xml_print_part(FILE *out, const char *text, size_t letters); /* the first ones */

#endif
