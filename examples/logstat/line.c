/* SPDX-License-Identifier: BSD-2-Clause */
/* A hand-written scanner: fields separated by a space, some of them quoted. */
#include "line.h"

#include <string.h>

static bool scan_field(const char **cursor, const char *end, struct slice *field)
{
	const char *start = *cursor, *stop;
	char closing = ' ';

	if (start < end && *start == '"') {
		closing = '"';
		start++;
	}
	if (start >= end)
		return false;
	stop = memchr(start, closing, (size_t)(end - start));
	if (!stop)
		stop = end;
	*field = (struct slice){ start, (size_t)(stop - start) };
	*cursor = stop < end ? stop + 1 : end;
	if (closing == '"' && *cursor < end && **cursor == ' ')
		++*cursor;
	return true;
}

static bool scan_number(const char **cursor, const char *end, uint64_t *number)
{
	struct slice field;

	if (!scan_field(cursor, end, &field))
		return false;
	*number = 0;
	for (size_t i = 0; i < field.bytes; i++) {
		if (field.start[i] < '0' || field.start[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(field.start[i] - '0');
	}
	return field.bytes > 0;
}

/* "GET /shop/items/42?sort=price" -> "/shop/items/42" */
static void trim_request(struct slice *request)
{
	const char *slash = memchr(request->start, '/', request->bytes);
	const char *query;

	if (!slash)
		return;
	request->bytes -= (size_t)(slash - request->start);
	request->start = slash;
	query = memchr(slash, '?', request->bytes);
	if (query)
		request->bytes = (size_t)(query - slash);
}

static bool scan_line(const char *cursor, const char *end, struct line *line)
{
	uint64_t status, sent_bytes, latency_us;

	if (!scan_field(&cursor, end, &line->address) || !scan_field(&cursor, end, &line->user) || !scan_number(&cursor, end, &line->second) ||
	    !scan_field(&cursor, end, &line->path) || !scan_number(&cursor, end, &status) || !scan_number(&cursor, end, &sent_bytes) ||
	    !scan_number(&cursor, end, &latency_us) || !scan_field(&cursor, end, &line->words))
		return false;
	trim_request(&line->path);
	line->status = (uint32_t)status;
	line->sent_bytes = (uint32_t)sent_bytes;
	line->latency_us = (uint32_t)latency_us;
	return true;
}

bool line_next(const char **cursor, const char *end, struct line *line)
{
	const char *start = *cursor, *stop;

	if (start >= end)
		return false;
	stop = memchr(start, '\n', (size_t)(end - start));
	if (!stop)
		stop = end;
	*cursor = stop < end ? stop + 1 : end;
	memset(line, 0, sizeof(*line));
	if (!scan_line(start, stop, line))
		line->status = 0;
	return true;
}

bool slice_next_word(struct slice *words, struct slice *word)
{
	const char *end = words->start + words->bytes;

	if (!scan_field(&words->start, end, word))
		return false;
	words->bytes = (size_t)(end - words->start);
	return true;
}
