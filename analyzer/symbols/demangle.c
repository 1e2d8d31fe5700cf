/* SPDX-License-Identifier: BSD-2-Clause */
#include "demangle.h"

#include <setjmp.h>
#include <string.h>

#ifdef CPROF_HAVE_LIBIBERTY
#include <libiberty/demangle.h>

enum {
	LIMITED_BYTES = 1024, /* libiberty itself refuses longer names unless told not to limit its recursion */
	LONGEST_BYTES = 4096, /* beyond, its recursion could need more stack than there is */
};

struct output {
	char *text;
	size_t used_bytes, capacity_bytes;
	jmp_buf full;
};

/* libiberty knows no "stop". It holds nothing but stack while it calls back, so leaving it by a jump loses nothing. */
static void output_add(const char *text, size_t length, void *opaque)
{
	struct output *output = opaque;

	if (length >= output->capacity_bytes - output->used_bytes)
		longjmp(output->full, 1);
	memcpy(output->text + output->used_bytes, text, length);
	output->used_bytes += length;
}

static bool output_print(struct output *output, const char *mangled, int options)
{
	return !setjmp(output->full) && cplus_demangle_v3_callback(mangled, options, output_add, output);
}

bool demangle(const char *mangled, char *text, size_t text_bytes)
{
	struct output output = { .text = text, .capacity_bytes = text_bytes };
	int options = DMGL_PARAMS | DMGL_ANSI;
	size_t length = strnlen(mangled, LONGEST_BYTES + 1);

	if (strncmp(mangled, "_Z", 2) != 0 || length > LONGEST_BYTES || !text_bytes)
		return false;
	if (length > LIMITED_BYTES)
		options |= DMGL_NO_RECURSE_LIMIT;
	if (!output_print(&output, mangled, options))
		return false;
	text[output.used_bytes] = '\0';
	return true;
}
#else
bool demangle(const char *mangled, char *text, size_t text_bytes)
{
	(void)mangled;
	(void)text;
	(void)text_bytes;
	return false;
}
#endif

/* The length of a mark at the start of suffix, with its number; 0 if it is none of them. */
static size_t mark_length(const char *suffix)
{
	static const char *const marks[] = { ".constprop", ".isra", ".lto_priv", ".localalias", ".llvm", ".cold" };

	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		size_t length = strlen(marks[i]);

		if (strncmp(suffix, marks[i], length) != 0)
			continue;
		if (suffix[length] == '.' && suffix[length + 1] >= '0' && suffix[length + 1] <= '9')
			length += 1 + strspn(suffix + length + 1, "0123456789");
		if (suffix[length] == '\0' || suffix[length] == '.')
			return length;
	}
	return 0;
}

size_t demangle_plain_length(const char *name)
{
	const char *end = name;

	for (const char *dot = strchr(name, '.'); dot; dot = strchr(end + 1, '.')) {
		end = dot;
		for (size_t length; (length = mark_length(end));)
			end += length;
		if (*end == '\0') /* nothing but marks up to the end */
			return dot == name ? strlen(name) : (size_t)(dot - name);
	}
	return strlen(name);
}
