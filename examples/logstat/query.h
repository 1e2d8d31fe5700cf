/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to the index: words, '&', '|', parentheses. "red & (shoes | boots)" gives the number of lines that match.
 */
#ifndef QUERY_H
#define QUERY_H

#include <stddef.h>

#include "text_index.h"

size_t query_count(const struct text_index *index, const char *text);

#endif
