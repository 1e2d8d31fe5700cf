/* SPDX-License-Identifier: BSD-2-Clause */
#include "cc_words.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cc_words_deinit(struct cc_words *words)
{
	for (size_t i = 0; i < words->nr; i++)
		free(words->word[i]);
	free(words->word);
	*words = (struct cc_words){ 0 };
}

static bool cc_words_grow(struct cc_words *words)
{
	if (words->nr + 1 < words->capacity)
		return true;
	size_t capacity = words->capacity ? words->capacity * 2 : 16;
	if (capacity > SIZE_MAX / sizeof(*words->word))
		return false;
	char **word = realloc(words->word, capacity * sizeof(*word));
	if (!word)
		return false;
	words->word = word;
	words->capacity = capacity;
	return true;
}

/* Swallows word, which may be NULL after a failed allocation. */
static void cc_words_add_take(struct cc_words *words, char *word)
{
	if (!word || words->failed || !cc_words_grow(words)) {
		words->failed = true;
		free(word);
		return;
	}
	words->word[words->nr++] = word;
	words->word[words->nr] = NULL;
}

void cc_words_add(struct cc_words *words, const char *word)
{
	cc_words_add_take(words, strdup(word));
}

void cc_words_add_text(struct cc_words *words, const char *text, size_t nr_bytes)
{
	cc_words_add_take(words, strndup(text, nr_bytes));
}

void cc_words_add_format(struct cc_words *words, const char *format, ...)
{
	char *word;
	va_list values;

	va_start(values, format);
	if (vasprintf(&word, format, values) < 0)
		word = NULL;
	va_end(values);
	cc_words_add_take(words, word);
}

struct cprof_error *cc_words_error(const struct cc_words *words)
{
	return words->failed ? &cprof_enomem : NULL;
}
