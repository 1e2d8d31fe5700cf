/* SPDX-License-Identifier: BSD-2-Clause */
/* Inverted index: for each word the numbers of the lines it is in, as varint deltas. */
#ifndef TEXT_INDEX_H
#define TEXT_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dict.h"
#include "line.h"

struct postings {
	uint8_t *data;
	size_t bytes, capacity;
	uint32_t last_line, lines;
};

struct text_index {
	struct dict words;
	struct postings *postings; /* by the word's number */
	size_t capacity;
};

/* A decoded list of line numbers; the caller frees lines. */
struct line_list {
	uint32_t *lines;
	size_t count;
};

void text_index_init(struct text_index *index, struct arena *arena);
void text_index_add(struct text_index *index, uint32_t line_number, struct slice words);
struct line_list text_index_lookup(const struct text_index *index, const char *word, size_t word_bytes);
void text_index_deinit(struct text_index *index);

#endif
