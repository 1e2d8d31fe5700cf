/* SPDX-License-Identifier: BSD-2-Clause */
#include "thread_list.h"

#include <stddef.h>
#include <string.h>

/* Whether a word of `name` ("worker [1234]"), or all of it, is text[0..length). */
static bool name_has_word(const char *name, const char *text, size_t length)
{
	if (strlen(name) == length && strncmp(name, text, length) == 0)
		return true;
	while (*name) {
		size_t word = strcspn(name, " []()");

		if (word && word == length && strncmp(name, text, length) == 0)
			return true;
		name += word;
		name += strspn(name, " []()");
	}
	return false;
}

bool thread_list_has(const char *list, const char *name)
{
	while (*list) {
		size_t length = strcspn(list, ",");

		if (length && name_has_word(name, list, length))
			return true;
		list += length;
		list += strspn(list, ",");
	}
	return false;
}
