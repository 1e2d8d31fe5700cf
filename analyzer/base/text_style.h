/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How text may look on the way to a terminal, a file or a pipe, and the printing of names.
 *
 * Names come from strangers: control characters, escape sequences and what is no UTF-8 are never passed on to a terminal.
 */
#ifndef CPROF_TEXT_STYLE_H
#define CPROF_TEXT_STYLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct text_style {
	unsigned width; /* columns; TEXT_WIDTH_MAX: no limit */
	bool color;
	bool bars;      /* on a terminal only */
	bool unicode;   /* the locale's character set is UTF-8 */
};

enum { TEXT_WIDTH_DEFAULT = 80, TEXT_WIDTH_MIN = 60, TEXT_WIDTH_MAX = 1 << 20 };

enum text_color { TEXT_PLAIN, TEXT_DIM, TEXT_BOLD, TEXT_HOT, TEXT_WARM, TEXT_BAD, TEXT_GOOD };

/* width 0: the terminal's, 80 where there is none. Call setlocale(LC_CTYPE, "") before. */
struct text_style text_style_of(FILE *out, enum color_mode color, uint64_t width);

void text_color(const struct text_style *style, FILE *out, enum text_color color); /* TEXT_PLAIN ends a color */

/* Columns that text takes when printed. */
unsigned text_columns(const struct text_style *style, const char *text);
/* Prints text in at most `columns` columns, cut out in the middle where it is longer, and returns the columns taken. */
unsigned text_print(const struct text_style *style, FILE *out, const char *text, unsigned columns);
/* The same for the name of a function: parameters, template arguments, return type go first where it is longer. */
/* What of a C++ name text_print_name() prints: all of it, or a shorter one in text[bytes]. May still be too long. */
const char *text_fit_name(const struct text_style *style, const char *name, unsigned columns, char *text, size_t bytes);
unsigned text_print_name(const struct text_style *style, FILE *out, const char *name, unsigned columns);
void text_pad(FILE *out, unsigned columns); /* spaces */
/* Words of a line of a report, indented by 2, that go on in the next, indented by 4. */
void text_wrap(const struct text_style *style, FILE *out, const char *text);
/* A horizontal bar of `part` of `all` in `columns` columns, always filling them. */
void text_bar(const struct text_style *style, FILE *out, double fraction, unsigned columns);
/* The part of a path after its last slash. */
const char *text_base_name(const char *path);
/* As a word of a shell command. */
void text_print_shell_word(const struct text_style *style, FILE *out, const char *text);

#endif
