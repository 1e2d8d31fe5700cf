/* SPDX-License-Identifier: BSD-2-Clause */
#include "time_range.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *unit;
	long double ns;
} units[] = { { "", 1 }, { "ns", 1 }, { "us", 1e3L }, { "ms", 1e6L }, { "s", 1e9L }, { "m", 60e9L } };

/* Digits, perhaps with a decimal point: none of strtold's other forms. */
static bool number_parse(const char *text, size_t length, long double *ret, size_t *used)
{
	long double value = 0, digit = 1;
	size_t digits = 0, i = 0;
	bool point = false;

	for (; i < length && (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')); i++) {
		if (text[i] == '.') {
			if (point)
				return false;
			point = true;
			continue;
		}
		digits++;
		value = value * 10 + (text[i] - '0');
		if (point)
			digit *= 10;
	}
	*ret = value / digit;
	*used = i;
	return digits > 0 && digits < 40;
}

static bool point_parse(const char *text, size_t length, struct time_point *ret)
{
	struct time_point point = { .given = length > 0 };
	size_t used;

	*ret = point;
	if (!length)
		return true;
	if (!number_parse(text, length, &point.value, &used))
		return false;
	text += used;
	length -= used;
	if (length == 1 && *text == '%') {
		point.percent = true;
		*ret = point;
		return point.value <= 100;
	}
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strlen(units[i].unit) != length || strncmp(units[i].unit, text, length) != 0)
			continue;
		point.value *= units[i].ns;
		*ret = point;
		return true;
	}
	return false;
}

struct cprof_error *time_range_parse(const char *option, const char *text, struct time_range *ret)
{
	struct time_range range = { 0 };
	const char *colon = text ? strchr(text, ':') : NULL;

	if (text && (!colon || !point_parse(text, (size_t)(colon - text), &range.from) || !point_parse(colon + 1, strlen(colon + 1), &range.to)))
		return cprof_error_create(CPROF_ERROR_USAGE, "--%s: '%s' is no range of time (like 10ms:1.5s, 250us:, :40%%)", option, text);
	if (range.from.given && range.to.given && range.from.percent == range.to.percent && range.to.value < range.from.value)
		return cprof_error_create(CPROF_ERROR_USAGE, "--%s: '%s' ends before it starts", option, text);
	*ret = range;
	return NULL;
}

static uint64_t point_ticks(const struct time_point *point, uint64_t start_ticks, uint64_t end_ticks, double hz)
{
	long double all = end_ticks > start_ticks ? (long double)(end_ticks - start_ticks) : 0;
	long double since = point->percent ? all * point->value / 100 : hz > 0 ? point->value * (long double)hz / 1e9L : point->value;

	since += 0.5L;
	return since >= (long double)(UINT64_MAX - start_ticks) ? UINT64_MAX : start_ticks + (uint64_t)since;
}

void time_range_ticks(const struct time_range *range, uint64_t start_ticks, uint64_t end_ticks, double hz, uint64_t *from, uint64_t *to)
{
	*from = range->from.given ? point_ticks(&range->from, start_ticks, end_ticks, hz) : 0;
	*to = range->to.given ? point_ticks(&range->to, start_ticks, end_ticks, hz) : UINT64_MAX;
	if (range->to.given && range->to.percent && range->to.value >= 100)
		*to = UINT64_MAX; /* the last event is in it */
}
