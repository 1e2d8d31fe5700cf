/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines are added in ascending order, so the deltas are small. */
#include "text_index.h"

#include <stdlib.h>
#include <string.h>

void text_index_init(struct text_index *index, struct arena *arena)
{
	memset(index, 0, sizeof(*index));
	dict_init(&index->words, arena, 64, true);
}

static void append_varint(struct postings *postings, uint32_t value)
{
	if (postings->bytes + 5 > postings->capacity) {
		postings->capacity = postings->capacity ? postings->capacity * 2 : 64;
		postings->data = must_grow(postings->data, postings->capacity);
	}
	while (value >= 0x80) {
		postings->data[postings->bytes++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	postings->data[postings->bytes++] = (uint8_t)value;
}

static uint32_t read_varint(const uint8_t **cursor)
{
	uint32_t value = 0;
	unsigned shift = 0;

	while (**cursor & 0x80) {
		value |= (uint32_t)(*(*cursor)++ & 0x7f) << shift;
		shift += 7;
	}
	return value | (uint32_t)*(*cursor)++ << shift;
}

static struct postings *postings_of(struct text_index *index, uint32_t word)
{
	if (word >= index->capacity) {
		size_t capacity = index->capacity ? index->capacity * 2 : 64;

		index->postings = must_grow(index->postings, capacity * sizeof(*index->postings));
		memset(index->postings + index->capacity, 0, (capacity - index->capacity) * sizeof(*index->postings));
		index->capacity = capacity;
	}
	return &index->postings[word];
}

void text_index_add(struct text_index *index, uint32_t line_number, struct slice words)
{
	struct slice word;

	while (slice_next_word(&words, &word)) {
		struct postings *postings = postings_of(index, dict_intern(&index->words, word.start, word.bytes)->value);

		if (postings->lines && postings->last_line == line_number)
			continue; /* twice in the same line */
		append_varint(postings, line_number - postings->last_line);
		postings->last_line = line_number;
		postings->lines++;
	}
}

struct line_list text_index_lookup(const struct text_index *index, const char *word, size_t word_bytes)
{
	const struct dict_entry *entry = dict_find(&index->words, word, word_bytes);
	struct line_list list = { NULL, 0 };
	const uint8_t *cursor;
	uint32_t line = 0;

	if (!entry)
		return list;
	list.lines = must_alloc((index->postings[entry->value].lines + 1) * sizeof(*list.lines));
	cursor = index->postings[entry->value].data;
	while (list.count < index->postings[entry->value].lines) {
		line += read_varint(&cursor);
		list.lines[list.count++] = line;
	}
	return list;
}

void text_index_deinit(struct text_index *index)
{
	for (size_t i = 0; i < index->capacity; i++)
		free(index->postings[i].data);
	free(index->postings);
	dict_deinit(&index->words);
}
