/* SPDX-License-Identifier: BSD-2-Clause */
#include "response_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
	NR_FILES_MAX = 2000,           /* as many as GCC reads before it calls it a loop */
	TEXT_BYTES_MAX = 64 * 1024 * 1024, /* of all files together: a loop of large files must not eat the machine first */
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Writes one word, unquoted, to out (as long as the text at least); returns where it ended. */
static const char *response_file_split_word(const char *at, char *out)
{
	char quote = 0;

	for (; *at && (quote || !is_space(*at)); at++) {
		if (*at == '\\') {
			if (!at[1])
				continue; /* nothing left to escape: GCC drops it */
			*out++ = *++at;
		} else if (quote ? *at == quote : (*at == '\'' || *at == '"')) {
			quote = quote ? 0 : *at;
		} else {
			*out++ = *at;
		}
	}
	*out = 0;
	return at;
}

void response_file_split(const char *text, struct cc_words *ret)
{
	char *word = malloc(strlen(text) + 1);

	if (!word) {
		ret->failed = true;
		return;
	}
	for (;;) {
		while (is_space(*text))
			text++;
		if (!*text)
			break;
		text = response_file_split_word(text, word);
		cc_words_add(ret, word);
	}
	free(word);
}

/* Words still to be looked at, of the command line or of a file; the one on top is being read. */
struct response_frame {
	struct cc_words owned; /* empty for the command line */
	char *const *word;
	size_t nr;
	size_t next;
};

struct response_stack {
	struct response_frame *frame;
	size_t nr;
	size_t capacity;
	size_t text_bytes; /* read so far, of all files */
};

static bool response_stack_push(struct response_stack *stack, struct response_frame frame)
{
	if (stack->nr == stack->capacity) {
		size_t capacity = stack->capacity ? stack->capacity * 2 : 8;
		struct response_frame *grown = realloc(stack->frame, capacity * sizeof(*grown));
		if (!grown)
			return false;
		stack->frame = grown;
		stack->capacity = capacity;
	}
	stack->frame[stack->nr++] = frame;
	return true;
}

static void response_stack_pop(struct response_stack *stack)
{
	cc_words_deinit(&stack->frame[--stack->nr].owned);
}

/* Puts the words of the file on the stack; leaves the stack alone and sets *ret_literal if there is no such file. */
static struct cprof_error *response_stack_push_file(struct response_stack *stack, const char *path, response_file_reader *read, void *arg,
						    bool *ret_literal)
{
	struct cc_words words = { 0 };
	char *text = NULL;
	struct cprof_error *error = read(arg, path, &text);

	if (error && error->code == CPROF_ERROR_NOT_FOUND) {
		cprof_error_free(error);
		*ret_literal = true;
		return NULL;
	}
	if (error)
		return error;
	stack->text_bytes += strlen(text);
	if (stack->text_bytes > TEXT_BYTES_MAX) {
		free(text);
		return cprof_error_at(CPROF_ERROR_FORMAT, path, CPROF_NO_OFFSET, "more than %d MiB of response files", TEXT_BYTES_MAX >> 20);
	}
	response_file_split(text, &words);
	free(text);
	error = cc_words_error(&words);
	if (!error && !response_stack_push(stack, (struct response_frame){ .owned = words, .word = words.word, .nr = words.nr }))
		error = &cprof_enomem;
	if (error)
		cc_words_deinit(&words);
	return error;
}

static bool origin_add(size_t **origin, size_t *capacity, size_t nr, size_t value)
{
	if (nr == *capacity) {
		size_t grown_capacity = *capacity ? *capacity * 2 : 64;
		size_t *grown = realloc(*origin, grown_capacity * sizeof(*grown));
		if (!grown)
			return false;
		*origin = grown;
		*capacity = grown_capacity;
	}
	(*origin)[nr] = value;
	return true;
}

struct cprof_error *response_file_expand(char *const *argv, size_t argc, response_file_reader *read, void *arg, struct cc_words *words,
					 size_t **ret_origin)
{
	struct response_stack stack = { 0 };
	struct cprof_error *error = NULL;
	size_t *origin = NULL, origin_capacity = 0, nr_files = 0, nr_added = 0;

	if (!response_stack_push(&stack, (struct response_frame){ .word = argv, .nr = argc }))
		error = &cprof_enomem;
	while (!error && stack.nr) {
		struct response_frame *top = &stack.frame[stack.nr - 1];
		if (top->next == top->nr) {
			response_stack_pop(&stack);
			continue;
		}
		const char *word = top->word[top->next++];
		bool literal = word[0] != '@';
		if (!literal && ++nr_files > NR_FILES_MAX)
			error = cprof_error_create(CPROF_ERROR_FORMAT, "%s: more than %d response files; does one of them name itself?", word,
						   NR_FILES_MAX);
		else if (!literal)
			error = response_stack_push_file(&stack, word + 1, read, arg, &literal);
		if (error || !literal)
			continue;
		cc_words_add(words, word);
		error = cc_words_error(words);
		if (!error && !origin_add(&origin, &origin_capacity, nr_added++, stack.frame[0].next - 1))
			error = &cprof_enomem;
	}
	while (stack.nr)
		response_stack_pop(&stack);
	free(stack.frame);
	if (error) {
		free(origin);
		return error;
	}
	*ret_origin = origin;
	return NULL;
}
