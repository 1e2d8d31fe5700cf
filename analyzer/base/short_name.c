/* SPDX-License-Identifier: BSD-2-Clause */
#include "short_name.h"

#include <ctype.h>
#include <string.h>

struct short_text {
	char *at, *end; /* *at is the terminating 0 to come */
	bool full;
};

static void add(struct short_text *text, const char *bytes, size_t length)
{
	if (text->full || length >= (size_t)(text->end - text->at)) {
		text->full = true;
		return;
	}
	memcpy(text->at, bytes, length);
	text->at += length;
	*text->at = 0;
}

/* Behind the bracket that closes the one at start, or NULL. Angles within parentheses are operators more often than brackets. */
static const char *closed(const char *start)
{
	char open = *start, close = open == '(' ? ')' : open == '{' ? '}' : '>';
	size_t depth = 0, parentheses = 0;

	for (const char *at = start; *at; at++) {
		if (open == '<' && (*at == '(' || *at == ')')) {
			if (*at == ')' && !parentheses)
				return NULL;
			parentheses += *at == '(' ? 1 : (size_t)-1;
		} else if (!parentheses && *at == open) {
			depth++;
		} else if (!parentheses && *at == close && (open != '<' || at[-1] != '-') && --depth == 0) {
			return at + 1;
		}
	}
	return NULL;
}

static bool is_word(char byte)
{
	return isalnum((unsigned char)byte) || byte == '_' || byte == '$';
}

/* The length of "operator" and the sign that follows, at the start of a word; 0 if there is none. */
static size_t operator_length(const char *name, const char *at)
{
	static const char word[] = "operator";
	static const char *const signs[] = { "()", "[]", "<=>", "<<=", ">>=", "->*", "<<", ">>", "->", "<=", ">=", "<", ">" };
	size_t length = sizeof word - 1;

	if (strncmp(at, word, length) != 0 || is_word(at[length]) || (at > name && is_word(at[-1])))
		return 0;
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		if (strncmp(at + length, signs[i], strlen(signs[i])) == 0)
			return length + strlen(signs[i]);
	}
	return length;
}

bool short_name(const char *name, enum short_name_without without, const char *mark, char *buffer, size_t size)
{
	static const char anonymous[] = "(anonymous namespace)";
	struct short_text text = { buffer, buffer + size, size == 0 };
	char *word = buffer; /* where the last word starts, as long as that can be the function's name */
	const char *at = name;

	while (*at && !text.full) {
		size_t copied = operator_length(name, at);
		bool is_operator = copied > 0;

		if (!copied && strncmp(at, anonymous, sizeof anonymous - 1) == 0)
			copied = sizeof anonymous - 1;
		if (!copied && *at == '(' && word) {
			if (without >= WITHOUT_RETURN_TYPE && word > buffer) {
				memmove(buffer, word, (size_t)(text.at - word) + 1);
				text.at -= word - buffer;
			}
			word = NULL;
		}
		if (!copied && (*at == '(' || *at == '{' || *at == '<')) {
			const char *end = closed(at);

			if (!end)
				return false;
			if (*at == '{' || end - at == 2 || (*at == '<' && without < WITHOUT_TEMPLATES)) {
				copied = (size_t)(end - at);
			} else {
				add(&text, at, 1);
				add(&text, mark, strlen(mark));
				add(&text, end - 1, 1);
				at = end;
				continue;
			}
		}
		if (!copied)
			copied = 1;
		if (is_operator && at[copied] == ' ')
			copied++; /* operator bool, operator< <int> */
		add(&text, at, copied);
		at += copied;
		if (at[-1] == ' ' && !is_operator && word)
			word = text.at;
	}
	return !text.full;
}

const char *short_name_inner(const char *name)
{
	static const char anonymous[] = "(anonymous namespace)";

	for (const char *at = name; *at && !operator_length(name, at); at++) {
		if (at[0] == ':' && at[1] == ':')
			return at[2] ? at + 2 : NULL;
		if (*at != '(' && *at != '{' && *at != '<')
			continue;
		const char *end = closed(at);

		if (!end || (*at == '(' && strncmp(at, anonymous, sizeof anonymous - 1) != 0))
			return NULL;
		at = end - 1;
	}
	return NULL;
}
