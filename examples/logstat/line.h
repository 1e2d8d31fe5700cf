/* SPDX-License-Identifier: BSD-2-Clause */
/* One line of the log taken apart, without copying: the slices point into the text. */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *start;
	size_t bytes;
};

struct line {
	struct slice address, user, path, words;
	uint64_t second;
	uint32_t status, sent_bytes, latency_us;
};

/* Reads the line at *cursor and moves it behind. False at the end of the text; a malformed line has status 0. */
bool line_next(const char **cursor, const char *end, struct line *line);
/* The next word of words; false when there is none left. */
bool slice_next_word(struct slice *words, struct slice *word);

#endif
