/* SPDX-License-Identifier: BSD-2-Clause */
#include "rt_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "rt_status.h"
#include "rt_sys.h"

struct rt_config rt_config;

enum { DEFAULT_CONTEXTS = 4u << 20 };
#define DEFAULT_BUFFER_BYTES (64ull << 20)

/* "64M", "4096", "1g". false when it is no such number. */
static bool parse_size(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t number = rt_text_number(text, &end);

	if (end == text || end - text > 15)
		return false;
	switch (*end | 0x20) {
	case 'k':
		number <<= 10;
		end++;
		break;
	case 'm':
		number <<= 20;
		end++;
		break;
	case 'g':
		number <<= 30;
		end++;
		break;
	default:
		break;
	}
	*ret = number;
	return !*end;
}

static bool bad_value(const char *name, const char *text, const char *expected)
{
	char line[256];
	size_t length = rt_text_append(line, 0, sizeof line, "use ");

	length = rt_text_append(line, length, sizeof line, name);
	length = rt_text_append(line, length, sizeof line, "=");
	rt_text_append(line, length, sizeof line, text);
	rt_fail(line, NULL, 0, expected);
	return false;
}

/* %p pid, %e executable's name, %t start time in seconds, %% */
static bool expand_output(const char *pattern)
{
	char *out = rt_config.output;
	size_t length = 0;
	static char exe[RT_PATH_MAX]; /* one thread starts, perhaps on a small signal stack */

	out[0] = 0;
	if (*pattern != '/') {
		long got = rt_sys(SYS_getcwd, out, RT_PATH_MAX);
		if (got < 0 || out[0] != '/') {
			rt_fail("find the working directory", NULL, got < 0 ? (int)-got : 0, "set CPROF_OUTPUT to an absolute path");
			return false;
		}
		length = rt_text_length(out);
		if (length > 1)
			length = rt_text_append(out, length, RT_PATH_MAX, "/");
	}
	for (; *pattern && length + 1 < RT_PATH_MAX; pattern++) {
		if (*pattern != '%' || !pattern[1]) {
			out[length++] = *pattern;
			out[length] = 0;
			continue;
		}
		switch (*++pattern) {
		case 'p':
			length = rt_text_append_number(out, length, RT_PATH_MAX, (uint64_t)rt_sys(SYS_getpid));
			break;
		case 't':
			length = rt_text_append_number(out, length, RT_PATH_MAX, (uint64_t)time(NULL));
			break;
		case 'e': {
			long got = rt_sys(SYS_readlinkat, -100 /* AT_FDCWD */, "/proc/self/exe", exe, sizeof exe - 1);
			const char *base = exe;

			exe[got > 0 ? got : 0] = 0;
			for (const char *c = exe; *c; c++)
				if (*c == '/')
					base = c + 1;
			length = rt_text_append(out, length, RT_PATH_MAX, *base ? base : "program");
			break;
		}
		case '%':
			length = rt_text_append(out, length, RT_PATH_MAX, "%");
			break;
		default:
			return bad_value("CPROF_OUTPUT", pattern - 1, "%p, %e, %t and %% are known");
		}
	}
	if (length + 64 >= RT_PATH_MAX) /* room for ".<pid>.<n>" and ".live" */
		return bad_value("CPROF_OUTPUT", "...", "the path is too long");
	return true;
}

/* Where the address space is limited (RLIMIT_AS) the tables take at most about an eighth of it. */
static void fit_address_space(struct rt_config *c)
{
	struct { uint64_t soft, hard; } limit = { UINT64_MAX, UINT64_MAX };
	enum { BYTES_PER_CONTEXT = 48 + 32 + 16 };

	rt_sys(SYS_prlimit64, 0, 9 /* RLIMIT_AS */, NULL, &limit);
	c->tight = limit.soft != UINT64_MAX;
	while (c->tight && c->context_capacity > 1024 && (uint64_t)c->context_capacity * BYTES_PER_CONTEXT > limit.soft / 8)
		c->context_capacity /= 2;
}

bool rt_config_read(void)
{
	struct rt_config *c = &rt_config;
	const char *text;

	c->context_capacity = DEFAULT_CONTEXTS;
	c->buffer_bytes = DEFAULT_BUFFER_BYTES;
	if (getauxval(AT_SECURE)) {
		c->off = true;
		return true;
	}
	c->log = getenv("CPROF_LOG");
	rt_status_set_log(c->log && *c->log ? c->log : NULL);
	text = getenv("CPROF");
	if (text && !strcmp(text, "off")) {
		c->off = true;
		return true;
	}
	text = getenv("CPROF_MODE");
	if (text && *text && strcmp(text, "trace"))
		return bad_value("CPROF_MODE", text, "this version knows trace; nothing is recorded");
	text = getenv("CPROF_FULL");
	if (text && *text && strcmp(text, "help") && strcmp(text, "drop"))
		return bad_value("CPROF_FULL", text, "it is help or drop; nothing is recorded");
	c->drop_when_full = text && !strcmp(text, "drop");
	text = getenv("CPROF_DRAIN");
	if (text && *text && strcmp(text, "thread") && strcmp(text, "inline"))
		return bad_value("CPROF_DRAIN", text, "it is thread or inline; nothing is recorded");
	c->drain_inline = text && !strcmp(text, "inline");
	text = getenv("CPROF_CONTEXTS");
	if (text && *text) {
		uint64_t number;

		if (!parse_size(text, &number) || number < 1024 || number > 1u << 30)
			return bad_value("CPROF_CONTEXTS", text, "it is a number from 1k to 1024M; nothing is recorded");
		c->context_capacity = (uint32_t)number;
	}
	fit_address_space(c);
	text = getenv("CPROF_BUFFER");
	if (text && *text && (!parse_size(text, &c->buffer_bytes) || c->buffer_bytes < 256 << 10))
		return bad_value("CPROF_BUFFER", text, "it is a size of at least 256k; nothing is recorded");
	text = getenv("CPROF_OUTPUT");
	return expand_output(text && *text ? text : "trace.lz4");
}
