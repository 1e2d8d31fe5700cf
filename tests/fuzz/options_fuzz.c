/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The analyzer's command line from any words: options, numbers, times.
 *
 * One word per line. Whatever they are: values that are set are in their ranges, texts lie within the words, an error has a message and leaves a range
 * of times as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "time_range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { WORDS = 32 };

struct words_args {
	bool flag;
	const char *text;
	uint64_t count;
	double percent;
	unsigned choice;
	const char *range;
};

static const char *const choices[] = { "text", "json", "csv", NULL };
static const struct cprof_option options[] = {
	OPT_FLAG("flag", 'f', words_args, flag, "a flag"),
	OPT_TEXT("text", 't', words_args, text, "TEXT", "a text"),
	OPT_COUNT("count", 'c', words_args, count, "a number"),
	OPT_PERCENT("percent", 'p', words_args, percent, "a share"),
	OPT_CHOICE("choice", 'o', words_args, choice, choices, "one of some"),
	OPT_TEXT("range", 'r', words_args, range, "FROM..TO", "a range of times"),
	{ .name = NULL },
};
static const struct words_args defaults;
static const struct cprof_command command = { .name = "words", .options = options, .defaults = &defaults, .args_bytes = sizeof defaults };
static const struct cprof_command *const commands[] = { &command, NULL };
static const struct cprof_program program = { .name = "fuzz", .commands = commands };

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static bool failed(struct cprof_error *error)
{
	if (!error)
		return false;
	require(error->message && *error->message, "an error says something");
	cprof_error_free(error);
	return true;
}

static void range_ask(const char *text)
{
	struct time_range range, before;
	uint64_t from = 0, to = 0;

	memset(&range, 0x5a, sizeof range);
	before = range;
	if (failed(time_range_parse("--range", text, &range))) {
		require(!memcmp(&range, &before, sizeof range), "outputs are untouched on failure");
		return;
	}
	time_range_ticks(&range, 1000, 1000000, 2.5e9, &from, &to);
	time_range_ticks(&range, 0, UINT64_MAX, 0, &from, &to);
	time_range_ticks(&range, UINT64_MAX - 1, UINT64_MAX, 1e9, &from, &to);
	if (range.from.percent == range.to.percent) /* else it may be empty: the end of 10s:50% depends on the run */
		require(to >= from || !range.to.given, "a range does not run backwards");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text = malloc(bytes + 1), *words[WORDS + 1];
	struct words_args args = defaults;
	struct cprof_operands operands = { NULL, 0 };
	bool help = false;
	int nr = 0;

	require(text, "there is memory");
	memcpy(text, data, bytes);
	text[bytes] = 0;
	for (char *word = text; nr < WORDS && word; nr++) {
		char *end = strchr(word, '\n');

		if (end)
			*end++ = 0;
		words[nr] = word;
		word = end;
	}
	words[nr] = NULL;
	if (nr) {
		options_find_command(&program, words[0]);
		options_nearest_command(&program, words[0]);
		range_ask(words[0]);
	}
	if (!failed(options_parse(&command, nr, words, &args, &operands, &help)) && !help) {
		require(operands.count <= (size_t)nr, "operands are words");
		require(args.choice < 3, "a choice is one of them");
		require(args.percent >= 0 && args.percent <= 100, "a share is one");
		for (size_t i = 0; i < operands.count; i++)
			require(operands.items[i] >= text && operands.items[i] <= text + bytes, "operands stay in argv");
		require(!args.text || (args.text >= text && args.text <= text + bytes), "texts stay in argv");
		if (args.range)
			range_ask(args.range);
	}
	free(text);
	return 0;
}
