/* SPDX-License-Identifier: BSD-2-Clause */
#include "text_style.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "short_name.h"
#include "utf8.h"

struct text_style text_style_of(FILE *out, enum color_mode color, uint64_t width)
{
	struct text_style style = { TEXT_WIDTH_DEFAULT, false, false, strcmp(nl_langinfo(CODESET), "UTF-8") == 0 };
	bool terminal = isatty(fileno(out)) == 1;
	const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct winsize size;

	if (terminal && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	if (width)
		style.width = width > TEXT_WIDTH_MAX ? TEXT_WIDTH_MAX : (unsigned)width;
	if (style.width < TEXT_WIDTH_MIN)
		style.width = TEXT_WIDTH_MIN;
	style.bars = terminal;
	style.color = color == COLOR_ALWAYS || (color == COLOR_AUTO && terminal && kind && strcmp(kind, "dumb") != 0 && !(no_color && *no_color));
	return style;
}

void text_color(const struct text_style *style, FILE *out, enum text_color color)
{
	static const char *const codes[] = { "0", "2", "1", "31", "33", "1;31", "32" };

	if (style->color)
		fprintf(out, "\033[%sm", codes[color]);
}

/* Columns of one code point, or -1 when it must not be printed as it is: controls, unknown ones, and those that reorder the line. */
static int code_columns(const struct text_style *style, uint32_t code)
{
	if (code >= 0x20 && code < 0x7F)
		return 1;
	if (code < 0xA0 || code == UTF8_BAD || !style->unicode || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069))
		return -1;
	return wcwidth((wchar_t)code);
}

unsigned text_columns(const struct text_style *style, const char *text)
{
	unsigned columns = 0;

	while (*text) {
		int add = code_columns(style, utf8_next(&text));

		columns += add < 0 ? 1 : (unsigned)add;
		if (columns > TEXT_WIDTH_MAX)
			return columns;
	}
	return columns;
}

/* Nearly every name is: then its bytes are its columns. */
static bool is_plain(const char *text, size_t limit, size_t *length)
{
	size_t i = 0;

	while (i <= limit && text[i] >= 0x20 && text[i] < 0x7F)
		i++;
	*length = i;
	return i <= limit && !text[i];
}

static const char *cut_mark(const struct text_style *style)
{
	return style->unicode ? "\u2026" : "..";
}

unsigned text_print(const struct text_style *style, FILE *out, const char *text, unsigned columns)
{
	size_t length;

	if (is_plain(text, columns, &length)) {
		fwrite(text, 1, length, out);
		return (unsigned)length;
	}

	const char *mark = cut_mark(style);
	unsigned mark_columns = style->unicode ? 1 : 2, all = text_columns(style, text);
	bool cut = all > columns && columns > mark_columns, marked = false;
	unsigned head = cut ? (columns - mark_columns + 1) / 2 : columns, tail_from = cut ? all - (columns - mark_columns - head) : all;
	unsigned at = 0, printed = 0;

	while (*text) {
		const char *start = text;
		int add = code_columns(style, utf8_next(&text));
		unsigned step = add < 0 ? 1 : (unsigned)add;

		if (at + step <= head || (cut && at >= tail_from)) {
			if (add < 0)
				fputc('?', out);
			else
				fwrite(start, 1, (size_t)(text - start), out);
			printed += step;
		} else if (cut && !marked) {
			fputs(mark, out);
			printed += mark_columns;
			marked = true;
		}
		at += step;
	}
	return printed;
}

const char *text_fit_name(const struct text_style *style, const char *name, unsigned columns, char *text, size_t bytes)
{
	const char *mark = cut_mark(style), *shown = name, *inner;
	size_t mark_bytes = strlen(mark);

	for (enum short_name_without without = WITHOUT_PARAMETERS; without < SHORT_NAME_KINDS && text_columns(style, shown) > columns; without++) {
		if (!short_name(name, without, mark, text, bytes))
			break;
		shown = text;
	}
	/* The end of a name says more than where it begins. */
	for (inner = shown; text_columns(style, inner) + (inner > shown ? text_columns(style, mark) : 0) > columns;) {
		const char *next = short_name_inner(inner);

		if (!next)
			return inner; /* to be cut in any case */
		inner = next;
	}
	if (inner == shown || mark_bytes + strlen(inner) >= bytes)
		return inner;
	memmove(text + mark_bytes, inner, strlen(inner) + 1);
	memcpy(text, mark, mark_bytes);
	return text;
}

unsigned text_print_name(const struct text_style *style, FILE *out, const char *name, unsigned columns)
{
	char text[1024];

	return text_print(style, out, text_fit_name(style, name, columns, text, sizeof text), columns);
}

void text_pad(FILE *out, unsigned columns)
{
	fprintf(out, "%*s", (int)columns, "");
}

void text_bar(const struct text_style *style, FILE *out, double fraction, unsigned columns)
{
	static const char *const eighths[] = { "", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589" };
	unsigned parts = (unsigned)(fraction * columns * 8 + 0.5), full = parts / 8, rest = parts % 8;

	if (full >= columns) {
		full = columns;
		rest = 0;
	}
	for (unsigned i = 0; i < full; i++)
		fputs(style->unicode ? "\u2588" : "#", out);
	if (!style->unicode)
		rest = 0;
	fputs(eighths[rest], out);
	text_pad(out, columns - full - (rest > 0));
}

const char *text_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

void text_print_shell_word(const struct text_style *style, FILE *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+,:@%=";

	if (*text && strspn(text, plain) == strlen(text)) {
		fputs(text, out);
		return;
	}
	fputc('\'', out);
	while (*text) {
		size_t run = strcspn(text, "'");
		char *copy = strndup(text, run);

		if (copy)
			text_print(style, out, copy, TEXT_WIDTH_MAX);
		free(copy);
		text += run;
		if (*text == '\'') {
			fputs("'\\''", out);
			text++;
		}
	}
	fputc('\'', out);
}

void text_wrap(const struct text_style *style, FILE *out, const char *text)
{
	enum { INDENT = 4 };
	unsigned column = 1;

	fputc(' ', out);
	while (*text) {
		size_t length = strcspn(text, " ");
		char word[128];

		snprintf(word, sizeof word, "%.*s", length < sizeof word ? (int)length : (int)sizeof word - 1, text);
		if (column > INDENT && column + 1 + length > style->width) {
			fputc('\n', out);
			text_pad(out, INDENT - 1);
			column = INDENT - 1;
		}
		fputc(' ', out);
		column += 1 + text_print(style, out, word, TEXT_WIDTH_MAX);
		text += length + (text[length] == ' ');
	}
	fputc('\n', out);
}
