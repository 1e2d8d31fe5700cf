/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing list of words that is at all times a valid argv: word[nr] is NULL.
 *
 * Adding never fails visibly: the first failure to get memory is kept, later additions do nothing, and cc_words_error() tells at the end.
 * A command line is built of dozens of words, and a check behind each would hide the order in which they stand.
 */
#ifndef CPROF_CC_WORDS_H
#define CPROF_CC_WORDS_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

struct cc_words {
	char **word; /* each owned by the list; NULL before the first addition */
	size_t nr;
	size_t capacity;
	bool failed;
};

void cc_words_deinit(struct cc_words *words);
void cc_words_add(struct cc_words *words, const char *word);
void cc_words_add_text(struct cc_words *words, const char *text, size_t nr_bytes);
void cc_words_add_format(struct cc_words *words, const char *format, ...) CPROF_PRINTF(2, 3);
struct cprof_error *cc_words_error(const struct cc_words *words) CPROF_MUST_CHECK;

#endif
